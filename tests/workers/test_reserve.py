"""Claiming: how much, what a failing store does to a worker, what is given back (queue.md 5.3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import bide
from bide import clock, errors
from bide.events import subscribe
from bide.jobs.job import Filter, State
from bide.jobs.stores.memory import MemoryStore
from waiting import wait_until


class Troubled(MemoryStore):
    """A store whose verbs raise what is queued for them, then do their work."""

    def __init__(self) -> None:
        super().__init__()
        self.troubles: dict[str, list[Exception]] = {}
        self.claims: list[int] = []

    def _meet(self, verb: str) -> None:
        if self.troubles.get(verb):
            raise self.troubles[verb].pop(0)

    def claim(self, worker: Any, wanted: Any, limit: int, now: Any) -> Any:
        self._meet("claim")
        self.claims.append(limit)
        return super().claim(worker, wanted, limit, now)

    def register(self, *args: Any) -> Any:
        self._meet("register")
        return super().register(*args)

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        self._meet("finish")
        return super().finish(*args, **kwargs)

    def retry_later(self, *args: Any) -> Any:
        self._meet("retry_later")
        return super().retry_later(*args)

    def release(self, *args: Any) -> Any:
        self._meet("release")
        return super().release(*args)

    def retire(self, *args: Any) -> Any:
        self._meet("retire")
        return super().retire(*args)


@pytest.fixture
def store() -> Troubled:
    return Troubled()


@pytest.fixture
def app(store: Troubled) -> bide.App:
    app = bide.App("memory://", sleep_delay=0.01)
    app.store = store
    return app


@pytest.fixture
def ran() -> list[Any]:
    return []


@pytest.fixture
def note(app: bide.App, ran: list[Any]) -> Any:
    @app.job
    def note(text: str = "x") -> None:
        ran.append(text)

    return note


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    told: list[tuple[str, dict[str, Any]]] = []
    unsubscribe = subscribe(lambda name, facts: told.append((name, facts)))
    yield told
    unsubscribe()


def words(heard: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [name for name, _ in heard]


def test_an_error_of_the_store_does_not_escape_the_batch(
    app: bide.App, store: Troubled, note: Any, heard: list[Any]
) -> None:
    """DJ-111, DJ-113: it is told with the error that it was."""
    note.delay()
    trouble = store.troubles["claim"] = [RuntimeError("no")]
    error = trouble[0]
    worker = app.worker()
    assert worker.work_off() == (0, 0)
    [facts] = [facts for name, facts in heard if name == "reserve_failed"]
    assert facts["error"] is error
    assert worker.work_off() == (1, 0)


def test_the_tenth_error_in_a_row_ends_the_worker(
    app: bide.App, store: Troubled, note: Any
) -> None:
    """DJ-112, DJ-517, DJ-516: also one that shall exit on complete; it ends with an error."""
    store.troubles["claim"] = [RuntimeError(str(number)) for number in range(10)]
    with pytest.raises(errors.FatalBackendError, match=r"10 reservations in a row failed.*9"):
        app.worker(exit_on_complete=True).start()
    assert store.workers() == []


def test_an_answer_of_the_store_counts_from_zero_again(
    app: bide.App, store: Troubled, note: Any, ran: list[Any]
) -> None:
    """DJ-112, DJ-516: nine errors, an empty answer, nine errors, a job."""
    worker = app.worker(exit_on_complete=True)
    store.troubles["claim"] = [RuntimeError() for _ in range(9)]
    worker.start()
    note.delay()
    store.troubles["claim"] = [RuntimeError() for _ in range(9)]
    worker.start()
    assert ran == ["x"]


@pytest.mark.parametrize("error", [errors.ConnectionLost("away"), errors.DatabaseBusy("busy")])
def test_no_number_of_lost_connections_ends_the_worker(
    app: bide.App, store: Troubled, note: Any, ran: list[Any], heard: list[Any], error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """DJ-517: it is told once, the worker reconnects with back-off until the database is there."""
    monkeypatch.setattr("bide.workers.insist.FIRST_PAUSE", 0.0001)
    monkeypatch.setattr("bide.workers.insist.LONGEST_PAUSE", 0.001)
    note.delay()
    for verb in ("register", "claim", "finish"):
        store.troubles[verb] = [error] * 15
    assert app.worker().work_off() == (1, 0)
    assert ran == ["x"]
    assert store.count(Filter()) == 0
    assert words(heard).count("database_lost") == words(heard).count("database_back") == 3


def test_a_finish_that_could_not_be_written_is_written_later_and_the_job_runs_once(
    app: bide.App, store: Troubled, note: Any, ran: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DJ-533."""
    monkeypatch.setattr("bide.workers.insist.FIRST_PAUSE", 0.001)
    note.delay()
    store.troubles["finish"] = [errors.DatabaseBusy("deadlock")] * 3
    app.worker(exit_on_complete=True).start()
    assert (ran, store.count(Filter())) == (["x"], 0)


