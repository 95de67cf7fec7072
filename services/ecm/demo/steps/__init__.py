"""What happens at each step: a file per stage of the way."""
