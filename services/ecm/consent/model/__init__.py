"""The rules of consent: pure functions, no I/O."""
