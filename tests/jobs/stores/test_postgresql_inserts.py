"""Batches reach PostgreSQL as they are, whatever they have in common and whatever their texts hold."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

import bide
from bide.db.drivers import with_driver
from bide.errors import DatabaseError
from bide.jobs.enqueue import Call
from bide.jobs.job import JobRow, State
from bide.jobs.sending import send
from bide.jobs.store import Store
from bide.jobs.stores.postgresql import PostgreSQLStore
from bide.jobs.stores.postgresql_inserts import BATCH_ROWS
from bide.testing.contract.acting import NOW, a_job

KIND = "postgresql"
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
def store(store: Store) -> Store:
    """One that knows what its connections can do: it does so from the first one on."""
    store.insert([a_job()])
    return store


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


def test_jobs_that_were_sent_are_stored_when_their_ids_are_asked_for(store: Store) -> None:
    jobs = [a_job(name=f"job {number}") for number in range(5)]
    sent = send(store, jobs)
    assert sent is not None
    ids = sent.ids()
    assert [row.name for row in rows_of(store, ids)] == [job.name for job in jobs]
    assert store.insert(jobs) == ids


def test_keys_that_are_there_keep_their_jobs_when_sent_again(store: Store) -> None:
    known, new = a_job(), a_job()
    [first] = store.insert([known])
    sent = send(store, [known, new, known])
    assert sent is not None
    one, other, same = sent.ids()
    assert one == same == first != other


def test_more_than_one_statement_is_not_sent(store: Store) -> None:
    assert send(store, [a_job() for _ in range(BATCH_ROWS + 1)]) is None
    assert send(store, []) is None


def test_what_the_server_refuses_is_said_as_insert_says_it(store: Store) -> None:
    sent = send(store, [a_job(), a_job(priority=2**40)])
    assert sent is not None
    with pytest.raises(DatabaseError, match="integer"):
        sent.ids()
    assert len(store.insert([a_job(), a_job()])) == 2


def test_jobs_whose_connection_is_lost_on_the_way_are_stored_once(
    store: Store,
) -> None:
    jobs = [a_job(), a_job()]
    sent = send(store, jobs)
    assert isinstance(store, PostgreSQLStore)
    killer = create_engine(store.database.url, poolclass=NullPool)
    with killer.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert sent is not None
    ids = sent.ids()
    assert store.insert(jobs) == ids
    assert len(rows_of(store, ids)) == 2


def test_answers_that_nobody_fetched_are_nobody_elses(store: Store) -> None:
    """As when a job runs out of time between sending and waiting."""
    assert isinstance(store, PostgreSQLStore)
    jobs = [a_job(), a_job()]
    sent = send(store, jobs)
    assert sent is not None
    del sent
    gc.collect()
    assert store.database.single(lambda c: c.execute("SELECT :n::int", {"n": 1})) == [(1,)]
    ids = store.insert(jobs)
    assert [row.key for row in rows_of(store, ids)] == [job.key for job in jobs]


def test_no_connection_of_the_applications_engine_is_held_while_it_makes_calls(
    postgresql_url: str,
) -> None:
    """Its pool may hold no other."""
    url = with_driver(make_url(postgresql_url))
    engine = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=1)
    app = bide.App(engine)
    app.migrate()

    @app.job
    def note(number: int) -> None: ...

    note.delay(0)

    def calls() -> Iterator[Call]:
        for number in range(BATCH_ROWS + 1):
            if number == BATCH_ROWS:
                with engine.connect() as connection:
                    assert connection.scalar(text("SELECT 1")) == 1
            yield note.bind(number)

    assert len(app.enqueue_many(calls())) == BATCH_ROWS + 1
    app.close()
    engine.dispose()
