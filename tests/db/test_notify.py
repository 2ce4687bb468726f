"""Hearing notifications, where the connection is lost while others look at it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from bide import events
from bide.db import notify
from bide.db.engine import Database
from bide.db.notify import Wire


class Lost:
    """A connection that another thread has just found lost."""

    @property
    def pgconn(self) -> Any:
        raise psycopg.OperationalError("the connection is lost")


def test_a_connection_that_is_being_lost_has_no_descriptor() -> None:
    wire = Wire()
    wire._raw = Lost()
    assert wire.descriptor() is None


def test_one_event_tells_that_a_dead_database_is_not_listened_to(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Database("postgresql://nobody@127.0.0.1:1/nothing")
    alive = Database(postgresql_url)
    monkeypatch.setattr(notify, "FIRST_RETRY", 0.0)
    wire = Wire(longest_retry=0.0)
    told: list[str] = []
    unsubscribe = events.subscribe(lambda name, _: told.append(name))
    try:
        assert [wire.open(dead, "words") for _ in range(3)] == [False] * 3
        assert told == ["db.not_listening"]
        assert wire.open(alive, "words")
        wire.hang_up()
        assert not wire.open(dead, "words")
        assert told == ["db.not_listening"] * 2
    finally:
        unsubscribe()
        wire.hang_up()
        dead.close()
        alive.close()
