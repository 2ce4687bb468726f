"""Bide: background jobs and translations that live in your database, and survive the fork."""

__version__ = "0.1.0"
