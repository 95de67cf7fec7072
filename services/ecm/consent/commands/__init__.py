"""What may be done: each command loads, decides by the model, saves, and compiles the set anew."""
