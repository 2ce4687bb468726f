"""One Django migration for each step of Bide's own, and the models that read the tables."""
