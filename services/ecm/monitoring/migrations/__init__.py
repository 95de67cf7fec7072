"""Schema of `ecm_monitoring`."""