def test_a_failure_that_could_not_be_written_is_written_later(
    app: bide.App, store: Troubled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DJ-521: recording goes on until it succeeds."""
    monkeypatch.setattr("bide.workers.insist.FIRST_PAUSE", 0.001)

    @app.job
    def fails() -> None:
        raise ValueError("boom")

    job = fails.delay()
    store.troubles["retry_later"] = [errors.ConnectionLost("away")] * 3
    assert app.worker().work_off() == (0, 1)
    assert (job.reload().attempts, job.last_error is not None) == (1, True)


def test_one_stop_ends_a_worker_that_waits_for_a_lost_database(
    app: bide.App, store: Troubled, note: Any
) -> None:
    """DJ-557: it has nothing to report, and need not wait for the database to leave."""
    for verb in ("register", "claim"):
        store.troubles[verb] = [errors.ConnectionLost("away")] * 10_000
        worker = app.worker()
        thread = threading.Thread(target=worker.start)
        thread.start()
        wait_until(lambda verb=verb: len(store.troubles[verb]) < 9_998)
        worker.stop()
        thread.join(10)
        assert not thread.is_alive()
        store.troubles.clear()


def test_a_worker_that_cannot_report_in_its_grace_time_leaves(
    app: bide.App, store: Troubled, note: Any, heard: list[Any]
) -> None:
    """Its job is done, its row is left to be rescued: at least once."""
    impatient = bide.App("memory://", grace_time=0.1)
    impatient.store = store
    worker = impatient.worker()

    @impatient.job
    def stops() -> None:
        worker.stop()
        for verb in ("finish", "retire", "release"):
            store.troubles[verb] = [errors.ConnectionLost("away")] * 10_000

    stops.delay()
    worker.start()
    assert {"outcome_unwritten", "leaving_failed"} <= set(words(heard))
    assert store.count(Filter(states=(State.RUNNING,))) == 1


def test_a_lost_database_does_not_hide_what_ended_a_worker(
    app: bide.App, store: Troubled, note: Any
) -> None:
    """queue.md 4.3: giving the claims back fails, and the first error is still the one that is seen."""

    @app.lifecycle.around("execute")
    def ends(worker: Any, proceed: Any) -> None:
        worker._reserver._claim(1)
        store.troubles = {"release": [errors.ConnectionLost("away")] * 2}
        raise LookupError("the reason")

    note.delay()
    with pytest.raises(LookupError, match="the reason"):
        app.worker().start()


def test_a_worker_claims_one_then_as_many_as_it_will_finish_soon(
    app: bide.App, store: Troubled, note: Any, ran: list[Any]
) -> None:
    """DJ-108, DJ-109, DJ-324: read_ahead is the most."""
    app.enqueue_many(note.bind(str(number)) for number in range(300))
    app.worker().work_off(300)
    assert store.claims[0] == 1
    assert 1 < max(store.claims) <= app.settings.read_ahead == 100
    few = bide.App("memory://", read_ahead=3)
    few.store = store
    store.claims.clear()
    few.registry, few._encoder = app.registry, app._encoder
    app.enqueue_many(note.bind(str(number)) for number in range(20))
    few.worker().work_off(20)
    assert max(store.claims) == 3
    assert len(ran) == 320


def test_what_waits_behind_a_slow_job_is_given_to_others(
    app: bide.App, store: Troubled, note: Any
) -> None:
    """No healthy job waits in the hands of a busy worker; no attempt is counted."""
    waited = threading.Event()

    @app.job(priority=-1)
    def slow() -> None:
        wait_until(lambda: store.count(Filter(states=(State.READY,))) == 8)
        waited.set()

    worker = app.worker()
    for _ in range(20):
        note.using(priority=-2).delay()
    slow.using(priority=-2).delay()
    app.enqueue_many(note.bind() for _ in range(8))
    assert worker.work_off() == (29, 0)
    assert waited.is_set()


def test_a_quiet_worker_claims_nothing(app: bide.App, store: Troubled, note: Any) -> None:
    note.delay()
    worker = app.worker()
    worker.requests.be_quiet()
    assert worker.work_off() == (0, 0)
    assert store.claims == []


def test_no_report_is_sent_while_the_keeper_writes_it(
    app: bide.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be told to the store twice, and taken off the list twice."""
    reserver = app.worker()._reserver
    free: list[bool] = []

    def flush() -> None:
        claiming = reserver.hand.claiming
        thread = threading.Thread(target=lambda: free.append(claiming.acquire(blocking=False)))
        thread.start()
        thread.join()

    monkeypatch.setattr(reserver.finishes, "flush", flush)
    reserver.relieve()
    assert free == [False]


def test_a_worker_claims_anew_when_the_keeper_takes_what_it_was_about_to_start(
    app: bide.App, note: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would sleep, or end, as if nothing were ready."""
    worker = app.worker()
    reserver, ahead = worker._reserver, worker._reserver._ahead
    app.enqueue_many(note.bind() for _ in range(3))
    reserver.took(0.001)
    assert reserver.next(3) is not None
    assert reserver.waiting == 2

    def keeper_comes_first() -> Any:
        monkeypatch.undo()
        reserver.give_back()
        return ahead.next()

    monkeypatch.setattr(ahead, "next", keeper_comes_first)
    assert reserver.next(3) is not None


def test_what_callbacks_take_counts_for_how_much_is_claimed(
    app: bide.App, store: Troubled, note: Any
) -> None:
    app.lifecycle.after("perform", lambda *_: clock.sleep(0.06))
    app.enqueue_many(note.bind() for _ in range(4))
    assert app.worker().work_off() == (4, 0)
    assert set(store.claims) == {1}
