"""Engines, borrowed connections, migrations; knows no table."""
