"""How the database of `referrals` came to be what it is."""
