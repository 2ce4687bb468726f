"""Where texts come from, and abilities that wrap any of them."""
