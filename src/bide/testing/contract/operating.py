"""What an operator does: retry, cancel, delete, change, prune."""

from __future__ import annotations

from typing import Any

import pytest

from bide.jobs.job import Filter, State
from bide.jobs.store import Store
from bide.testing.contract.acting import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    claim_one,
    claimable,
    enlist,
    fail,
    failed_job,
    failure,
    finish,
    present,
    put,
    put_many,
    rescue_from,
    state,
)

EVERYTHING = Filter()


class OperatingContract:
    """`retry`, `cancel`, `delete`, `change` and `prune`."""

    def test_a_failed_job_can_be_retried(self, store: Store) -> None:
        job_id = failed_job(store)
        assert store.retry(EVERYTHING, NOW + HOUR) == 1
        row = present(store, job_id)
        assert (row.state, row.run_at) == (State.READY, NOW + HOUR)
        assert (row.attempts, row.crashes) == (0, 0)
        assert (row.failed_at, row.finished_at, row.locked_by) == (None, None, None)
        assert row.last_error == "it broke"
        assert claimable(store) == [job_id]

    def test_a_retry_keeps_the_record_of_earlier_attempts(self, store: Store) -> None:
        job_id = failed_job(store)
        store.retry(EVERYTHING, NOW)
        assert [attempt.error for attempt in store.attempts(job_id)] == ["it broke"]

    def test_a_retry_can_leave_the_attempts_counted(self, store: Store) -> None:
        job_id = failed_job(store)
        store.retry(EVERYTHING, NOW, reset_attempts=False)
        assert present(store, job_id).attempts == 1

    def test_a_retry_forgets_crashes(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        claim_one(store, worker)
        rescue_from(store, worker, max_crashes=1)
        assert state(store, job_id) == State.FAILED
        store.retry(EVERYTHING, NOW)
        assert present(store, job_id).crashes == 0

    def test_a_cancelled_job_can_be_retried(self, store: Store) -> None:
        job_id = put(store)
        store.cancel(EVERYTHING, NOW)
        assert store.retry(EVERYTHING, NOW) == 1
        assert present(store, job_id).finished_at is None
        assert claimable(store) == [job_id]

    def test_a_scheduled_job_can_be_run_now(self, store: Store) -> None:
        job_id = put(store, run_at=NOW + HOUR)
        assert store.retry(EVERYTHING, NOW + MINUTE) == 1
        assert present(store, job_id).run_at == NOW + MINUTE
        assert claimable(store) == [job_id]

    def test_a_retried_job_stands_behind_the_ready_ones(self, store: Store) -> None:
        retried = failed_job(store)
        ready = put(store)
        store.retry(Filter(ids=(retried,)), NOW)
        assert claimable(store) == [ready, retried]

    def test_ready_running_and_succeeded_jobs_are_not_retried(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 3)
        finish(store, worker, claim_one(store, worker), keep=True)
        claim_one(store, worker)
        before = store.find(EVERYTHING)
        assert store.retry(EVERYTHING, NOW + HOUR) == 0
        assert store.find(EVERYTHING) == before

    def test_only_what_the_filter_means_is_retried(self, store: Store) -> None:
        mail, other = failed_job(store, queue="mail"), failed_job(store, queue="other")
        assert store.retry(Filter(queue="mail"), NOW) == 1
        assert (state(store, mail), state(store, other)) == (State.READY, State.FAILED)

    def test_thousands_can_be_retried_at_once(self, store: Store) -> None:
        put_many(store, 3_000)
        store.cancel(EVERYTHING, NOW)
        assert store.retry(Filter(states=(State.CANCELLED,)), NOW) == 3_000
        assert store.count(Filter(states=(State.READY,))) == 3_000

    def test_unfinished_jobs_are_cancelled(self, store: Store) -> None:
        ready, scheduled = put(store), put(store, run_at=NOW + HOUR)
        worker = enlist(store)
        claim_one(store, worker)
        waiting = put(store)
        assert store.cancel(EVERYTHING, NOW + SECOND) == 3
        rows = [present(store, job_id) for job_id in (ready, scheduled, waiting)]
        assert {(row.state, row.finished_at) for row in rows} == {(State.CANCELLED, NOW + SECOND)}
        assert {(row.locked_at, row.locked_by, row.worker_id) for row in rows} == {
            (None, None, None)
        }
        assert claimable(store, now=NOW + 2 * HOUR) == []

    def test_ended_jobs_are_not_cancelled(self, store: Store) -> None:
        failed_job(store)
        worker = enlist(store)
        put(store)
        finish(store, worker, claim_one(store, worker), keep=True)
        assert store.cancel(EVERYTHING, NOW) == 0
        assert store.count(Filter(states=(State.FAILED, State.SUCCEEDED))) == 2

    def test_a_cancelled_job_leaves_its_worker_in_peace(self, store: Store) -> None:
        worker = enlist(store)
        put(store)
        row = claim_one(store, worker)
        store.cancel(EVERYTHING, NOW)
        assert store.heartbeat(worker)
        assert not fail(store, worker, row)
        assert store.retire(worker, NOW) == 0

    def test_jobs_of_any_state_can_be_deleted(self, store: Store) -> None:
        failed_job(store)
        put(store)
        claim_one(store, enlist(store))
        put(store)
        put(store, run_at=NOW + HOUR)
        assert store.delete(EVERYTHING) == 4
        assert store.count(EVERYTHING) == 0
        assert store.delete(EVERYTHING) == 0

    def test_only_what_the_filter_means_is_deleted(self, store: Store) -> None:
        job_id, other = put(store, name="a"), put(store, name="b")
        assert store.delete(Filter(name="a")) == 1
        assert store.get(job_id) is None
        assert present(store, other)

    def test_a_deleted_job_takes_its_attempts_along(self, store: Store) -> None:
        job_id = failed_job(store)
        store.delete(EVERYTHING)
        assert store.attempts(job_id) == []

    def test_a_key_is_free_again_when_its_job_is_deleted(self, store: Store) -> None:
        job_id = put(store, key="a" * 32)
        store.delete(EVERYTHING)
        assert put(store, key="a" * 32) != job_id

    def test_a_waiting_job_can_be_changed(self, store: Store) -> None:
        job_id = put(store)
        assert store.change(job_id, NOW, queue="mail", priority=4, payload='{"new":1}')
        row = present(store, job_id)
        assert (row.queue, row.priority, row.payload) == ("mail", 4, '{"new":1}')
        assert (row.state, row.run_at) == (State.READY, NOW)

    def test_a_changed_priority_is_obeyed(self, store: Store) -> None:
        first, second, third = put_many(store, 3)
        store.change(third, NOW, priority=-1)
        store.change(first, NOW, priority=1)
        assert claimable(store) == [third, second, first]

    def test_a_job_can_be_put_off_and_called_up(self, store: Store) -> None:
        job_id = put(store)
        assert store.change(job_id, NOW, run_at=NOW + HOUR)
        assert (state(store, job_id), claimable(store)) == (State.SCHEDULED, [])
        assert store.change(job_id, NOW, run_at=NOW - SECOND)
        assert state(store, job_id) == State.READY
        assert present(store, job_id).run_at == NOW - SECOND
        assert claimable(store) == [job_id]

    @pytest.mark.parametrize("change", [{"queue": "b"}, {"priority": -3}, {"payload": "{}"}])
    def test_a_scheduled_job_stays_scheduled_when_its_run_at_is_not_changed(
        self, store: Store, change: dict[str, Any]
    ) -> None:
        job_id = put(store, run_at=NOW + HOUR)
        assert store.change(job_id, NOW, **change)
        row = present(store, job_id)
        assert (row.state, row.run_at) == (State.SCHEDULED, NOW + HOUR)
        assert claimable(store, now=NOW + HOUR) == [job_id]

    def test_a_running_job_cannot_be_changed(self, store: Store) -> None:
        put(store)
        row = claim_one(store, enlist(store))
        assert not store.change(row.id, NOW, priority=5)
        assert present(store, row.id) == row

    def test_a_job_that_is_gone_cannot_be_changed(self, store: Store) -> None:
        assert not store.change(10**9, NOW, priority=5)

    def test_a_failed_job_can_be_mended_and_retried(self, store: Store) -> None:
        job_id = failed_job(store)
        assert store.change(job_id, NOW, payload='{"mended":1}', run_at=NOW + HOUR)
        assert state(store, job_id) == State.FAILED
        store.retry(EVERYTHING, NOW)
        assert claim_one(store, enlist(store)).payload == '{"mended":1}'

    def test_kept_jobs_are_pruned_when_they_ended_long_ago(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 3)
        for minute in range(3):
            held = [(row.id, row.lease) for row in [claim_one(store, worker)]]
            store.finish(worker, held, NOW + minute * MINUTE, keep=True)
        assert store.prune(NOW + MINUTE, states=[State.SUCCEEDED]) == 1
        assert store.prune(NOW + MINUTE, states=[State.SUCCEEDED]) == 0
        assert store.count(EVERYTHING) == 2

    def test_only_the_given_states_are_pruned(self, store: Store) -> None:
        failed = failed_job(store)
        cancelled, ready = put(store), put(store, run_at=NOW - HOUR)
        store.cancel(Filter(ids=(cancelled,)), NOW)
        assert store.prune(NOW + HOUR, states=[State.CANCELLED]) == 1
        assert store.get(cancelled) is None
        assert store.prune(NOW + HOUR, states=[State.FAILED, State.SUCCEEDED]) == 1
        assert store.get(failed) is None
        assert state(store, ready) == State.READY

    def test_unfinished_jobs_are_never_pruned(self, store: Store) -> None:
        """Promise 1."""
        job_id = failed_job(store, created_at=NOW - HOUR)
        store.retry(EVERYTHING, NOW)
        put(store, created_at=NOW - HOUR, run_at=NOW)
        assert store.prune(NOW + HOUR, states=list(State)) == 0
        assert state(store, job_id) == State.READY

    def test_pruning_takes_at_most_its_limit(self, store: Store) -> None:
        put_many(store, 5)
        store.cancel(EVERYTHING, NOW)
        taken = [
            store.prune(NOW + HOUR, states=[State.CANCELLED], limit=2),
            store.prune(NOW + HOUR, states=[State.CANCELLED], limit=2),
            store.prune(NOW + HOUR, states=[State.CANCELLED], limit=2),
        ]
        assert taken == [2, 2, 1]

    def test_pruned_jobs_take_their_attempts_along(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        store.fail(worker, failure(claim_one(store, worker)), NOW, keep=True)
        store.prune(NOW + HOUR, states=[State.FAILED])
        assert store.attempts(job_id) == []
