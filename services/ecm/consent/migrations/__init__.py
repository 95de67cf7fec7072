"""Migrations of `ecm_consent`."""
