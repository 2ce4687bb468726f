"""A job stored with session= belongs to the caller's transaction: there with it, gone with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

import bide
from lending import LENT, Lend, connection, driver, open_driver, session, stored

Declare = Callable[[bide.App], Any]


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.mark.parametrize("lend", LENT)
def test_a_job_is_there_when_the_caller_commits(
    app: bide.App, url: str, note: Declare, lend: Lend
) -> None:
    with lend(url) as on:
        job = note(app).using(session=on).delay("a")
        assert stored(app) == []
        on.commit()
        assert stored(app) == [job.id]
        assert app.find(job.id) == job == job.reload()


@pytest.mark.parametrize("lend", LENT)
def test_a_job_is_gone_when_the_caller_rolls_back(
    app: bide.App, url: str, note: Declare, lend: Lend
) -> None:
    with lend(url) as on:
        job = note(app).using(session=on).delay("a")
        on.rollback()
    assert stored(app) == []
    with pytest.raises(
        bide.JobNotFound, match=rf"job {job.id} \(note\) is not stored: .* rolled back"
    ):
        job.reload()


def test_a_job_that_was_rolled_back_is_never_taken_for_another_with_its_id(
    app: bide.App, url: str, note: Declare
) -> None:
    """A database may give the number to the next row."""
    with session(url) as on:
        gone = note(app).using(session=on).delay("gone")
        on.rollback()
    kept = note(app).delay("kept")
    gone.id = kept.id  # what SQLite does by itself
    for act in (gone.reload, gone.retry, gone.cancel, gone.delete):
        with pytest.raises(bide.JobNotFound):
            act()
    assert kept.reload().state == "ready"


@pytest.mark.parametrize("lend", LENT)
def test_every_way_to_enqueue_takes_the_callers_session(
    app: bide.App, url: str, note: Declare, lend: Lend
) -> None:
    @app.job
    @dataclass
    class Letter:
        text: str

        def perform(self) -> None: ...

    with lend(url) as on:

        @app.delayable
        class Box:
            @classmethod
            def empty(cls) -> None: ...

            @app.asynchronously(session=lambda: on)
            @classmethod
            def fill(cls) -> None: ...

        job = note(app)
        jobs = [
            job.using(session=on).delay("a"),
            app.enqueue(Letter("a"), session=on),
            app.enqueue(job.using(session=on).bind("b")),
            *app.enqueue_many([job.bind("c"), Letter("b")], session=on),
            *app.enqueue_many([job.using(session=on).bind("d")]),
            bide.delay(Box, session=on).empty(),
            app.delay(Box, session=on).empty(),
            Box.fill(),
        ]
        assert stored(app) == []
        on.commit()
    assert stored(app) == sorted(job.id or 0 for job in jobs)


def test_a_savepoint_takes_its_jobs_along(app: bide.App, url: str, note: Declare) -> None:
    with session(url) as on:
        job = note(app).using(session=on)
        outer = job.delay("outer")
        with on.begin_nested() as inside:
            job.delay("inside")
            inside.rollback()
        with on.begin_nested():
            kept = job.delay("kept")
            with on.begin_nested() as deep:
                job.delay("deep")
                deep.rollback()
        on.commit()
    assert stored(app) == sorted([outer.id, kept.id])


def test_a_savepoint_of_sql_takes_its_jobs_along(app: bide.App, url: str, note: Declare) -> None:
    on = open_driver(url)
    run = on.cursor().execute
    if url.startswith("sqlite"):
        run("BEGIN")  # this driver opens no transaction at a savepoint
    job = note(app).using(session=on)
    outer = job.delay("outer")
    run("SAVEPOINT here")
    job.delay("inside")
    run("ROLLBACK TO SAVEPOINT here")
    on.commit()
    on.close()
    assert stored(app) == [outer.id]


def test_in_autocommit_a_job_is_there_at_once(app: bide.App, url: str, note: Declare) -> None:
    with connection(url) as on:
        on.execution_options(isolation_level="AUTOCOMMIT")
        first = note(app).using(session=on).delay("a")
        assert stored(app) == [first.id]
    plain = open_driver(url, autocommit=True)
    many = app.enqueue_many([note(app).bind("b"), note(app).bind("c")], session=plain)
    assert stored(app) == [first.id, *(job.id for job in many)]
    plain.close()


@pytest.mark.parametrize("lend", LENT)
def test_the_same_key_twice_is_one_job(app: bide.App, url: str, note: Declare, lend: Lend) -> None:
    @app.lifecycle.before("enqueue")
    def same(job: bide.Job) -> None:
        job.key = "the-same-key"

    with lend(url) as on:
        job = note(app)
        jobs = [job.using(session=on).delay("a") for _ in "ab"]
        jobs += app.enqueue_many([job.bind("b"), job.bind("c")], session=on)
        on.commit()
        jobs.append(job.using(session=on).delay("d"))
        on.rollback()
    jobs.append(job.delay("e"))
    assert {job.id for job in jobs} == set(stored(app)) != set()
    assert len(stored(app)) == 1


@pytest.mark.parametrize("lend", LENT)
def test_a_thousand_jobs_are_one_transactions(
    app: bide.App, url: str, note: Declare, lend: Lend
) -> None:
    with lend(url) as on:
        calls = [note(app).bind(str(number)) for number in range(1001)]
        app.enqueue_many(calls, session=on)
        on.rollback()
        assert stored(app) == []
        jobs = app.enqueue_many(calls, session=on)
        on.commit()
    assert stored(app) == [job.id for job in jobs]
    row = app.store.get(jobs[500].id or 0)
    assert row is not None
    assert '"500"' in row.payload


def test_jobs_of_several_sessions_go_each_to_its_own(
    app: bide.App, url: str, note: Declare
) -> None:
    if url.startswith("sqlite"):
        pytest.skip("a SQLite file has one writer at a time")
    with driver(url) as kept, driver(url) as gone:
        job = note(app)
        calls = [job.using(session=on).bind("a") for on in (gone, kept, kept, gone)]
        jobs = app.enqueue_many([*calls, job.bind("b")], session=kept)
        gone.rollback()
        kept.commit()
    assert stored(app) == sorted(jobs[number].id or 0 for number in (1, 2, 4))


@pytest.mark.parametrize("lend", LENT)
def test_what_is_refused_leaves_the_transaction_usable_and_nothing_in_it(
    app: bide.App, url: str, note: Declare, lend: Lend
) -> None:
    @app.job
    @dataclass
    class Moody:
        text: str

        def perform(self) -> None: ...

        def enqueue(self, job: bide.Job) -> None:
            if self.text == "raises":
                raise LookupError("not in the mood")
            job.queue = self.text

    with lend(url) as on:
        job = note(app).using(session=on)
        first = job.delay("first")
        for wrong, error in (
            (lambda: app.enqueue(Moody("raises"), session=on), LookupError),
            (lambda: app.enqueue(Moody("x" * 256), session=on), bide.EnqueueError),
            (lambda: job.delay(object()), bide.UnsupportedArgument),
            (lambda: job.delay("x" * 2_000_000), bide.PayloadTooLarge),
            (lambda: app.enqueue_many([job.bind("a"), Moody("raises")], session=on), LookupError),
            (
                lambda: app.enqueue_many([job.bind("a"), job.bind(open)], session=on),
                bide.EnqueueError,
            ),
        ):
            with pytest.raises(error):
                wrong()
        second = job.delay("second")
        on.commit()
    assert stored(app) == sorted([first.id, second.id])


def test_a_text_that_no_database_could_keep_is_refused_before_it_is_sent(
    app: bide.App, url: str, note: Declare
) -> None:
    """Names and keys chosen by hooks too: on PostgreSQL the caller's transaction would be lost."""
    wrong: dict[str, Any] = {}

    @app.lifecycle.before("enqueue")
    def choose(job: bide.Job) -> None:
        for name, value in wrong.items():
            setattr(job, name, value)

    with driver(url) as on:
        job = note(app).using(session=on)
        first = job.delay("first")
        for field in ("name", "key", "queue", "locale"):
            for value in ("x" * 300, "a\0b", "\ud800"):
                wrong = {field: value}
                with pytest.raises(bide.EnqueueError, match=field):
                    job.delay("a")
        wrong = {}
        second = job.delay("second")
        on.commit()
    assert stored(app) == sorted([first.id, second.id])


def test_the_applications_own_rows_share_the_jobs_fate(
    app: bide.App, url: str, note: Declare
) -> None:
    with connection(url) as on:
        on.execute(sa.text("CREATE TABLE orders (id INTEGER PRIMARY KEY)"))
        on.commit()
        for number, end in enumerate((on.rollback, on.commit)):
            on.execute(sa.text("INSERT INTO orders VALUES (:id)"), {"id": number})
            note(app).using(session=on).delay(str(number))
            end()
        assert on.execute(sa.text("SELECT id FROM orders")).scalars().all() == [1]
    [job_id] = stored(app)
    assert '"1"' in app.find(job_id).payload
