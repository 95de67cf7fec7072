"""Intervention plan, reviews, outcomes, deadlines and the monitoring return (checklist M, N, O, R)."""
