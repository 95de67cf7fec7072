"""Consent: the two instruments, sharing agreements, restrictions and overrides, compiled to grants."""
