"""The stores of jobs: one in memory, one per database."""
