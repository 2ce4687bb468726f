"""Fencing: a report counts for the lease that it names and the worker that holds it, or not at all."""

from __future__ import annotations

import pytest

from bide.jobs.job import Filter, State
from bide.jobs.store import Failure, Lease, Loss, Store, WorkerRef
from bide.testing.contract.acting import (
    HOUR,
    NOW,
    claim_one,
    enlist,
    finish,
    lease,
    present,
    put,
    rescue_from,
    state,
)


class LeaseContract:
    """A report counts for the lease it names, and for the worker that holds it."""

    def test_a_worker_cannot_report_for_another(self, store: Store) -> None:
        holder, stranger = enlist(store, "one"), enlist(store, "two")
        put(store)
        row = claim_one(store, holder)
        assert reports(store, stranger, lease(row)) == []
        assert present(store, row.id) == row

    def test_workers_of_one_name_are_two(self, store: Store) -> None:
        holder, namesake = enlist(store, "same"), enlist(store, "same")
        put(store)
        row = claim_one(store, holder)
        assert reports(store, namesake, lease(row)) == []
        assert present(store, row.id) == row

    @pytest.mark.parametrize("step", [-1, 1])
    def test_a_wrong_lease_has_no_effect(self, store: Store, step: int) -> None:
        worker = enlist(store)
        put(store)
        row = claim_one(store, worker)
        assert reports(store, worker, (row.id, row.lease + step)) == []
        assert present(store, row.id) == row

    def test_a_lease_given_back_is_over(self, store: Store) -> None:
        worker = enlist(store)
        put(store)
        row = claim_one(store, worker)
        store.release(worker, [lease(row)], NOW)
        assert reports(store, worker, lease(row)) == []
        assert state(store, row.id) == State.READY

    def test_claiming_again_does_not_revive_the_old_lease(self, store: Store) -> None:
        worker = enlist(store)
        put(store)
        old = claim_one(store, worker)
        store.release(worker, [lease(old)], NOW)
        new = claim_one(store, worker)
        assert new.lease > old.lease
        assert reports(store, worker, lease(old)) == []
        assert present(store, new.id) == new
        assert finish(store, worker, new) == {new.id}

    def test_a_worker_that_was_given_up_finishes_too_late(self, store: Store) -> None:
        """Promise 2: it can neither finish, fail nor delete the attempt of its successor."""
        late, successor = enlist(store, "late"), enlist(store, "successor")
        put(store)
        old = claim_one(store, late)
        rescue_from(store, late)
        assert reports(store, late, lease(old)) == []
        new = claim_one(store, successor)
        assert new.id == old.id
        assert reports(store, late, lease(old)) == []
        assert reports(store, late, lease(new)) == []
        assert present(store, new.id) == new
        assert finish(store, successor, new) == {new.id}

    def test_a_lost_lease_records_no_attempt(self, store: Store) -> None:
        late, job_id = enlist(store, "late"), put(store)
        old = claim_one(store, late)
        rescue_from(store, late)
        recorded = store.attempts(job_id)
        reports(store, late, lease(old))
        assert store.attempts(job_id) == recorded

    @pytest.mark.parametrize("keep", [False, True])
    def test_the_end_of_a_cancelled_job_is_ignored(self, store: Store, keep: bool) -> None:
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        assert store.cancel(Filter(ids=(job_id,)), NOW) == 1
        assert finish(store, worker, row, keep=keep) == set()
        assert state(store, job_id) == State.CANCELLED

    def test_a_job_cancelled_and_retried_belongs_to_its_new_worker(self, store: Store) -> None:
        old_worker, worker, job_id = enlist(store, "old"), enlist(store, "new"), put(store)
        old = claim_one(store, old_worker)
        store.cancel(Filter(ids=(job_id,)), NOW)
        store.retry(Filter(ids=(job_id,)), NOW)
        new = claim_one(store, worker)
        assert new.lease > old.lease
        assert reports(store, old_worker, lease(old)) == []
        assert present(store, job_id) == new
        assert finish(store, worker, new) == {job_id}

    def test_a_job_that_nobody_stored_has_no_lease(self, store: Store) -> None:
        assert reports(store, enlist(store), (10**9, 1)) == []


def reports(store: Store, worker: WorkerRef, held: Lease) -> list[str]:
    """Report every outcome for a lease; the names of those that had an effect."""
    job_id, number = held
    told = Failure(job_id, number, 1, "late", "ValueError", NOW, None)
    crashed = store.crashed(worker, held, Loss("gone"), NOW, limits=(3, 25))
    effects = {
        "finish": bool(store.finish(worker, [held], NOW, keep=False)),
        "keep": bool(store.finish(worker, [held], NOW, keep=True)),
        "retry_later": store.retry_later(worker, told._replace(run_at=NOW + HOUR), NOW),
        "fail": store.fail(worker, told, NOW, keep=True),
        "delete": store.fail(worker, told, NOW, keep=False),
        "release": bool(store.release(worker, [held], NOW)),
        "crashed": crashed is not None,
    }
    return [name for name, had in effects.items() if had]
