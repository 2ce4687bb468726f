"""The memory store does what every store does, and says what only it cannot do."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import pytest

from bide.errors import ForkError, UnsupportedFeature
from bide.jobs.job import Filter
from bide.jobs.store import Store
from bide.jobs.stores.memory import MemoryStore
from bide.testing.contract.acting import a_job
from bide.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    """DJ-200, DJ-288: the whole contract; a claim returns a list."""

    processes = False

    @pytest.fixture
    def make_store(self) -> Callable[[], Store]:
        store = MemoryStore()
        return lambda: store


def test_a_caller_with_a_transaction_is_refused() -> None:
    with pytest.raises(UnsupportedFeature, match="inside the transaction of 'a session'"):
        MemoryStore().insert([a_job()], on="a session")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_may_not_use_its_copy() -> None:
    store = MemoryStore()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()

    def use() -> None:
        try:
            store.insert([a_job()])
        except ForkError as error:
            answers.put(str(error))

    child = context.Process(target=use)
    child.start()
    assert "which would lose its jobs" in answers.get(timeout=10)
    child.join(10)
    assert store.count(Filter()) == 0
