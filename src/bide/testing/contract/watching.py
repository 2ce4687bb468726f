"""Workers: who lives, who left, and what becomes of the jobs of the dead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bide import clock
from bide.jobs.job import Filter, State
from bide.jobs.store import Loss, Rescued, Store, WorkerRef
from bide.testing.contract.acting import (
    HOUR,
    NOW,
    SECOND,
    claim,
    claim_one,
    claimable,
    enlist,
    failure,
    finish,
    lease,
    present,
    put,
    put_many,
    rescue_from,
    seconds_since,
    state,
)


class WatchingContract:
    """`register`, `heartbeat`, `retire` and `workers`."""

    def test_a_registered_worker_is_listed(self, store: Store) -> None:
        worker = store.register("ada", "host-1", 4711, {"queues": ["mail"], "pids": [1, 2]})
        assert worker.name == "ada"
        [row] = store.workers()
        assert (row.id, row.name, row.host, row.pid) == (worker.id, "ada", "host-1", 4711)
        assert row.info == {"queues": ["mail"], "pids": [1, 2]}
        assert row.started_at.utcoffset() == row.heartbeat_at.utcoffset() == timedelta(0)

    def test_workers_are_listed_oldest_first(self, store: Store) -> None:
        names = ["one", "two", "three"]
        for name in names:
            enlist(store, name)
        assert [row.name for row in store.workers()] == names

    def test_a_name_registered_again_is_a_new_worker(self, store: Store) -> None:
        assert enlist(store, "same").id != enlist(store, "same").id

    def test_registering_again_leaves_the_jobs_of_the_earlier_life_to_rescue(
        self, store: Store
    ) -> None:
        earlier, job_id = enlist(store, "same"), put(store)
        row = claim_one(store, earlier)
        enlist(store, "same")
        assert present(store, job_id) == row
        [rescued] = rescue_from(store, earlier)
        assert rescued.id == job_id

    def test_the_heartbeat_of_a_registered_worker_is_heard(self, store: Store) -> None:
        worker = enlist(store)
        [before] = store.workers()
        assert store.heartbeat(worker)
        [after] = store.workers()
        assert after.heartbeat_at >= before.heartbeat_at
        assert after.info == before.info

    def test_a_heartbeat_may_tell_what_is_new(self, store: Store) -> None:
        worker = store.register("ada", "host", 1, {"jobs": 0})
        assert store.heartbeat(worker, {"jobs": 7, "queues": None})
        assert [row.info for row in store.workers()] == [{"jobs": 7, "queues": None}]

    def test_a_worker_that_was_given_up_learns_it_from_its_heartbeat(self, store: Store) -> None:
        worker = enlist(store)
        rescue_from(store, worker)
        assert not store.heartbeat(worker)
        assert not store.heartbeat(worker, {"still": "here"})
        assert store.workers() == []

    def test_a_worker_never_registered_is_not_heard(self, store: Store) -> None:
        assert not store.heartbeat(WorkerRef(10**6, "nobody"))

    def test_a_worker_that_was_given_up_can_register_anew(self, store: Store) -> None:
        worker = enlist(store)
        rescue_from(store, worker)
        assert store.heartbeat(enlist(store))

    def test_a_retiring_worker_gives_its_jobs_back_with_no_attempt_counted(
        self, store: Store
    ) -> None:
        """DJ-048, DJ-286, DJ-560."""
        worker, new = enlist(store), put_many(store, 3)
        claim(store, worker)
        assert store.retire(worker, NOW) == 3
        rows = [present(store, job_id) for job_id in new]
        assert {(row.state, row.attempts, row.crashes) for row in rows} == {(State.READY, 0, 0)}
        assert {(row.locked_at, row.locked_by, row.worker_id) for row in rows} == {
            (None, None, None)
        }
        assert store.workers() == []
        assert sorted(claimable(store)) == new

    def test_what_a_worker_holds_can_be_asked(self, store: Store) -> None:
        worker, other = enlist(store, "ada"), enlist(store, "bob")
        put_many(store, 4)
        first, second, third = claim(store, worker, 3)
        theirs = claim_one(store, other)
        assert sorted(store.held(worker)) == [lease(first), lease(second), lease(third)]
        assert store.held(other) == [lease(theirs)]
        finish(store, worker, first, keep=True)
        store.release(worker, [lease(second)], NOW)
        store.retry_later(worker, failure(third, run_at=NOW + HOUR), NOW)
        assert store.held(worker) == []

    def test_a_retired_worker_is_not_heard_any_more(self, store: Store) -> None:
        worker = enlist(store)
        assert store.retire(worker, NOW) == 0
        assert not store.heartbeat(worker)
        assert store.retire(worker, NOW) == 0

    def test_retiring_touches_nobody_elses_jobs(self, store: Store) -> None:
        """DJ-049."""
        one, two = enlist(store, "same"), enlist(store, "same")
        put_many(store, 2)
        claim_one(store, one)
        theirs = claim_one(store, two)
        assert store.retire(one, NOW) == 1
        assert present(store, theirs.id) == theirs
        assert store.heartbeat(two)

    def test_retiring_leaves_kept_jobs_as_they_are(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        finish(store, worker, claim_one(store, worker), keep=True)
        assert store.retire(worker, NOW) == 0
        assert state(store, job_id) == State.SUCCEEDED


class RescueContract:
    """`rescue` and `crashed`."""

    def test_the_jobs_of_a_dead_worker_are_ready_again(self, store: Store) -> None:
        """Promise 4, DJ-559."""
        worker, job_id = enlist(store, "ada"), put(store, name="greet", queue="mail")
        row = claim_one(store, worker)
        assert rescue_from(store, worker) == [
            Rescued(job_id, "greet", "mail", row.lease, 1, 1, "ada", failed=False)
        ]
        row = present(store, job_id)
        assert (row.state, row.attempts, row.crashes) == (State.READY, 1, 1)
        assert (row.locked_at, row.locked_by, row.worker_id) == (None, None, None)
        assert claimable(store) == [job_id]

    def test_a_rescue_is_recorded_as_a_failed_attempt(self, store: Store) -> None:
        worker, job_id = enlist(store, "ada"), put(store)
        row = claim_one(store, worker)
        rescue_from(store, worker)
        [attempt] = store.attempts(job_id)
        assert (attempt.attempt, attempt.lease, attempt.worker) == (1, row.lease, "ada")
        assert (attempt.kind, attempt.ended_at) == ("crash", NOW)
        assert attempt.error
        assert present(store, job_id).last_error

    def test_the_dead_are_forgotten_and_the_living_are_not(self, store: Store) -> None:
        dead, living = enlist(store, "dead"), enlist(store, "living")
        put_many(store, 2)
        lost, running = claim_one(store, dead), claim_one(store, living)
        assert [rescued.id for rescued in rescue_from(store, dead)] == [lost.id]
        assert [row.name for row in store.workers()] == ["living"]
        assert present(store, running.id) == running

    def test_a_worker_is_rescued_once(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 3)
        claim(store, worker)
        assert len(rescue_from(store, worker)) == 3
        assert rescue_from(store, worker) == []

    def test_nobody_dead_means_nothing_to_rescue(self, store: Store) -> None:
        worker = enlist(store)
        put(store)
        row = claim_one(store, worker)
        assert rescue_from(store) == []
        assert present(store, row.id) == row
        assert store.heartbeat(worker)

    def test_a_worker_is_dead_when_it_was_silent_too_long(self, store: Store) -> None:
        """By the database's clock; one that goes on with its heartbeat lives."""
        silent, living = enlist(store, "silent"), enlist(store, "living")
        put_many(store, 2)
        lost, running = claim_one(store, silent), claim_one(store, living)
        rescued: list[Rescued] = []
        start = clock.monotonic()
        while not rescued and seconds_since(start) < 20:
            assert store.heartbeat(living)
            rescued = store.rescue(SECOND, NOW, max_crashes=3, max_attempts=25)
        assert [(one.id, one.worker) for one in rescued] == [(lost.id, "silent")]
        assert present(store, running.id) == running
        assert [row.name for row in store.workers()] == ["living"]

    def test_the_jobs_of_a_worker_that_is_not_registered_are_taken(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        store.retire(worker, NOW)
        claim_one(store, worker)
        assert [rescued.id for rescued in rescue_from(store)] == [job_id]

    def test_a_dead_worker_without_jobs_goes_too(self, store: Store) -> None:
        assert rescue_from(store, enlist(store)) == []
        assert store.workers() == []

    def test_rescued_jobs_may_be_many(self, store: Store) -> None:
        worker, new = enlist(store), put_many(store, 3_000)
        claim(store, worker, 3_000)
        assert {rescued.id for rescued in rescue_from(store, worker)} == set(new)
        assert store.count(Filter(states=(State.READY,))) == 3_000

    def test_rescue_leaves_ended_jobs_alone(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        finish(store, worker, claim_one(store, worker), keep=True)
        before = present(store, job_id)
        assert rescue_from(store, worker) == []
        assert present(store, job_id) == before

    def test_a_job_that_keeps_killing_its_worker_ends_failed(self, store: Store) -> None:
        """Promise 4."""
        job_id = put(store)
        outcomes = [_crash_once(store, max_crashes=3) for _ in range(3)]
        assert [(one.crashes, one.failed) for one in outcomes] == [
            (1, False),
            (2, False),
            (3, True),
        ]
        row = present(store, job_id)
        assert (row.state, row.attempts, row.crashes) == (State.FAILED, 3, 3)
        assert row.failed_at == row.finished_at == NOW
        assert row.last_error
        assert len(store.attempts(job_id)) == 3

    def test_crashes_count_as_attempts(self, store: Store) -> None:
        put(store)
        outcomes = [_crash_once(store, max_crashes=9, max_attempts=2) for _ in range(2)]
        assert [(one.attempts, one.failed) for one in outcomes] == [(1, False), (2, True)]

    def test_failures_and_crashes_count_together(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        store.retry_later(worker, failure(claim_one(store, worker), run_at=NOW), NOW)
        rescued = _crash_once(store, max_crashes=9, max_attempts=2)
        assert (rescued.attempts, rescued.crashes, rescued.failed) == (2, 1, True)
        assert state(store, job_id) == State.FAILED

    @pytest.mark.parametrize(("own", "failed"), [(0, True), (1, True), (2, False), (99, False)])
    def test_the_jobs_own_max_attempts_goes_before_the_given_one(
        self, store: Store, own: int, failed: bool
    ) -> None:
        """DJ-055, DJ-056, DJ-526."""
        put(store, max_attempts=own)
        assert _crash_once(store, max_crashes=9, max_attempts=1).failed is failed

    def test_a_rescue_may_fail_some_and_free_others(self, store: Store) -> None:
        worker = enlist(store)
        last, more = put(store, max_attempts=1), put(store, max_attempts=2)
        claim(store, worker)
        outcome = {one.id: one.failed for one in rescue_from(store, worker)}
        assert outcome == {last: True, more: False}
        assert (state(store, last), state(store, more)) == (State.FAILED, State.READY)

    def test_a_crash_counts_on_the_job_that_ran(self, store: Store) -> None:
        """Promise 4: the parent saw its child die, the worker itself lives."""
        worker = enlist(store, "ada")
        put_many(store, 2)
        running, waiting = claim(store, worker)
        told = store.crashed(
            worker, lease(running), Loss("SIGKILL, 2 GiB"), NOW + SECOND, limits=(3, 25)
        )
        assert told == Rescued(
            running.id, "greet", "default", running.lease, 1, 1, "ada", failed=False
        )
        row = present(store, running.id)
        assert (row.state, row.last_error) == (State.READY, "SIGKILL, 2 GiB")
        [attempt] = store.attempts(running.id)
        assert (attempt.kind, attempt.error) == ("crash", "SIGKILL, 2 GiB")
        assert attempt.ended_at == NOW + SECOND
        assert present(store, waiting.id) == waiting
        assert store.heartbeat(worker)

    def test_a_crash_may_be_recorded_as_a_timeout(self, store: Store) -> None:
        """The job ignored its limit, so that its whole process had to be killed."""
        worker, job_id = enlist(store), put(store)
        held = lease(claim_one(store, worker))
        assert store.crashed(worker, held, Loss("ignored", "timeout"), NOW, limits=(3, 25))
        [attempt] = store.attempts(job_id)
        assert (attempt.kind, present(store, job_id).crashes) == ("timeout", 1)

    @pytest.mark.parametrize("limits", [(1, 25), (3, 1)])
    def test_a_crash_over_the_limits_ends_the_job(
        self, store: Store, limits: tuple[int, int]
    ) -> None:
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        rescued = store.crashed(worker, lease(row), Loss("SIGSEGV"), NOW + HOUR, limits=limits)
        assert rescued is not None
        assert rescued.failed
        row = present(store, job_id)
        assert (row.state, row.failed_at, row.last_error) == (State.FAILED, NOW + HOUR, "SIGSEGV")

    def test_a_crash_is_counted_once(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        assert store.crashed(worker, lease(row), Loss("SIGKILL"), NOW, limits=(3, 25))
        assert store.crashed(worker, lease(row), Loss("SIGKILL"), NOW, limits=(3, 25)) is None
        rescue_from(store, worker)
        assert present(store, job_id).crashes == 1


def _crash_once(store: Store, *, max_crashes: int, max_attempts: int = 25) -> Rescued:
    worker = enlist(store, "doomed")
    claim_one(store, worker)
    [rescued] = rescue_from(store, worker, max_crashes=max_crashes, max_attempts=max_attempts)
    return rescued
