"""One file per queue: how it is installed, configured and driven, for its maintainers to check."""
