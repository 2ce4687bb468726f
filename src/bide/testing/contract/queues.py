"""Queues: which a worker takes, in what order, and those that are paused."""

from __future__ import annotations

import pytest

from bide.jobs.job import Filter, State
from bide.jobs.store import Store, Wanted
from bide.testing.contract.acting import (
    HOUR,
    MINUTE,
    NOW,
    a_job,
    claim,
    claim_one,
    claimable,
    enlist,
    finish,
    ids,
    put,
    put_many,
    state,
)


class QueuesContract:
    """`Wanted`, `pause`, `resume` and `queues`."""

    def test_a_worker_with_one_queue_takes_only_that(self, store: Store) -> None:
        """DJ-052."""
        put(store, queue="mail")
        billing = put(store, queue="billing")
        assert claimable(store, Wanted(queues=("billing",))) == [billing]

    def test_a_worker_with_two_queues_takes_only_those(self, store: Store) -> None:
        """DJ-053."""
        new = [put(store, queue=name) for name in ("a", "b", "c", "a", "")]
        assert claimable(store, Wanted(queues=("a", "c"))) == [new[0], new[2], new[3]]

    def test_a_worker_without_queues_takes_every_one(self, store: Store) -> None:
        """DJ-054."""
        new = [put(store, queue=name) for name in ("a", "b", "")]
        assert claimable(store) == new

    def test_the_order_of_the_queues_named_does_not_matter(self, store: Store) -> None:
        new = [put(store, queue=name) for name in ("b", "a", "b", "a")]
        assert claimable(store, Wanted(queues=("a", "b"))) == new

    def test_priority_and_age_rule_over_all_queues(self, store: Store) -> None:
        """DJ-043, DJ-283: one order, whatever the queue."""
        asked = [("a", 2), ("b", 1), ("c", 1), ("a", 1), ("b", 0), ("d", -1), ("c", 2)]
        new = store.insert([a_job(queue=queue, priority=priority) for queue, priority in asked])
        worker, wanted = enlist(store), Wanted(queues=("a", "b", "c"))
        singly = [claim(store, worker, 1, wanted)[0].id for _ in range(3)]
        assert singly == [new[4], new[1], new[2]]
        assert ids(claim(store, worker, 10, wanted)) == [new[3], new[0], new[6]]

    def test_a_job_that_comes_back_stands_behind_those_of_other_queues_too(
        self, store: Store
    ) -> None:
        worker, released = enlist(store), put(store, queue="a")
        row = claim_one(store, worker)
        waiting = put(store, queue="b")
        store.release(worker, [(row.id, row.lease)], NOW)
        assert claimable(store) == [waiting, released]

    def test_queues_can_be_left_out(self, store: Store) -> None:
        new = [put(store, queue=name) for name in ("a", "b", "c", "a")]
        assert claimable(store, Wanted(except_queues=("a", "x"))) == [new[1], new[2]]

    def test_queues_can_be_named_and_left_out(self, store: Store) -> None:
        new = [put(store, queue=name) for name in ("a", "b", "c")]
        assert claimable(store, Wanted(queues=("a", "b"), except_queues=("a",))) == [new[1]]

    def test_queues_and_priorities_both_hold(self, store: Store) -> None:
        asked = [("a", 1), ("a", 5), ("b", 5), ("b", 1)]
        new = [put(store, queue=queue, priority=priority) for queue, priority in asked]
        wanted = Wanted(queues=("b",), min_priority=2, max_priority=5)
        assert claimable(store, wanted) == [new[2]]

    def test_due_jobs_of_named_queues_are_claimed(self, store: Store) -> None:
        put(store, queue="a", run_at=NOW + MINUTE)
        due = put(store, queue="b", run_at=NOW + MINUTE)
        assert claimable(store, Wanted(queues=("b",)), NOW + HOUR) == [due]

    def test_a_flood_of_other_jobs_does_not_hide_a_wanted_one(self, store: Store) -> None:
        put_many(store, 3_000, queue="flood", priority=-5)
        put_many(store, 100, queue="flood", run_at=NOW + MINUTE)
        wanted = put(store, queue="quiet", run_at=NOW + MINUTE)
        assert claimable(store, Wanted(queues=("quiet",)), NOW + HOUR) == [wanted]

    @pytest.mark.parametrize("other", ["Mail", "mäil", "mails", "", "m%", "m_il"])
    def test_a_queue_is_its_exact_name(self, store: Store, other: str) -> None:
        """DJ-537."""
        job_id, stranger = put(store, queue="mail"), put(store, queue=other)
        assert store.count(Filter(queue=other)) == 1
        assert claimable(store, Wanted(queues=("mail",))) == [job_id]
        assert claimable(store, Wanted(except_queues=("mail",))) == [stranger]

    def test_a_space_at_the_end_of_a_queue_counts(self, store: Store) -> None:
        job_id, stranger = put(store, queue="mail"), put(store, queue="mail ")
        assert claimable(store, Wanted(queues=("mail ",))) == [stranger]
        store.pause("mail ", NOW)
        assert claimable(store) == [job_id]

    def test_hundreds_of_queues_may_be_named(self, store: Store) -> None:
        job_id = put(store, queue="queue 300")
        wanted = Wanted(queues=tuple(f"queue {n}" for n in range(500)))
        assert claimable(store, wanted) == [job_id]

    def test_a_paused_queue_is_passed_over(self, store: Store) -> None:
        put(store, queue="mail", priority=-10)
        other = put(store, queue="other")
        assert store.pause("mail", NOW)
        assert claimable(store) == [other]

    def test_a_paused_queue_that_a_worker_names_is_passed_over(self, store: Store) -> None:
        put(store, queue="mail")
        store.pause("mail", NOW)
        assert claimable(store, Wanted(queues=("mail",))) == []

    def test_due_jobs_of_a_paused_queue_wait(self, store: Store) -> None:
        job_id = put(store, queue="mail", run_at=NOW + MINUTE)
        store.pause("mail", NOW)
        assert claimable(store, now=NOW + HOUR) == []
        store.resume("mail")
        assert claimable(store, now=NOW + HOUR) == [job_id]

    def test_a_resumed_queue_goes_on_in_its_order(self, store: Store) -> None:
        new = put_many(store, 3, queue="mail")
        store.pause("mail", NOW)
        assert claimable(store) == []
        assert store.resume("mail")
        assert claimable(store) == new

    def test_pausing_does_not_touch_running_jobs(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store, queue="mail")
        row = claim_one(store, worker)
        store.pause("mail", NOW)
        assert state(store, job_id) == State.RUNNING
        assert finish(store, worker, row) == {job_id}

    def test_jobs_can_be_stored_in_a_paused_queue(self, store: Store) -> None:
        store.pause("mail", NOW)
        job_id = put(store, queue="mail")
        assert claimable(store) == []
        store.resume("mail")
        assert claimable(store) == [job_id]

    def test_only_the_first_pause_and_the_first_resume_do_something(self, store: Store) -> None:
        assert store.pause("mail", NOW)
        assert not store.pause("mail", NOW + MINUTE)
        assert [(q.name, q.paused_at) for q in store.queues()] == [("mail", NOW)]
        assert store.resume("mail")
        assert not store.resume("mail")

    def test_pauses_of_queues_do_not_mix(self, store: Store) -> None:
        put(store, queue="mail")
        capital = put(store, queue="Mail")
        store.pause("mail", NOW)
        store.pause("idle", NOW)
        assert claimable(store) == [capital]
        store.resume("idle")
        assert claimable(store) == []

    def test_queues_are_listed_by_name_with_their_counts(self, store: Store) -> None:
        put_many(store, 2, queue="b", run_at=NOW - MINUTE)
        put(store, queue="b", run_at=NOW + HOUR)
        put(store, queue="a")
        claim(store, enlist(store), 10, Wanted(queues=("a",)))
        store.pause("c", NOW)
        listed = store.queues()
        assert [queue.name for queue in listed] == ["a", "b", "c"]
        assert [_present(queue.counts) for queue in listed] == [
            {State.RUNNING: 1},
            {State.READY: 2, State.SCHEDULED: 1},
            {},
        ]
        assert [queue.paused_at for queue in listed] == [None, None, NOW]

    def test_the_oldest_ready_job_tells_how_far_a_queue_is_behind(self, store: Store) -> None:
        put(store, queue="a", run_at=NOW - MINUTE)
        put(store, queue="a", run_at=NOW - HOUR)
        put(store, queue="b", run_at=NOW + HOUR)
        assert [queue.oldest_ready for queue in store.queues()] == [NOW - HOUR, None]

    def test_a_store_without_jobs_has_no_queues(self, store: Store) -> None:
        worker = enlist(store)
        put(store)
        finish(store, worker, claim_one(store, worker))
        assert store.queues() == []


def _present(counts: dict[State, int]) -> dict[State, int]:
    return {state: number for state, number in counts.items() if number}
