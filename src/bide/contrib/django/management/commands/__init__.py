"""`manage.py bide`."""
