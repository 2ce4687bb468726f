"""What jobs returned: kept with the job from its end until its time is over."""

from __future__ import annotations

from datetime import datetime

from bide.jobs.job import Filter, JobRow, Result, State
from bide.jobs.store import Store, WorkerRef
from bide.testing.contract.acting import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    claim,
    claim_one,
    enlist,
    finish,
    present,
    put,
    put_many,
)


def result_of(row: JobRow, value: str = "42", keep_until: datetime = NOW + HOUR) -> Result:
    """What one attempt returned."""
    return Result(row.id, row.lease, NOW - SECOND, value, keep_until)


def finish_with(store: Store, worker: WorkerRef, *results: Result) -> set[int]:
    """Report attempts with what they returned."""
    return store.finish_with_results(worker, results, NOW)


class ResultsContract:
    """`finish_with_results`, `result` and `expire`."""

    def test_a_result_is_kept_with_its_job(self, store: Store) -> None:
        worker, job_id = enlist(store, "anna"), put(store)
        told = result_of(claim_one(store, worker), '["\\u00fc", "\U0001f600"]')
        assert finish_with(store, worker, told) == {job_id}
        row = present(store, job_id)
        assert (row.state, row.finished_at) == (State.SUCCEEDED, NOW)
        assert (row.locked_at, row.locked_by, row.worker_id) == (None, None, None)
        kept = store.result(job_id)
        assert kept == (job_id, "anna", NOW - SECOND, told.value, NOW + HOUR)

    def test_who_keeps_no_result_has_none(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        assert store.result(job_id) is None
        finish(store, worker, claim_one(store, worker), keep=True)
        assert store.result(job_id) is None
        assert store.result(10**9) is None

    def test_no_results_are_harmless(self, store: Store) -> None:
        assert finish_with(store, enlist(store)) == set()

    def test_a_result_without_its_lease_is_refused(self, store: Store) -> None:
        worker, other = enlist(store), enlist(store, "other")
        put_many(store, 3)
        good, lost, cancelled = claim(store, worker)
        store.cancel(Filter(ids=(cancelled.id,)), NOW)
        late = result_of(lost)._replace(lease=lost.lease - 1)
        told = [late, result_of(cancelled), result_of(good)]
        assert finish_with(store, worker, *told) == {good.id}
        assert finish_with(store, other, result_of(lost)) == set()
        assert [store.result(row.id) is None for row in (good, lost, cancelled)] == [
            False,
            True,
            True,
        ]

    def test_a_result_is_written_once(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        assert finish_with(store, worker, result_of(row)) == {job_id}
        assert finish_with(store, worker, result_of(row, "43")) == set()
        kept = store.result(job_id)
        assert kept is not None
        assert kept.value == "42"

    def test_a_result_goes_with_its_job(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        finish_with(store, worker, result_of(claim_one(store, worker)))
        assert store.delete(Filter(ids=(job_id,))) == 1
        assert store.result(job_id) is None

    def test_results_expire_at_their_own_moment(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 3)
        soon, later, plain = claim(store, worker)
        finish(store, worker, plain, keep=True)
        told = [result_of(soon, keep_until=NOW + MINUTE), result_of(later)]
        finish_with(store, worker, *told)
        assert store.expire(NOW + MINUTE) == 0
        assert store.expire(NOW + MINUTE + SECOND) == 1
        assert (store.get(soon.id), store.result(soon.id)) == (None, None)
        assert store.result(later.id) is not None
        assert store.expire(NOW + 2 * HOUR) == 1
        assert present(store, plain.id).state == State.SUCCEEDED

    def test_results_expire_some_at_a_time_the_oldest_first(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 3)
        rows = claim(store, worker)
        moments = [NOW + 3 * SECOND, NOW + SECOND, NOW + 2 * SECOND]
        finish_with(
            store,
            worker,
            *(result_of(row, keep_until=moment) for row, moment in zip(rows, moments, strict=True)),
        )
        assert store.expire(NOW + HOUR, limit=2) == 2
        assert store.result(rows[0].id) is not None
        assert store.expire(NOW + HOUR, limit=2) == 1

    def test_pruning_leaves_jobs_whose_results_are_kept(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 2)
        kept, plain = claim(store, worker)
        finish(store, worker, plain, keep=True)
        finish_with(store, worker, result_of(kept))
        assert store.prune(NOW + HOUR, states=(State.SUCCEEDED,)) == 1
        assert store.get(plain.id) is None
        assert store.result(kept.id) is not None
