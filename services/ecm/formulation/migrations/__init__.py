"""The schema of `formulation`'s database."""
