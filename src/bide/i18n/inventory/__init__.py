"""What texts there are: which are missing, which nobody uses, which do not fit their source."""
