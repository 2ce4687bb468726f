"""Answers of the database that never came: what was claimed, given back or reported is found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

import bide
from bide import clock, events
from bide.errors import ConnectionLost
from bide.jobs.job import JobRow, State
from bide.jobs.store import Wanted, WorkerRef
from bide.jobs.stores.memory import MemoryStore
from bide.workers.housekeeping import Housekeeping, Touch
from bide.workers.slate import Slate
from bide.workers.worker import RELIEF_AFTER, Worker


class Deafening(MemoryStore):
    """A store whose answers to some verbs are lost, after (or before) they took effect."""

    def __init__(self) -> None:
        super().__init__()
        self.lose: dict[str, int] = {}

    def answer(self, verb: str, done: Callable[[], Any]) -> Any:
        result = done()
        if self.lose.get(verb, 0):
            self.lose[verb] -= 1
            raise ConnectionLost(f"the answer to {verb} was lost")
        return result

    def claim(self, *args: Any, **options: Any) -> Any:
        return self.answer("claim", lambda: MemoryStore.claim(self, *args, **options))

    def finish(self, *args: Any, **options: Any) -> Any:
        return self.answer("finish", lambda: MemoryStore.finish(self, *args, **options))

    def release(self, *args: Any, **options: Any) -> Any:
        return self.answer("release", lambda: MemoryStore.release(self, *args, **options))

    def retry_later(self, *args: Any, **options: Any) -> Any:
        return self.answer("retry_later", lambda: MemoryStore.retry_later(self, *args, **options))

    def fail(self, *args: Any, **options: Any) -> Any:
        return self.answer("fail", lambda: MemoryStore.fail(self, *args, **options))


class Shop:
    """An application on such a store; `ran` are the numbers its jobs were given."""

    def __init__(self, **settings: Any) -> None:
        self.store = Deafening()
        self.app = bide.App("memory://", **settings)
        self.app.__dict__["store"] = self.store
        self.ran: list[int] = []
        self.told: list[tuple[str, dict[str, Any]]] = []

        @self.app.job
        def work(number: int) -> None:
            self.ran.append(number)

        @self.app.job
        def breaks(number: int) -> None:
            self.ran.append(number)
            raise ValueError(number)

        self.work, self.breaks = work, breaks

    def events(self, name: str) -> list[dict[str, Any]]:
        return [facts for told, facts in self.told if told == name]


@pytest.fixture
def make_shop() -> Iterator[Callable[..., Shop]]:
    ends = []

    def make(**settings: Any) -> Shop:
        shop = Shop(**settings)
        ends.append(events.subscribe(lambda name, facts: shop.told.append((name, facts))))
        return shop

    yield make
    for end in ends:
        end()


def test_jobs_of_a_claim_whose_answer_was_lost_are_released_and_run(
    make_shop: Callable[..., Shop],
) -> None:
    """Promise 1: nobody else rescues the jobs of a worker that lives."""
    shop = make_shop(heartbeat_interval=0.2, sleep_delay=0.1)
    shop.work.delay(1)
    shop.store.lose = {"claim": 1}
    worker = shop.app.worker()
    while not shop.ran:
        worker.work_off()
    assert shop.ran == [1]
    assert shop.app.store.attempts(1) == []


def test_a_stray_job_is_released_while_a_long_job_runs(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(heartbeat_interval=0.1)
    released: list[bool] = []

    @shop.app.job
    def long() -> None:
        stray = shop.work.delay(7)
        assert stray.id is not None
        [mine] = shop.store.workers()
        MemoryStore.claim(shop.store, WorkerRef(mine.id, mine.name), Wanted(), 1, clock.utc_now())
        while _state(shop, stray.id) == State.RUNNING:
            clock.sleep(0.01)
        released.append(True)

    long.delay()
    shop.app.worker().work_off()
    assert released == [True]
    assert shop.ran == [7]
    assert len(shop.events("strays")) == 1


def test_what_a_worker_holds_is_never_taken_for_a_stray(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(heartbeat_interval=0.001)
    for number in range(200):
        shop.work.delay(number)
    for number in range(5):
        shop.breaks.delay(number)
    assert shop.app.worker().work_off(300) == (200, 5)
    assert shop.events("strays") == []
    assert shop.events("lease_lost") == []


def test_a_job_that_may_have_been_given_away_is_not_started(make_shop: Callable[..., Shop]) -> None:
    """Promise 2."""
    shop = make_shop()
    worker, other = shop.app.worker(), shop.store.register("other", "elsewhere", 1, {})
    taken: list[JobRow] = []

    @shop.app.job
    def slow() -> None:
        assert worker.waits_behind()
        clock.sleep(RELIEF_AFTER)
        shop.store.lose = {"release": 1}
        worker.relieve()
        taken.extend(MemoryStore.claim(shop.store, other, Wanted(), 9, clock.utc_now()))

    for number in range(10):
        shop.work.delay(number)
    slow.delay()
    shop.work.delay(100)
    worker.work_off()
    assert len(taken) == 1
    assert shop.ran == list(range(10))
    assert _state(shop, taken[0].id) == State.RUNNING


@pytest.mark.parametrize("keep_finished", [0, 3600])
def test_a_finish_whose_answer_was_lost_is_no_lost_lease(
    make_shop: Callable[..., Shop], keep_finished: float
) -> None:
    shop = make_shop(keep_finished=keep_finished)
    shop.work.delay(1)
    shop.store.lose = {"finish": 2}
    assert shop.app.worker().work_off() == (1, 0)
    assert shop.events("lease_lost") == []


@pytest.mark.parametrize(
    "settings", [{}, {"max_attempts": 1}, {"max_attempts": 1, "destroy_failed_jobs": True}]
)
def test_a_failure_whose_answer_was_lost_is_recorded_once(
    make_shop: Callable[..., Shop], settings: dict[str, Any]
) -> None:
    shop = make_shop(**settings)
    job = shop.breaks.delay(1)
    shop.store.lose = {"retry_later": 1, "fail": 1}
    assert shop.app.worker().work_off() == (0, 1)
    assert shop.events("lease_lost") == []
    row = shop.store.get(job.id or 0)
    assert row is None or row.attempts == 1


def test_a_worker_that_was_given_up_enters_again_before_it_claims(
    make_shop: Callable[..., Shop],
) -> None:
    shop = make_shop()
    worker = shop.app.worker()

    @shop.app.job
    def suspended() -> None:
        shop.store.rescue(timedelta(0), clock.utc_now(), max_crashes=9, max_attempts=9)
        worker._reserver.known_until -= 3600

    suspended.delay()
    shop.work.delay(1)
    worker.work_off(2)
    assert len(shop.events("given_up")) == 1
    assert len(shop.events("lease_lost")) == 1
    assert shop.ran == [1]


def test_a_worker_of_a_fleet_heeds_its_keeper_before_the_next_job(
    make_shop: Callable[..., Shop],
) -> None:
    shop, slate = make_shop(), Slate(1)
    app, entry = shop.app, slate.entry(0)
    worker = Worker(app._home, app.lifecycle, app.settings, entry=entry)

    @app.job
    def suspended() -> None:
        shop.store.rescue(timedelta(0), clock.utc_now(), max_crashes=9, max_attempts=9)
        slate.entry(0).gave_up()

    suspended.delay()
    shop.work.delay(1)
    worker.work_off(2)
    assert len(shop.events("given_up")) == 1
    assert shop.ran == [1]


def test_nobody_is_rescued_for_his_silence_before_the_database_was_there_long_enough(
    make_shop: Callable[..., Shop],
) -> None:
    """Promise 4: after the database was away everybody has time to say that they live."""
    shop = make_shop(heartbeat_interval=0.05)
    house = Housekeeping(shop.app._home, shop.app.lifecycle, shop.app.settings, set)
    silent = shop.store.register("silent", "elsewhere", 1, {})
    while clock.utc_now() - shop.store.workers()[0].heartbeat_at < timedelta(seconds=0.2):
        clock.sleep(0.01)
    house.rescue()
    assert [row.id for row in shop.store.workers()] == [silent.id]
    while shop.store.workers():
        house.rescue()
        clock.sleep(0.05)


def test_a_database_that_was_away_or_frozen_must_answer_in_time_again() -> None:
    touch = Touch(0.05)

    def look() -> int:
        with touch:
            pass
        return touch.in_a_row

    assert [look(), look(), look()] == [1, 2, 3]
    with pytest.raises(ConnectionLost), touch:
        raise ConnectionLost("away")
    assert touch.in_a_row == 0
    assert look() == 1
    with touch:
        clock.sleep(0.06)
    assert touch.in_a_row == 0
    look()
    clock.sleep(0.2)
    assert look() == 1


def _state(shop: Shop, job_id: int) -> int | None:
    row = shop.store.get(job_id)
    return None if row is None else row.state
