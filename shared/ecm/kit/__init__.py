"""What every service of ECM Exchange needs, and nothing that only one needs."""
