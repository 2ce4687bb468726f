"""Hearing notifications, where the connection is lost while others look at it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from bide import events
from bide.db import notify
from bide.db.engine import Database
from bide.db.notify import Wire
from waiting import wait_until


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


def test_a_connection_on_which_the_server_refuses_to_listen_is_closed(postgresql_url: str) -> None:
    """A standby does; every try would leave one more, open for as long as somebody keeps the error."""
    database, wire = Database(postgresql_url), Wire()
    kept: list[Any] = []
    unsubscribe = events.subscribe(lambda _, fields: kept.append(fields))
    try:
        assert not wire.open(database, "")
        [told] = kept
        assert isinstance(told["error"], psycopg.errors.SyntaxError)
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        wait_until(lambda: database.read(lambda c: c.execute(others))[0][0] == 1)
    finally:
        unsubscribe()
        database.close()
