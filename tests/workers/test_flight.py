"""Claims and reports that are sent together, on PostgreSQL without waiting: nothing is lost, nothing stays behind."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import bide
from bide.errors import ConnectionLost
from bide.jobs.exchange import Exchanged
from bide.jobs.job import Filter, State
from bide.jobs.store import Wanted, WorkerRef
from bide.jobs.stores.postgresql import PostgreSQLStore
from waiting import wait_until

NOW = datetime.now(UTC)
ran: Counter[int] = Counter()


@pytest.fixture
def app(postgresql_url: str) -> Iterator[bide.App]:
    app = bide.App(postgresql_url)
    app.migrate()
    ran.clear()
    yield app
    app.close()


@pytest.fixture(params=["postgresql_url", "sqlite_url"])
def either(request: pytest.FixtureRequest) -> Iterator[bide.App]:
    """Of SQLite the answer is there at once."""
    app = bide.App(request.getfixturevalue(request.param))
    app.migrate()
    ran.clear()
    yield app
    app.close()


def end_connections(app: bide.App, but: int = 0) -> None:
    """As a server does that restarts: every other connection to this database ends."""
    others = f"datname = current_database() AND pid NOT IN (pg_backend_pid(), {but})"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    other = bide.App(app.settings.database_url)
    assert other.database is not None
    other.database.read(lambda connection: connection.execute(end))
    other.close()


class Started:
    """A store with jobs, 10 of which are claimed."""

    def __init__(self, app: bide.App, jobs: int = 100) -> None:
        @app.job
        def note(number: int) -> None:
            ran[number] += 1

        assert isinstance(app.store, PostgreSQLStore)
        self.store = app.store
        app.enqueue_many(note.bind(number) for number in range(jobs))
        self.worker: WorkerRef = self.store.register("one", "here", 1, {})
        rows = self.store.claim(self.worker, Wanted(), 10, NOW)
        self.leases = [(row.id, row.lease) for row in rows]

    def send(self) -> Any:
        exchange = self.store.exchange(self.worker, self.leases, Wanted(), 20, NOW)
        assert exchange is not None
        return exchange

    def left(self) -> int:
        return self.store.count(Filter())


def test_an_exchange_finishes_and_claims_like_the_two_verbs(app: bide.App) -> None:
    started = Started(app)
    done, claimed = started.send().answer()
    assert done == {job_id for job_id, _ in started.leases}
    assert started.left() == 90
    assert [row.payload for row in claimed] == sorted(
        (row.payload for row in claimed), key=lambda text: int(text.split("[")[1].split("]")[0])
    )
    again = [started.store.get(row.id) for row in claimed]
    assert claimed == again
    assert len(claimed) == 20


def test_it_works_while_nobody_waits_for_the_answer(app: bide.App) -> None:
    started = Started(app)
    exchange = started.send()
    running = Filter(states=(State.RUNNING,))
    wait_until(lambda: started.left() == 90 and started.store.count(running) == 20)
    assert isinstance(exchange.answer(), Exchanged)


def test_a_report_that_fails_does_not_take_the_claim_with_it(app: bide.App) -> None:
    started = Started(app)
    started.leases = [(2**70, 1)]  # no bigint
    done, claimed = started.send().answer()
    assert not isinstance(done, set)
    assert len(claimed) == 20


def test_an_answer_that_cannot_come_any_more_is_not_waited_for(app: bide.App) -> None:
    started = Started(app)
    other = bide.App(app.settings.database_url)
    assert other.database is not None

    def while_locked(connection: Any) -> None:
        connection.execute("LOCK TABLE bide_jobs")
        exchange = started.send()
        end_connections(app, but=connection.raw.info.backend_pid)
        with pytest.raises(ConnectionLost):
            exchange.answer()

    other.database.run(while_locked)
    other.close()
    assert started.left() == 100


def test_what_a_lost_answer_claimed_is_found_by_the_next_claim(
    app: bide.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = Started(app)
    exchange = started.send()
    come = exchange._pipeline.answers

    def lost() -> None:
        come()
        raise ConnectionLost("on its way")

    monkeypatch.setattr(exchange._pipeline, "answers", lost)
    with pytest.raises(ConnectionLost):
        exchange.answer()
    assert started.store.exchange(started.worker, [], Wanted(), 20, NOW) is None
    assert len(started.store.claim(started.worker, Wanted(), 20, NOW)) >= 20


def test_every_job_is_done_and_reported_while_connections_end(app: bide.App) -> None:
    @app.job
    def note(number: int) -> None:
        ran[number] += 1
        if number % 200 == 100:
            end_connections(app)

    app.enqueue_many(note.bind(number) for number in range(1000))
    app.worker(exit_on_complete=True).start()
    assert set(ran) == set(range(1000))
    assert app.store.count(Filter()) == 0


def test_jobs_under_way_go_to_others_while_a_slow_one_runs(either: bide.App) -> None:
    """The keeper fetches the answer that the worker has no time for, and gives the jobs back."""
    slow, go_on = threading.Event(), threading.Event()

    @either.job
    def note(number: int) -> None:
        ran[number] += 1
        if number == 450:
            slow.set()
            assert go_on.wait(30)

    either.enqueue_many(note.bind(number) for number in range(1000))
    thread = threading.Thread(target=either.worker(exit_on_complete=True).start)
    thread.start()
    try:
        assert slow.wait(30)
        running = Filter(states=(State.RUNNING,))
        wait_until(lambda: either.store.count(running) == 1, within=30)
        other = bide.App(either.settings.database_url)
        assert other.store.count(Filter(states=(State.READY,))) > 400
        other.close()
    finally:
        go_on.set()
        thread.join(60)
    assert not thread.is_alive()
    assert [count for count in ran.values() if count != 1] == []
    assert len(ran) == 1000


def test_a_worker_that_stops_gives_back_what_is_under_way(either: bide.App) -> None:
    worker = either.worker()

    @either.job
    def note(number: int) -> None:
        ran[number] += 1
        if number == 300:
            worker.stop()

    either.enqueue_many(note.bind(number) for number in range(1000))
    worker.start()
    assert either.store.count(Filter(states=(State.READY,))) == 1000 - len(ran)
    assert either.store.count(Filter(states=(State.RUNNING,))) == 0


def test_a_batch_that_ends_leaves_nothing_in_hand(either: bide.App) -> None:
    """work_off runs as many as it was told, and what it does not run is ready for others."""

    @either.job
    def note(number: int) -> None:
        ran[number] += 1

    either.enqueue_many(note.bind(number) for number in range(1000))
    assert either.worker().work_off(500) == (500, 0)
    assert either.store.count(Filter(states=(State.READY,))) == 500
    assert sorted(ran) == list(range(500))
