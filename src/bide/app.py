"""The composition root: the one place that builds the object graph."""
