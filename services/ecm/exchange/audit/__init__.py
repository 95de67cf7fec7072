"""The audit: one row per authenticated request, sealed into a chain, checked by `verify`."""
