"""Taking jobs: which, in what order, and that nobody gets one twice."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bide.jobs.job import State
from bide.jobs.store import Store, Wanted
from bide.testing.contract.acting import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    a_job,
    claim,
    claim_one,
    claimable,
    enlist,
    fail,
    failed_job,
    finish,
    ids,
    present,
    put,
    put_many,
    state,
)


class ClaimingContract:
    """`claim` and `promote`."""

    def test_a_ready_job_is_claimed(self, store: Store) -> None:
        """DJ-036."""
        job_id = put(store)
        assert claimable(store) == [job_id]

    def test_an_empty_store_gives_nothing(self, store: Store) -> None:
        assert claimable(store) == []

    def test_a_claimed_job_is_running_and_names_its_worker(self, store: Store) -> None:
        worker, job_id = enlist(store, "ada"), put(store)
        [row] = claim(store, worker, now=NOW + SECOND)
        assert row == present(store, job_id)
        assert row.state == State.RUNNING
        assert (row.locked_at, row.locked_by, row.worker_id) == (NOW + SECOND, "ada", worker.id)

    def test_a_claim_raises_the_lease_and_counts_no_attempt(self, store: Store) -> None:
        before = present(store, put(store))
        row = claim_one(store, enlist(store))
        assert (row.lease, row.attempts) == (before.lease + 1, 0)

    def test_a_claimed_job_is_not_claimed_by_another(self, store: Store) -> None:
        """DJ-035."""
        put(store)
        claim(store, enlist(store, "one"))
        assert claim(store, enlist(store, "two")) == []

    def test_a_claimed_job_is_not_claimed_again_by_the_same_worker(self, store: Store) -> None:
        """DJ-038, DJ-534, DJ-535: fixed, a worker never gets what it holds."""
        worker = enlist(store)
        put(store)
        claim(store, worker)
        assert claim(store, worker, now=NOW + HOUR) == []

    def test_a_healthy_job_is_never_given_away_because_of_its_age(self, store: Store) -> None:
        """DJ-037: fixed, liveness is the worker's, not the lock's."""
        put(store)
        claim(store, enlist(store, "slow"))
        assert claimable(store, now=NOW + timedelta(days=30)) == []

    def test_a_failed_job_is_not_claimed(self, store: Store) -> None:
        """DJ-031."""
        failed_job(store)
        assert claimable(store) == []

    def test_a_finished_or_cancelled_job_is_not_claimed(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 2)
        kept, other = claim(store, worker)
        finish(store, worker, kept, keep=True)
        fail(store, worker, other, keep=False)
        assert claimable(store) == []

    def test_a_job_due_in_a_minute_is_not_claimed(self, store: Store) -> None:
        """DJ-032."""
        job_id = put(store, run_at=NOW + MINUTE)
        assert claimable(store, now=NOW + MINUTE - timedelta(microseconds=1)) == []
        assert state(store, job_id) == State.SCHEDULED

    def test_a_job_is_claimed_from_the_moment_it_is_due(self, store: Store) -> None:
        """DJ-033, DJ-294."""
        job_id = put(store, run_at=NOW + MINUTE)
        assert claimable(store, now=NOW + MINUTE) == [job_id]
        assert present(store, job_id).run_at == NOW + MINUTE

    def test_a_job_due_a_minute_ago_is_claimed(self, store: Store) -> None:
        """DJ-033, DJ-260."""
        job_id = put(store, run_at=NOW - MINUTE)
        assert claimable(store) == [job_id]
        assert present(store, job_id).run_at == NOW - MINUTE

    def test_the_hour_that_autumn_repeats_is_two_hours(self, store: Store) -> None:
        """DJ-289..291."""
        berlin = ZoneInfo("Europe/Berlin")
        summer = datetime(2031, 10, 26, 2, 30, tzinfo=berlin)
        winter = summer.replace(fold=1)
        job_id = put(store, created_at=summer - HOUR, run_at=winter)
        assert claimable(store, now=summer + MINUTE) == []
        assert claimable(store, now=winter) == [job_id]

    def test_at_most_the_limit_is_claimed(self, store: Store) -> None:
        new = put_many(store, 5)
        worker = enlist(store)
        assert ids(claim(store, worker, 2)) == new[:2]
        assert ids(claim(store, worker, 10)) == new[2:]

    def test_a_limit_of_zero_claims_nothing(self, store: Store) -> None:
        put(store)
        assert claim(store, enlist(store), 0) == []

    def test_thousands_are_claimed_and_finished_at_once(self, store: Store) -> None:
        worker = enlist(store)
        new = put_many(store, 5_000)
        rows = claim(store, worker, 5_000)
        assert ids(rows) == new
        assert finish(store, worker, *rows) == set(new)

    def test_jobs_come_in_the_order_of_priority(self, store: Store) -> None:
        """DJ-043, DJ-302."""
        priorities = [random.randint(-50, 50) for _ in range(10)]  # noqa: S311 - no secret
        store.insert([a_job(priority=priority) for priority in priorities])
        claimed = [row.priority for row in claim(store, enlist(store))]
        assert claimed == sorted(priorities)

    def test_single_claims_follow_the_order_of_priority_too(self, store: Store) -> None:
        """DJ-043."""
        store.insert([a_job(priority=priority) for priority in (3, -2, 0, 2**31 - 1, -(2**31))])
        worker = enlist(store)
        claimed = [claim_one(store, worker).priority for _ in range(5)]
        assert claimed == [-(2**31), -2, 0, 3, 2**31 - 1]

    def test_jobs_of_one_priority_come_in_the_order_of_storing(self, store: Store) -> None:
        new = [*put_many(store, 3), put(store), *put_many(store, 2)]
        assert claimable(store) == new

    def test_an_urgent_job_stored_later_comes_first(self, store: Store) -> None:
        worker = enlist(store)
        put_many(store, 3)
        claim_one(store, worker)
        urgent = put(store, priority=-1)
        assert claim_one(store, worker).id == urgent

    def test_min_priority_is_inclusive(self, store: Store) -> None:
        """DJ-044, DJ-303."""
        new = [put(store, priority=priority) for priority in (-1, 0, 1, 2)]
        assert claimable(store, Wanted(min_priority=1)) == new[2:]

    def test_max_priority_is_inclusive(self, store: Store) -> None:
        """DJ-045, DJ-303."""
        new = [put(store, priority=priority) for priority in (-1, 0, 1, 2)]
        assert claimable(store, Wanted(max_priority=0)) == new[:2]

    def test_both_priorities_may_be_one(self, store: Store) -> None:
        """DJ-044, DJ-045."""
        new = [put(store, priority=priority) for priority in (-1, 0, 0, 1)]
        assert claimable(store, Wanted(min_priority=0, max_priority=0)) == new[1:3]

    def test_due_jobs_become_ready_in_the_order_of_run_at(self, store: Store) -> None:
        later = put(store, run_at=NOW + 3 * MINUTE)
        sooner = put(store, run_at=NOW + 1 * MINUTE)
        middle = put(store, run_at=NOW + 2 * MINUTE)
        assert claimable(store, now=NOW + HOUR) == [sooner, middle, later]

    def test_due_jobs_stand_behind_those_that_were_ready(self, store: Store) -> None:
        scheduled = put(store, run_at=NOW + SECOND)
        ready = put(store)
        assert claimable(store, now=NOW + MINUTE) == [ready, scheduled]

    def test_priority_goes_before_the_moment_of_becoming_ready(self, store: Store) -> None:
        ready = put(store)
        urgent = put(store, run_at=NOW + SECOND, priority=-1)
        assert claimable(store, now=NOW + MINUTE) == [urgent, ready]

    def test_promotion_makes_due_jobs_ready_and_counts_them(self, store: Store) -> None:
        due = [put(store, run_at=NOW + n * SECOND) for n in (1, 2, 3)]
        far = put(store, run_at=NOW + HOUR)
        assert store.promote(NOW + 2 * SECOND) == 2
        assert [state(store, job_id) for job_id in due] == [
            State.READY,
            State.READY,
            State.SCHEDULED,
        ]
        assert state(store, far) == State.SCHEDULED
        assert store.promote(NOW + 2 * SECOND) == 0

    def test_promotion_takes_the_earliest_up_to_its_limit(self, store: Store) -> None:
        new = [put(store, run_at=NOW + n * SECOND) for n in (5, 1, 4, 2, 3)]
        assert store.promote(NOW + HOUR, limit=2) == 2
        ready = {job_id for job_id in new if state(store, job_id) == State.READY}
        assert ready == {new[1], new[3]}
        assert store.promote(NOW + HOUR, limit=10) == 3

    @pytest.mark.parametrize("batch", [1, 3, 100])
    def test_every_ready_job_is_claimed_sooner_or_later(self, store: Store, batch: int) -> None:
        """What becomes ready behind a claim's back (retried, promoted, other priorities) is found too."""
        worker = enlist(store)
        expected = set(put_many(store, 5, priority=5)) | set(put_many(store, 5, queue="other"))
        expected |= {put(store, run_at=NOW + n * SECOND, priority=n % 3) for n in range(1, 8)}
        claimed: set[int] = set()
        for n in range(30):
            rows = claim(store, worker, batch, now=NOW + n * SECOND)
            assert claimed.isdisjoint(ids(rows))
            claimed.update(ids(rows))
        assert claimed == expected
