"""What every backend of texts must do, one module per group of behaviour."""
