from contextlib import contextmanager
from uuid import UUID

from django.db import transaction


@contextmanager
def exclusive_transaction(using=None):
    """Everything locked, as SQLite can."""
    connection = transaction.get_connection(using)
    before = getattr(connection, "transaction_mode", None)
    if connection.vendor == "sqlite":
        connection.get_connection_params()
        connection.transaction_mode = "EXCLUSIVE"
    try:
        with transaction.atomic(using=using):
            yield
    finally:
        if connection.vendor == "sqlite":
            connection.transaction_mode = before


def normalize_uuid(value):
    return str(value if isinstance(value, UUID) else UUID(value))
