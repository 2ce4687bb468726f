"""The behaviour list of a store of jobs, one module per group of verbs."""
