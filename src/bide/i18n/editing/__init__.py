"""What people who translate need: what is there and missing, checks, safe saving, history, review."""
