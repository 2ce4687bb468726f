"""Stores of the kind that a module of tests names in `KIND`, on a fresh database of each test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from bide.jobs.store import Store
from stores import opener


@pytest.fixture
def make_store(request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    """Call it for one more store on this test's data, as another process has it; closed afterwards."""
    open_one = opener(request.module.KIND, request)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(open_one()))


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    """The store of this process."""
    return make_store()
