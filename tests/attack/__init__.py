"""A package, so that what is attacked ends with its last test."""
