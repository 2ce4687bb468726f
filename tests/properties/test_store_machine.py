"""Promises 1 and 2 under every order of events: no job is lost, and an attempt that is over has no effect."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bide.jobs.job import UNFINISHED, Filter, JobRow, State
from bide.jobs.store import Failure, Loss, Rescued, Store, Wanted, WorkerRef
from bide.jobs.stores.memory import MemoryStore
from bide.jobs.stores.shelf import Shelf
from bide.testing.contract.acting import NOW, a_job
from stores import KINDS, opener

QUEUES = ("a", "b", "c")
AGES = timedelta(days=3650)
PATIENCE = {"max_crashes": 2, "max_attempts": 3}

queues = st.sampled_from(QUEUES)
priorities = st.integers(-1, 1)
seconds = st.integers(0, 3)
either = st.integers(0, 1)
wishes = st.sampled_from(
    [
        *[Wanted()] * 4,
        Wanted(queues=("a", "b")),
        Wanted(queues=("c",)),
        Wanted(except_queues=("a",)),
        Wanted(min_priority=0),
        Wanted(max_priority=0),
        Wanted(queues=("b", "c"), except_queues=("b",), min_priority=-1, max_priority=0),
    ]
)


@dataclass(eq=False)
class Worker:
    """A worker as the store and the model know it."""

    here: WorkerRef
    model: WorkerRef
    known: bool = True


@dataclass(eq=False)
class Attempt:
    """A claim that a worker may report on, now or much too late."""

    key: str
    worker: Worker
    here: tuple[int, int]
    model: tuple[int, int]
    live: bool = True


@dataclass
class Ledger:
    """What must be true, kept apart from every store: which jobs there are, and who runs them."""

    present: dict[str, int] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    running: dict[str, Attempt] = field(default_factory=dict)

    def starts(self, attempt: Attempt) -> None:
        assert attempt.key not in self.running, "a job was given out twice at a time"
        self.running[attempt.key] = attempt

    def ends(self, attempt: Attempt) -> None:
        attempt.live = False
        assert self.running.pop(attempt.key) is attempt

    def goes(self, key: str, why: str) -> None:
        assert key not in self.gone, "a job ended twice"
        self.gone[key] = why
        del self.present[key]


class StoreMachine(RuleBasedStateMachine):
    """Two handles on one store, driven together with a memory store as the model."""

    workers = Bundle("workers")
    attempts = Bundle("attempts")
    keys = Bundle("keys")

    def __init__(self, handles: list[Store]) -> None:
        super().__init__()
        self.handles = handles
        self.shelf = Shelf()
        self.model = MemoryStore(self.shelf)
        self.ledger = Ledger()
        self.model_ids: dict[str, int] = {}
        self.now = NOW
        clear(self.handles[0])

    @initialize(target=workers)
    def first_workers(self) -> Any:
        return multiple(self._register(0), self._register(1))

    def _register(self, via: int) -> Worker:
        args: tuple[str, str, int, dict[str, Any]] = ("worker", "host", 1, {})
        return Worker(self.handles[via].register(*args), self.model.register(*args))

    @rule(via=either, moment=seconds, limit=st.integers(0, 3))
    def time_passes(self, via: int, moment: int, limit: int) -> None:
        """And a keeper promotes some of what is due, or nobody does."""
        self.now += timedelta(seconds=moment)
        if limit:
            assert self.handles[via].promote(self.now, limit) <= limit

    @initialize(target=keys)
    def first_jobs(self) -> Any:
        return self.enqueue(0, ["a", "b", "a"], 0, None, None)

    @rule(
        target=keys,
        via=either,
        into=st.lists(queues, min_size=1, max_size=4),
        priority=priorities,
        delay=st.none() | seconds,
        limit=st.none() | st.integers(0, 3),
    )
    def enqueue(
        self, via: int, into: list[str], priority: int, delay: int | None, limit: int | None
    ) -> Any:
        """A batch, the first of it once more, and one that was stored long ago."""
        jobs = [
            a_job(
                queue=queue,
                priority=priority,
                created_at=self.now,
                run_at=None if delay is None else self.now + timedelta(seconds=delay),
                max_attempts=limit,
            )
            for queue in into
        ]
        known = next(iter(self.ledger.present), jobs[0].key)
        *new, again, old = self.handles[via].insert([*jobs, jobs[0], jobs[0]._replace(key=known)])
        assert (again, old) == (new[0], self.ledger.present.get(known, new[0]))
        for job, here, model in zip(jobs, new, self.model.insert(jobs), strict=True):
            self.ledger.present[job.key] = here
            self.model_ids[job.key] = model
        return multiple(*(job.key for job in jobs))

    @rule(target=attempts, via=either, worker=workers, wanted=wishes, limit=st.integers(1, 4))
    def claim(self, via: int, worker: Worker, wanted: Wanted, limit: int) -> Any:
        self.model.promote(self.now, 10**6)
        eligible = self.shelf.first_ready(wanted, self._paused(), 10**6)
        rows = self.handles[via].claim(worker.here, wanted, limit, self.now)
        assert len(rows) == min(limit, len(eligible)), "ready jobs were passed over"
        assert {row.key for row in rows} <= {row.key for row in eligible}
        assert [row.priority for row in rows] == [row.priority for row in eligible[: len(rows)]]
        return multiple(*(self._start(worker, row) for row in rows))

    @rule(target=attempts, via=either, worker=workers)
    def claim_anything(self, via: int, worker: Worker) -> Any:
        return self.claim(via, worker, Wanted(), 2)

    def _start(self, worker: Worker, row: JobRow) -> Attempt:
        """Let the model start the job that the store chose."""
        assert (row.state, row.worker_id) == (State.RUNNING, worker.here.id)
        model = self.shelf.rows[self.model_ids[row.key]]
        lease = model.lease + 1
        lock = {"locked_at": self.now, "locked_by": worker.model.name, "worker_id": worker.model.id}
        self.shelf.put(model._replace(state=State.RUNNING, lease=lease, **lock))
        attempt = Attempt(row.key, worker, (row.id, row.lease), (model.id, lease))
        self.ledger.starts(attempt)
        return attempt

    @rule(via=either, attempt=attempts, keep=st.booleans())
    def finish(self, via: int, attempt: Attempt, keep: bool) -> None:
        worker = attempt.worker
        done = self.handles[via].finish(worker.here, [attempt.here], self.now, keep=keep)
        self.model.finish(worker.model, [attempt.model], self.now, keep=keep)
        self._ended(attempt, bool(done), None if keep else "finished")

    @rule(via=either, attempt=attempts, then=st.sampled_from(["keep", "delete", 0, 2]))
    def fail(self, via: int, attempt: Attempt, then: Any) -> None:
        """For good, or to be tried again in `then` seconds."""
        run_at = None if isinstance(then, str) else self.now + timedelta(seconds=then)
        row = self.shelf.rows.get(attempt.model[0])
        attempts = 0 if row is None else row.attempts + 1
        model = Failure(*attempt.model, attempts, "broke", "ValueError", self.now, run_at)
        here = model._replace(id=attempt.here[0], lease=attempt.here[1])
        store, worker = self.handles[via], attempt.worker
        if run_at is None:
            done = store.fail(worker.here, here, self.now, keep=then == "keep")
            self.model.fail(worker.model, model, self.now, keep=then == "keep")
        else:
            done = store.retry_later(worker.here, here, self.now)
            self.model.retry_later(worker.model, model, self.now)
        self._ended(attempt, done, "failed" if then == "delete" else None)

    @rule(via=either, attempt=attempts)
    def release(self, via: int, attempt: Attempt) -> None:
        worker = attempt.worker
        done = self.handles[via].release(worker.here, [attempt.here], self.now)
        self.model.release(worker.model, [attempt.model], self.now)
        self._ended(attempt, bool(done), None)

    @rule(via=either, attempt=attempts)
    def child_dies(self, via: int, attempt: Attempt) -> None:
        worker, limits = attempt.worker, (PATIENCE["max_crashes"], PATIENCE["max_attempts"])
        told: tuple[Any, ...] = (Loss("killed"), self.now)
        here = self.handles[via].crashed(worker.here, attempt.here, *told, limits=limits)
        model = self.model.crashed(worker.model, attempt.model, *told, limits=limits)
        assert outcome(here) == outcome(model)
        self._ended(attempt, here is not None, None)

    def _ended(self, attempt: Attempt, had_effect: bool, gone: str | None) -> None:
        """A report has an effect exactly when its attempt is the live one."""
        assert had_effect is attempt.live
        if had_effect:
            self.ledger.ends(attempt)
            if gone:
                self.ledger.goes(attempt.key, gone)

    @rule(target=workers, via=either, dead=workers)
    def worker_dies(self, via: int, dead: Worker) -> Worker:
        """It may still believe that it lives, claim and report late. Another takes its place."""
        lost = {
            key for key, attempt in self.ledger.running.items() if not self._lives(attempt, dead)
        }
        here = self.handles[via].rescue(AGES, self.now, **PATIENCE, dead=[dead.here.id])
        model = self.model.rescue(AGES, self.now, **PATIENCE, dead=[dead.model.id])
        assert sorted(map(outcome, here)) == sorted(map(outcome, model))
        assert {one.id for one in here} == {self.ledger.present[key] for key in lost}
        dead.known = False
        for key in lost:
            self.ledger.ends(self.ledger.running[key])
        return self._register(via)

    def _lives(self, attempt: Attempt, dead: Worker) -> bool:
        return attempt.worker.known and attempt.worker is not dead

    @rule(target=workers, via=either, worker=consumes(workers))
    def retire(self, via: int, worker: Worker) -> Worker:
        assert self.handles[via].heartbeat(worker.here) is worker.known
        held = [a for a in self.ledger.running.values() if a.worker is worker]
        assert self.handles[via].retire(worker.here, self.now) == len(held)
        self.model.retire(worker.model, self.now)
        worker.known = False
        for attempt in held:
            self.ledger.ends(attempt)
        assert not self.handles[via].heartbeat(worker.here)
        return self._register(via)

    @rule(via=either, queue=queues, pause=st.booleans())
    def pause_or_resume(self, via: int, queue: str, pause: bool) -> None:
        here = self.handles[via]
        if pause:
            assert here.pause(queue, self.now) is self.model.pause(queue, self.now)
        else:
            assert here.resume(queue) is self.model.resume(queue)

    def _paused(self) -> set[str]:
        return {queue.name for queue in self.model.queues() if queue.paused_at}

    @rule(via=either, key=keys, verb=st.sampled_from(["cancel", "delete", "retry", "count on"]))
    def operate(self, via: int, key: str, verb: str) -> None:
        here = Filter(ids=(self.ledger.present.get(key, 10**9),))
        model = Filter(ids=(self.model_ids[key],))
        for store in (self.handles[via], self.model):
            store.promote(self.now, 10**6)
        changed = operated(self.handles[via], verb, here, self.now)
        assert changed == operated(self.model, verb, model, self.now)
        if verb in ("cancel", "delete") and key in self.ledger.running:
            self.ledger.ends(self.ledger.running[key])
        if verb == "delete" and key in self.ledger.present:
            self.ledger.goes(key, "deleted")

    @rule(
        via=either,
        key=keys,
        queue=st.none() | queues,
        priority=st.none() | priorities,
        delay=st.none() | seconds,
    )
    def change(
        self, via: int, key: str, queue: str | None, priority: int | None, delay: int | None
    ) -> None:
        if key in self.ledger.present:
            run_at = None if delay is None else self.now + timedelta(seconds=delay)
            edits: dict[str, Any] = {"queue": queue, "priority": priority, "run_at": run_at}
            here = self.handles[via].change(self.ledger.present[key], self.now, **edits)
            assert here is self.model.change(self.model_ids[key], self.now, **edits)

    @rule(via=either, states=st.sets(st.sampled_from(State)))
    def prune(self, via: int, states: set[State]) -> None:
        pruned = self.handles[via].prune(self.now, states=states)
        assert pruned == self.model.prune(self.now, states=states)
        for key in list(self.ledger.present):
            if self.model_ids[key] not in self.shelf.rows:
                self.ledger.goes(key, "pruned")

    @invariant()
    def the_promises_hold(self) -> None:
        rows = {row.key: row for row in self.handles[0].find(Filter(), limit=10_000)}
        self._no_job_is_lost(rows)
        self._what_runs_is_what_was_claimed(rows)
        self._every_job_is_as_the_model_has_it(rows)

    def _no_job_is_lost(self, rows: dict[str, JobRow]) -> None:
        """Promise 1: every job is unfinished, kept, finished once or deliberately deleted."""
        assert {key: row.id for key, row in rows.items()} == self.ledger.present
        assert self.ledger.present.keys().isdisjoint(self.ledger.gone)
        assert len(self.ledger.present) + len(self.ledger.gone) == len(self.model_ids)

    def _what_runs_is_what_was_claimed(self, rows: dict[str, JobRow]) -> None:
        """Promise 2: one live attempt per job, that of the last claim."""
        running = {
            key: (row.id, row.lease, row.worker_id)
            for key, row in rows.items()
            if row.state == State.RUNNING
        }
        expected = self.ledger.running.items()
        assert running == {key: (*one.here, one.worker.here.id) for key, one in expected}

    def _every_job_is_as_the_model_has_it(self, rows: dict[str, JobRow]) -> None:
        for key, row in rows.items():
            model = self.shelf.rows[self.model_ids[key]]
            assert seen(row, self.now) == seen(model, self.now)

    def teardown(self) -> None:
        """What is left when all is over can still be worked off."""
        if sys.exception() is None:
            self._errors_are_recorded()
            self._work_off()

    def _errors_are_recorded(self) -> None:
        for key, job_id in self.ledger.present.items():
            here = self.handles[0].attempts(job_id)
            model = self.model.attempts(self.model_ids[key])
            assert [(one.attempt, one.kind) for one in here] == [
                (one.attempt, one.kind) for one in model
            ]

    def _work_off(self) -> None:
        store = self.handles[1]
        for queue in QUEUES:
            store.resume(queue)
        everyone = [worker.id for worker in store.workers()]
        store.rescue(AGES, self.now, max_crashes=10**6, max_attempts=10**6, dead=everyone)
        worker = store.register("last", "host", 1, {})
        while rows := store.claim(worker, Wanted(), 7, self.now + AGES):
            leases = [(row.id, row.lease) for row in rows]
            assert len(store.finish(worker, leases, self.now, keep=False)) == len(rows)
        assert store.count(Filter(states=UNFINISHED)) == 0


def operated(store: Store, verb: str, which: Filter, now: datetime) -> int:
    """Do what an operator asked; how many jobs it changed."""
    if verb == "cancel":
        return store.cancel(which, now)
    if verb == "delete":
        return store.delete(which)
    return store.retry(which, now, reset_attempts=verb == "retry")


def clear(store: Store) -> None:
    """Empty the store, so that one database serves all examples."""
    store.delete(Filter())
    for worker in store.workers():
        store.retire(WorkerRef(worker.id, worker.name), NOW)
    for queue in store.queues():
        store.resume(queue.name)


def outcome(rescued: Rescued | None) -> tuple[Any, ...]:
    """A rescue without the numbers that every store gives out by itself."""
    return () if rescued is None else rescued[1:3] + rescued[4:]


def seen(row: JobRow, now: datetime) -> tuple[Any, ...]:
    """A row as far as all stores agree; whether a due job was promoted yet is each store's business."""
    due = row.state == State.SCHEDULED and row.run_at <= now
    state = State.READY if due else State(row.state)
    return (
        state,
        row.name,
        row.queue,
        row.priority,
        row.payload,
        row.attempts,
        row.crashes,
        row.max_attempts,
        row.run_at,
        row.locked_at,
        row.locked_by,
        row.failed_at,
        row.finished_at,
        row.last_error is None,
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_no_order_of_events_loses_a_job_or_runs_it_twice_at_a_time(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """Promises 1 and 2."""
    make_store = opener(kind, request)
    handles = [make_store(), make_store()]
    run_state_machine_as_test(
        lambda: StoreMachine(handles),
        settings=settings(
            max_examples=200 if kind == "memory" else 20,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    for handle in handles:
        handle.close()
