"""Storing jobs: what comes back, when it is due, and that a key is stored once."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta, timezone

import pytest

from bide.jobs.job import Filter, NewJob, State
from bide.jobs.store import Store
from bide.testing.contract.acting import (
    HOUR,
    MINUTE,
    NOW,
    a_job,
    claim,
    claimable,
    enlist,
    finish,
    present,
    put,
    put_many,
    state,
)


class EnqueuingContract:
    """`insert` and `ainsert`."""

    def test_a_stored_job_comes_back_as_it_was_given(self, store: Store) -> None:
        """DJ-005, DJ-012."""
        job = a_job(
            name="Order#invoice",
            queue="billing",
            priority=-7,
            payload='{"args":[1]}',
            max_attempts=5,
            locale="de",
            context='{"zone":"Europe/Berlin"}',
        )
        [job_id] = store.insert([job])
        row = present(store, job_id)
        assert row._asdict().items() >= job._replace(run_at=NOW)._asdict().items()
        assert (row.state, row.attempts, row.crashes) == (State.READY, 0, 0)
        assert store.count(Filter()) == 1

    def test_a_new_job_has_no_lock_no_error_and_no_end(self, store: Store) -> None:
        row = present(store, put(store))
        assert (row.locked_at, row.locked_by, row.worker_id) == (None, None, None)
        assert (row.failed_at, row.finished_at, row.last_error) == (None, None, None)

    def test_a_job_without_run_at_is_due_at_its_creation(self, store: Store) -> None:
        """DJ-001, DJ-292."""
        job_id = put(store, run_at=None)
        assert present(store, job_id).run_at == NOW
        assert state(store, job_id) == State.READY

    def test_a_given_run_at_is_stored_to_the_microsecond(self, store: Store) -> None:
        """DJ-002, DJ-007."""
        moment = NOW + timedelta(hours=5, microseconds=1)
        assert present(store, put(store, run_at=moment)).run_at == moment

    @pytest.mark.parametrize(("offset", "expected"), [(0, State.READY), (1, State.SCHEDULED)])
    def test_a_job_is_scheduled_when_its_run_at_is_after_its_creation(
        self, store: Store, offset: int, expected: State
    ) -> None:
        job_id = put(store, run_at=NOW + timedelta(microseconds=offset))
        assert state(store, job_id) == expected

    def test_moments_of_any_zone_are_stored_as_the_same_instant_in_utc(self, store: Store) -> None:
        """DJ-034, DJ-092..094, DJ-293..295."""
        tokyo = timezone(timedelta(hours=9))
        job_id = put(store, run_at=(NOW + HOUR).astimezone(tokyo), created_at=NOW.astimezone(tokyo))
        row = present(store, job_id)
        assert (row.run_at, row.created_at) == (NOW + HOUR, NOW)
        assert row.run_at.utcoffset() == row.created_at.utcoffset() == timedelta(0)

    def test_ids_come_back_in_the_order_of_the_jobs_and_grow(self, store: Store) -> None:
        """DJ-270..272."""
        new = store.insert([a_job(name=f"job {n}") for n in range(50)])
        assert [present(store, job_id).name for job_id in new] == [f"job {n}" for n in range(50)]
        assert new == sorted(new)

    def test_no_jobs_are_no_jobs(self, store: Store) -> None:
        """DJ-269."""
        assert store.insert([]) == []
        assert store.count(Filter()) == 0

    def test_a_batch_of_ten_thousand_is_stored_whole_and_in_order(self, store: Store) -> None:
        jobs = [a_job(name=f"job {n}", priority=n % 3) for n in range(10_000)]
        new = store.insert(jobs)
        assert len(set(new)) == store.count(Filter()) == 10_000
        assert present(store, new[9_999]).name == "job 9999"
        assert present(store, new[5_000]).key == jobs[5_000].key

    def test_a_key_is_stored_once(self, store: Store) -> None:
        job = a_job()
        [first] = store.insert([job])
        assert store.insert([job]) == [first]
        assert store.count(Filter()) == 1

    def test_a_key_stored_again_changes_nothing(self, store: Store) -> None:
        job = a_job(name="first")
        [first] = store.insert([job])
        store.insert([job._replace(name="second", priority=9)])
        assert (present(store, first).name, present(store, first).priority) == ("first", 0)

    def test_a_key_twice_in_one_batch_is_stored_once(self, store: Store) -> None:
        job, other = a_job(), a_job()
        first, second, again = store.insert([job, other, job])
        assert first == again != second
        assert store.count(Filter()) == 2

    def test_known_and_new_keys_may_come_in_one_batch(self, store: Store) -> None:
        known = [a_job() for _ in range(3)]
        old = store.insert(known)
        new = store.insert([known[2], a_job(name="new"), known[0]])
        assert (new[0], new[2]) == (old[2], old[0])
        assert present(store, new[1]).name == "new"

    def test_the_key_of_a_running_job_still_counts(self, store: Store) -> None:
        job = a_job()
        [first] = store.insert([job])
        claim(store, enlist(store))
        assert store.insert([job]) == [first]
        assert state(store, first) == State.RUNNING

    @pytest.mark.parametrize("key", ["0" * 32, "f" * 32, uuid.UUID(int=2**127).hex])
    def test_every_key_of_32_hex_digits_comes_back_unchanged(self, store: Store, key: str) -> None:
        assert present(store, put(store, key=key)).key == key

    @pytest.mark.parametrize("priority", [-(2**31), -1, 0, 2**31 - 1])
    def test_priorities_of_32_bits_are_stored(self, store: Store, priority: int) -> None:
        """DJ-005, DJ-536."""
        assert present(store, put(store, priority=priority)).priority == priority

    def test_a_job_can_be_stored_from_an_event_loop(self, store: Store) -> None:
        jobs = [a_job(name="first"), a_job(name="second", run_at=NOW + MINUTE)]
        new = asyncio.run(_ainsert(store, jobs))
        assert [present(store, job_id).name for job_id in new] == ["first", "second"]
        assert claimable(store) == [new[0]]

    def test_the_id_of_a_deleted_job_is_not_given_again(self, store: Store) -> None:
        worker = enlist(store)
        last = put_many(store, 3)[-1]
        finish(store, worker, *claim(store, worker))
        assert put(store) > last


async def _ainsert(store: Store, jobs: list[NewJob]) -> list[int]:
    return await store.ainsert(jobs)
