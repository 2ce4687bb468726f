"""Waiting for jobs: woken by what is stored, by a descriptor, or by the end of the time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bide import clock
from bide.jobs.job import Filter
from bide.jobs.store import Store, Wakeups
from bide.testing.contract.acting import (
    NOW,
    claim_one,
    enlist,
    finish,
    put,
    seconds_since,
)

#: A wait that nothing ends; and how soon a wait must have ended when there is work (a short poll counts).
FOREVER = 50.0
SOON = 20.0


class WakingContract:
    """`wakeups`. A lost wake-up costs one poll, never a job: so no test counts them."""

    def test_a_wait_ends_when_its_time_is_over(self, store: Store) -> None:
        with _waiting(store) as wakeups:
            start = clock.monotonic()
            wakeups.wait(0.01)
            assert seconds_since(start) < SOON

    def test_a_wait_of_no_time_only_looks(self, store: Store) -> None:
        with _waiting(store) as wakeups:
            start = clock.monotonic()
            wakeups.wait(0)
            wakeups.wait(-1)
            assert seconds_since(start) < SOON

    def test_a_stored_job_ends_the_wait(self, store: Store) -> None:
        with _waiting(store) as wakeups:
            assert _ends_soon(wakeups, lambda: put(store))

    def test_a_job_stored_through_another_store_ends_the_wait(
        self, store: Store, make_store: Callable[[], Store]
    ) -> None:
        with _waiting(store) as wakeups:
            other = make_store()
            assert _ends_soon(wakeups, lambda: put(other))
            other.close()

    def test_a_job_retried_by_an_operator_ends_the_wait(self, store: Store) -> None:
        put(store)
        store.cancel(Filter(), NOW)
        with _waiting(store) as wakeups:
            assert _ends_soon(wakeups, lambda: store.retry(Filter(), NOW))

    def test_every_waiter_can_be_woken(self, store: Store) -> None:
        """Two workers that sleep do not starve a queue that only the second takes."""
        with _waiting(store) as one, _waiting(store) as two:
            assert _ends_soon(one, lambda: put(store))
            assert _ends_soon(two, lambda: put(store))

    def test_a_descriptor_ends_the_wait(self, store: Store) -> None:
        reader, writer = os.pipe()
        with _waiting(store) as wakeups:
            assert _ends_soon(wakeups, lambda: os.write(writer, b"!"), reader)
            assert os.read(reader, 1) == b"!"
        os.close(reader)
        os.close(writer)

    def test_waiting_takes_no_job(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        with _waiting(store) as wakeups:
            wakeups.wait(0.01)
        assert finish(store, worker, claim_one(store, worker)) == {job_id}

    def test_a_store_goes_on_after_it_was_closed(self, store: Store) -> None:
        job_id = put(store)
        store.close()
        store.close()
        assert store.count(Filter()) == 1
        assert claim_one(store, enlist(store)).id == job_id


@contextmanager
def _waiting(store: Store) -> Iterator[Wakeups]:
    wakeups = store.wakeups()
    try:
        yield wakeups
    finally:
        wakeups.close()


def _ends_soon(wakeups: Wakeups, act: Callable[[], object], *also: int) -> bool:
    """Wait in a thread, act again and again as a busy program does; whether the wait ended soon."""
    waiter = threading.Thread(target=wakeups.wait, args=(FOREVER, also), daemon=True)
    waiter.start()
    start = clock.monotonic()
    act()
    while waiter.is_alive() and seconds_since(start) < SOON:
        waiter.join(0.2)
        if waiter.is_alive() and not also:
            act()
    return not waiter.is_alive()
