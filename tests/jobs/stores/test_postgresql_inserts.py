"""Batches reach PostgreSQL as they are, whatever they have in common and whatever their texts hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bide.jobs.job import JobRow, State
from bide.jobs.store import Store
from bide.jobs.stores.postgresql_inserts import BATCH_ROWS
from bide.testing.contract.acting import NOW, a_job
from stores import opener

#: What means something in the server's writing of lists, and in SQL.
ODD = [
    '"',
    "\\",
    '\\"',
    "{",
    "}",
    ",",
    "NULL",
    "null",
    "",
    " ",
    "{a,b}",
    "%s",
    ":name",
    "'",
    "\n",
    "ß",
]


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    store = opener("postgresql", request)()
    yield store
    store.close()


def rows_of(store: Store, ids: list[int]) -> list[JobRow]:
    rows = [store.get(one) for one in ids]
    return [row for row in rows if row is not None]


def test_texts_that_mean_something_in_lists_come_back_as_they_were(store: Store) -> None:
    jobs = [
        a_job(name=odd, queue=f"q{odd}", payload=f'"{odd}"', locale=odd or None, context=odd)
        for odd in ODD
    ]
    ids = store.insert(jobs)
    stored = rows_of(store, ids)
    told = [(job.name, job.queue, job.payload, job.locale, job.context) for job in jobs]
    assert [(row.name, row.queue, row.payload, row.locale, row.context) for row in stored] == told


@pytest.mark.parametrize("odd", ODD)
def test_what_all_have_in_common_comes_back_as_it_was(store: Store, odd: str) -> None:
    ids = store.insert([a_job(name=odd, queue=odd, locale=odd, context=odd) for _ in range(3)])
    rows = rows_of(store, ids)
    assert [(row.name, row.queue, row.locale, row.context) for row in rows] == [(odd,) * 4] * 3


def test_every_column_may_differ_within_a_batch(store: Store) -> None:
    jobs = [
        a_job(
            priority=number - 1,
            run_at=None if number == 1 else NOW + timedelta(seconds=number, microseconds=1),
            created_at=NOW + timedelta(seconds=number),
            max_attempts=None if number == 2 else number,
            locale=None if number == 0 else "de",
        )
        for number in range(3)
    ]
    rows = rows_of(store, store.insert(jobs))
    assert [row.priority for row in rows] == [-1, 0, 1]
    assert [row.state for row in rows] == [State.SCHEDULED, State.READY, State.SCHEDULED]
    assert [row.max_attempts for row in rows] == [0, 1, None]
    assert [row.locale for row in rows] == [None, "de", "de"]
    assert [row.created_at for row in rows] == [job.created_at for job in jobs]
    assert [row.run_at for row in rows] == [job.run_at or job.created_at for job in jobs]


def test_ids_come_in_the_order_of_the_jobs_over_several_statements(store: Store) -> None:
    jobs = [a_job() for _ in range(BATCH_ROWS + 2)]
    jobs[1:1] = [jobs[-1]]  # one of them twice
    ids = store.insert(jobs)
    some = (0, 1, 2, -1)
    assert [row.key for row in rows_of(store, [ids[at] for at in some])] == [
        jobs[at].key for at in some
    ]
    assert len(set(ids)) == len(jobs) - 1
