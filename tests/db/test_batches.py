"""The rows of one question taken some at a time, on every database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import column, select, table

from bide.db.connection import Connection
from bide.db.engine import Database

NUMBERS = table("numbers", column("value"))
EVERY = select(NUMBERS.c.value).order_by(NUMBERS.c.value)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.run(lambda c: c.execute("CREATE TABLE numbers (value INTEGER NOT NULL)"))
    database.run(lambda c: c.executemany("INSERT INTO numbers VALUES (:value)", numbers(10)))
    yield database
    database.close()


def numbers(count: int) -> list[dict[str, int]]:
    return [{"value": number} for number in range(count)]


@pytest.mark.parametrize("size", [1, 3, 10, 500])
def test_all_rows_come_in_order_and_no_batch_is_larger(size: int, database: Database) -> None:
    batches = database.read(lambda c: list(c.batches(EVERY, size)))
    assert [value for batch in batches for (value,) in batch] == list(range(10))
    assert max(map(len, batches)) <= size
    assert database.read(lambda c: list(c.batches(EVERY.where(NUMBERS.c.value > 10), size))) == []


def test_whoever_stops_in_between_leaves_nothing_behind(database: Database) -> None:
    def first(connection: Connection) -> Iterator[list[tuple[int]]]:
        batches = connection.batches(EVERY, 2)
        assert next(batches) == [(0,), (1,)]
        return batches

    left = database.read(first)
    database.run(lambda c: c.execute("DELETE FROM numbers WHERE value < 9"))

    def closed_late(connection: Connection) -> list[tuple[int]]:
        other = connection.batches(EVERY, 1)
        found = next(other)
        left.close()  # type: ignore[attr-defined]
        return found + connection.core(EVERY)

    assert database.read(closed_late) == [(9,), (9,)]
