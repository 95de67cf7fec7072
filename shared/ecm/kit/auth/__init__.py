"""Who is calling: tokens, claims, scopes, principals (design §7)."""
