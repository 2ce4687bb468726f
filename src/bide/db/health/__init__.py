"""The part of `bide doctor` about the database."""
