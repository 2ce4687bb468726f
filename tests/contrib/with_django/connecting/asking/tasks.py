"""Tasks that tell which connection of Django's they were given."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection

from bide.contrib.django import task

#: Connections seen so far, by age; kept, so that no two ever have the same identity.
SEEN: list[Any] = []


@task(backoff=0)
def whose(pause: float = 0) -> int:
    time.sleep(pause)
    return number()


@task(backoff=0)
async def whose_async() -> int:
    return await sync_to_async(number)()


@task(max_attempts=1)
def breaks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def number() -> int:
    """The server's number of this connection; of SQLite, how many others were seen before it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])
        cursor.execute("SELECT 1")
        raw = connection.connection
        assert isinstance(raw, sqlite3.Connection)
        if not any(raw is one for one in SEEN):
            SEEN.append(raw)
        return next(place for place, one in enumerate(SEEN) if one is raw)
