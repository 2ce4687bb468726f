"""`{% load bide %}`."""
