"""The store in MySQL and MariaDB does what every store does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bide.jobs.store import Store
from bide.testing.store_contract import StoreContract
from stores import opener


class TestMySQLStore(StoreContract):
    @pytest.fixture
    def make_store(self, request: pytest.FixtureRequest) -> Callable[[], Store]:
        return opener("mysql", request)
