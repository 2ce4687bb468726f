"""Races between threads and between processes: nobody gets what another has, and nothing is lost."""

from __future__ import annotations

import itertools
import multiprocessing
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from bide.jobs.job import Filter, State
from bide.jobs.store import Loss, Store
from bide.testing.contract.acting import (
    ANYTHING,
    NOW,
    SECOND,
    a_job,
    claim,
    enlist,
    finish,
    ids,
    lease,
    put,
    put_many,
    rescue_from,
)

T = TypeVar("T")

#: How long a child process may take before the test gives up on it.
PATIENCE = 50.0


class RacingContract:
    """Every verb may be called from any thread and any process."""

    #: Whether another process can open the same data; False skips those races.
    processes = True

    def test_threads_never_claim_the_same_job(self, store: Store) -> None:
        """DJ-035, DJ-583, DJ-584."""
        new = put_many(store, 300)
        claimed = at_once(4, lambda n: _claim_all(store, f"thread {n}", batch=n + 1))
        assert sorted(itertools.chain(*claimed)) == new

    def test_stores_never_claim_the_same_job(
        self, store: Store, make_store: Callable[[], Store]
    ) -> None:
        """DJ-035, DJ-583, DJ-584."""
        new = put_many(store, 200)
        stores = [make_store() for _ in range(3)]
        claimed = at_once(3, lambda n: _claim_all(stores[n], f"store {n}", batch=3))
        for other in stores:
            other.close()
        assert sorted(itertools.chain(*claimed)) == new

    def test_claims_and_finishes_and_inserts_do_not_disturb_each_other(self, store: Store) -> None:
        """DJ-533, DJ-583: no deadlock reaches the caller."""
        put_many(store, 100)
        done = at_once(4, lambda n: _work(store, f"thread {n}") if n else _enqueue(store, 100))
        left = _work(store, "last")
        assert sum(done) + left == 200
        assert store.count(Filter()) == 0

    def test_a_key_raced_for_is_stored_once(self, store: Store) -> None:
        jobs = [a_job() for _ in range(20)]
        answers = at_once(4, lambda _: store.insert(jobs))
        assert all(answer == answers[0] for answer in answers)
        assert store.count(Filter()) == 20

    def test_batches_with_the_same_keys_in_another_order_do_not_block_each_other(
        self, store: Store
    ) -> None:
        jobs = [a_job() for _ in range(50)]
        batches = [jobs, jobs[::-1], jobs[25:] + jobs[:25], jobs[::-1]]
        answers = at_once(4, lambda n: store.insert(batches[n]))
        assert answers[1] == answers[0][::-1]
        assert store.count(Filter()) == 50

    def test_a_job_is_promoted_once(self, store: Store) -> None:
        store.insert([a_job(run_at=NOW + SECOND) for _ in range(200)])
        promoted = at_once(4, lambda _: store.promote(NOW + SECOND))
        assert sum(promoted) == 200
        assert store.count(Filter(states=(State.READY,))) == 200

    def test_a_dead_worker_is_rescued_once(self, store: Store) -> None:
        worker, new = enlist(store), put_many(store, 60)
        claim(store, worker)
        rescued = at_once(3, lambda _: [one.id for one in rescue_from(store, worker)])
        assert sorted(itertools.chain(*rescued)) == new
        assert {row.crashes for row in store.find(Filter(), limit=100)} == {1}

    def test_an_attempt_is_finished_or_rescued_never_both(self, store: Store) -> None:
        """Promise 2."""
        worker, new = enlist(store), put_many(store, 60)
        rows = claim(store, worker)

        def act(n: int) -> set[int]:
            if n:
                return {one.id for one in rescue_from(store, worker)}
            return set().union(*(finish(store, worker, row) for row in rows))

        finished, rescued = at_once(2, act)
        assert finished.isdisjoint(rescued)
        assert finished | rescued == set(new)
        assert {row.id for row in store.find(Filter(), limit=100)} == rescued

    def test_an_attempt_has_one_outcome(self, store: Store) -> None:
        """Promise 2."""
        worker = enlist(store)
        put_many(store, 40)
        rows = claim(store, worker)
        outcomes = at_once(4, lambda n: _report(store, n, [lease(row) for row in rows], worker))
        assert sorted(itertools.chain(*outcomes)) == ids(rows)

    @pytest.mark.parametrize("start", ["fork", "spawn"])
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
    def test_processes_never_claim_the_same_job(
        self, store: Store, make_store: Callable[[], Store], start: str
    ) -> None:
        """DJ-035, DJ-584. The forked ones inherit a store that was used."""
        self._need_processes()
        new = put_many(store, 300)
        asked = [(store if start == "fork" else make_store, f"process {n}") for n in range(3)]
        claimed = in_processes(start, claim_all_there, asked)
        assert sorted(itertools.chain(*claimed)) == new
        assert store.count(Filter(states=(State.RUNNING,))) == 300

    @pytest.mark.parametrize("start", ["fork", "spawn"])
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
    def test_processes_lose_no_job_while_others_store_them(
        self, store: Store, make_store: Callable[[], Store], start: str
    ) -> None:
        """Promise 1."""
        self._need_processes()
        opened = store if start == "fork" else make_store
        asked = [(opened, 0), (opened, 50), (opened, 50)]
        done = in_processes(start, work_there, asked)
        assert sum(done) + _work(store, "last") == 100
        assert store.count(Filter()) == 0

    def _need_processes(self) -> None:
        if not self.processes:
            pytest.skip("this store lives in one process")


