"""What became of a job: finished, failed, to be tried again, given back; each for one lease only."""

from __future__ import annotations

import pytest

from bide.jobs.job import Filter, State
from bide.jobs.store import Store
from bide.testing.contract.acting import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    claim,
    claim_one,
    claimable,
    enlist,
    fail,
    failure,
    finish,
    lease,
    present,
    put,
    put_many,
    state,
)


class ReportingContract:
    """`finish`, `retry_later`, `fail` and `release`."""

    def test_a_finished_job_is_deleted(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        assert finish(store, worker, claim_one(store, worker)) == {job_id}
        assert store.get(job_id) is None

    def test_a_finished_job_can_be_kept(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        finish(store, worker, claim_one(store, worker), keep=True)
        row = present(store, job_id)
        assert row.state == State.SUCCEEDED
        assert (row.attempts, row.finished_at, row.failed_at) == (0, NOW, None)
        assert (row.locked_at, row.locked_by, row.worker_id) == (None, None, None)

    def test_finishing_leaves_other_jobs_alone(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 3)
        first, second, third = claim(store, worker)
        assert finish(store, worker, first, third) == {first.id, third.id}
        assert present(store, second.id) == second

    def test_finishing_nothing_is_harmless(self, store: Store) -> None:
        assert store.finish(enlist(store), [], NOW, keep=False) == set()

    @pytest.mark.parametrize("keep", [False, True])
    def test_a_job_is_finished_once(self, store: Store, keep: bool) -> None:
        worker = enlist(store)
        put(store)
        row = claim_one(store, worker)
        assert finish(store, worker, row, row, keep=keep) == {row.id}
        assert finish(store, worker, row, keep=keep) == set()

    def test_lost_and_good_leases_may_come_in_one_report(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 2)
        good, lost = claim(store, worker)
        store.delete(Filter(ids=(lost.id,)))
        assert finish(store, worker, lost, good) == {good.id}

    def test_a_failed_attempt_is_counted_and_tried_again_later(self, store: Store) -> None:
        """DJ-072, DJ-073, DJ-080, DJ-083."""
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        told = failure(row, attempts=1, error="no luck\nline 2", run_at=NOW + 6 * SECOND)
        assert store.retry_later(worker, told, NOW)
        row = present(store, job_id)
        assert row.state == State.SCHEDULED
        assert (row.attempts, row.run_at) == (1, NOW + 6 * SECOND)
        assert row.last_error == "no luck\nline 2"
        assert (row.locked_at, row.locked_by, row.worker_id) == (None, None, None)
        assert (row.failed_at, row.finished_at) == (None, None)

    def test_a_retried_job_waits_for_its_moment(self, store: Store) -> None:
        """DJ-072, DJ-073."""
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        store.retry_later(worker, failure(row, run_at=NOW + MINUTE), NOW)
        assert claim(store, worker, now=NOW + MINUTE - SECOND) == []
        again = claim_one(store, worker, now=NOW + MINUTE)
        assert (again.id, again.attempts) == (job_id, 1)
        assert again.lease > row.lease

    def test_a_job_to_be_tried_again_at_once_stands_behind_the_ready_ones(
        self, store: Store
    ) -> None:
        worker, retried = enlist(store), put(store)
        row = claim_one(store, worker)
        waiting = put(store)
        assert store.retry_later(worker, failure(row, run_at=NOW), NOW)
        assert state(store, retried) == State.READY
        assert claimable(store) == [waiting, retried]

    def test_the_last_failure_keeps_the_job_as_failed(self, store: Store) -> None:
        """DJ-071, DJ-082, DJ-556: the lock goes, also of a kept failure."""
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        told = failure(row, attempts=25, error="for good")
        assert store.fail(worker, told, NOW + SECOND, keep=True)
        row = present(store, job_id)
        assert row.state == State.FAILED
        assert (row.attempts, row.last_error) == (25, "for good")
        assert row.failed_at == row.finished_at == NOW + SECOND
        assert (row.locked_at, row.locked_by, row.worker_id) == (None, None, None)

    def test_the_last_failure_can_delete_the_job(self, store: Store) -> None:
        """DJ-078."""
        worker, job_id = enlist(store), put(store)
        assert fail(store, worker, claim_one(store, worker), keep=False)
        assert store.get(job_id) is None

    def test_every_failed_attempt_is_recorded(self, store: Store) -> None:
        """DJ-071, DJ-072."""
        worker, job_id = enlist(store, "ada"), put(store)
        first = claim_one(store, worker)
        told = failure(first, error="one", kind="KeyError", started_at=NOW, run_at=NOW + SECOND)
        store.retry_later(worker, told, NOW + SECOND)
        second = claim_one(store, worker, now=NOW + MINUTE)
        told = failure(second, error="two", kind="WorkerTimeout", started_at=NOW + MINUTE)
        store.fail(worker, told, NOW + HOUR, keep=True)
        one, two = store.attempts(job_id)
        assert (one.attempt, one.lease, one.worker) == (1, first.lease, "ada")
        assert (one.kind, one.error) == ("KeyError", "one")
        assert (one.started_at, one.ended_at) == (NOW, NOW + SECOND)
        assert (two.attempt, two.lease, two.kind, two.error) == (
            2,
            second.lease,
            "WorkerTimeout",
            "two",
        )
        assert (two.started_at, two.ended_at) == (NOW + MINUTE, NOW + HOUR)

    def test_an_attempt_that_never_started_has_no_start(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        store.fail(worker, failure(row, started_at=None), NOW, keep=True)
        assert [attempt.started_at for attempt in store.attempts(job_id)] == [None]

    def test_a_job_that_never_failed_has_no_attempts(self, store: Store) -> None:
        assert store.attempts(put(store)) == []

    def test_a_job_given_back_is_ready_with_no_attempt_counted(self, store: Store) -> None:
        """DJ-048, DJ-050, DJ-304, DJ-558."""
        worker, job_id = enlist(store), put(store)
        assert store.release(worker, [lease(claim_one(store, worker))], NOW) == {job_id}
        row = present(store, job_id)
        assert (row.state, row.attempts, row.crashes) == (State.READY, 0, 0)
        assert (row.locked_at, row.locked_by, row.worker_id) == (None, None, None)
        assert (row.run_at, row.last_error) == (NOW, None)
        assert claimable(store) == [job_id]

    def test_a_job_given_back_stands_behind_the_ready_ones(self, store: Store) -> None:
        worker, released = enlist(store), put(store)
        row = claim_one(store, worker)
        waiting = put(store)
        store.release(worker, [lease(row)], NOW)
        assert claimable(store) == [waiting, released]

    def test_only_what_is_held_is_given_back(self, store: Store) -> None:
        """DJ-049, DJ-304."""
        one, two = enlist(store, "one"), enlist(store, "two")
        put_many(store, 2)
        mine, theirs = claim_one(store, one), claim_one(store, two)
        assert store.release(one, [lease(mine), lease(theirs)], NOW) == {mine.id}
        assert state(store, theirs.id) == State.RUNNING

    def test_a_job_deleted_while_running_finishes_without_a_trace(self, store: Store) -> None:
        """DJ-531."""
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        assert store.delete(Filter(ids=(job_id,))) == 1
        assert finish(store, worker, row) == set()
        assert not fail(store, worker, row)
        assert store.get(job_id) is None
        assert store.attempts(job_id) == []
