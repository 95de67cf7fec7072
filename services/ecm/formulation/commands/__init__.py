"""What the RPCs do: load, ask, decide, save."""
