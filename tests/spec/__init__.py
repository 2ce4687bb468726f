"""The rows of behaviour that Bide follows, and which tests prove them."""
