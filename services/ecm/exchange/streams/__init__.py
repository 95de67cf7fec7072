"""Partners' topics: what is to be told, numbered and stored with its cause, then sent."""
