"""A region as its administrators have it, wherever it runs: its file, its secrets, what is asked of it from outside.

PostgreSQL, Kafka and Keycloak are brought to what the region file says; tokens, agreements, questions, dead letters.
"""