def at_once(number: int, act: Callable[[int], T]) -> list[T]:
    """Call act(0) ... act(number - 1) in threads that start together and take turns as often as Python
    lets them; their results."""
    gate = threading.Barrier(number)

    def enter(n: int) -> T:
        gate.wait(PATIENCE)
        return act(n)

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(number) as threads:
            return list(threads.map(enter, range(number)))
    finally:
        sys.setswitchinterval(usual)


def in_processes(
    start: str, act: Callable[..., None], asked: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """Call act(results, *arguments) in a process each; what they put into `results`."""
    context: Any = multiprocessing.get_context(start)
    results = context.Queue()
    children = [context.Process(target=act, args=(results, *one), daemon=True) for one in asked]
    for child in children:
        child.start()
    answers = [results.get(timeout=PATIENCE) for _ in children]
    for child in children:
        child.join(PATIENCE)
    return answers


def claim_all_there(results: Any, opened: Any, name: str) -> None:
    """In a child: claim until nothing is ready; tell the ids."""
    store = opened if hasattr(opened, "claim") else opened()
    results.put(_claim_all(store, name, batch=7))
    store.close()


def work_there(results: Any, opened: Any, enqueue: int) -> None:
    """In a child: store jobs, then claim and finish; tell how many."""
    store = opened if hasattr(opened, "claim") else opened()
    _enqueue(store, enqueue)
    results.put(_work(store, f"after {enqueue}"))
    store.close()


def _claim_all(store: Store, name: str, batch: int) -> list[int]:
    worker, claimed = enlist(store, name), []
    while rows := store.claim(worker, ANYTHING, batch, NOW):
        claimed.extend(ids(rows))
    return claimed


def _work(store: Store, name: str) -> int:
    worker, done = enlist(store, name), 0
    while rows := claim(store, worker, 5):
        done += len(finish(store, worker, *rows))
    return done


def _enqueue(store: Store, number: int) -> int:
    for n in range(number):
        put(store, priority=n % 3)
    return 0


def _report(store: Store, n: int, leases: list[tuple[int, int]], worker: Any) -> set[int]:
    if n == 0:
        return store.finish(worker, leases, NOW, keep=False)
    if n == 1:
        return store.finish(worker, leases[::-1], NOW, keep=True)
    if n == 2:
        return store.release(worker, leases, NOW)
    return {
        one
        for one, number in leases
        if store.crashed(worker, (one, number), Loss("died"), NOW, limits=(3, 25))
    }
