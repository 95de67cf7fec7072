"""The rules of `monitoring`: pure functions, no I/O."""
