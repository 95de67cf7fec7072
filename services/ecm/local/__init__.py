"""What lets a whole region run on one machine with no set-up: `ecm up` and its parts."""
