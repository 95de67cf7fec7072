"""What `consent` keeps: its records, others' facts, sets of grants, narrowings."""
