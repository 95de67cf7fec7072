"""Who is calling: tokens, claims, scopes, principals."""
