"""Texts on their way in and out: YAML, JSON, PO, CSV and XLIFF, each in a file of its own."""
