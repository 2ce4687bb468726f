"""Database servers for the tests: private, fast, thrown away at the end."""
