"""A whole region on one machine with no set-up: `ecm up`, what it starts, and how it keeps that running."""
