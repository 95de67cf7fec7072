"""Search: one registry of parameters, from which index rows, SQL and the CapabilityStatement come."""
