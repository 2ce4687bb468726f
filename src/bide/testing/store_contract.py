"""What every store of jobs must do: subclass StoreContract in your tests, say how to open yours.

    from bide.testing.store_contract import StoreContract

    class TestMyStore(StoreContract):
        @pytest.fixture
        def make_store(self, tmp_path):
            return functools.partial(MyStore, tmp_path / "jobs")

Read top to bottom, the classes of `bide.testing.contract` are the specification of a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bide.jobs.store import Store
from bide.testing.contract.auditing import AuditContract
from bide.testing.contract.claiming import ClaimingContract
from bide.testing.contract.enqueuing import EnqueuingContract
from bide.testing.contract.leases import LeaseContract
from bide.testing.contract.operating import OperatingContract
from bide.testing.contract.queues import QueuesContract
from bide.testing.contract.racing import RacingContract
from bide.testing.contract.reading import ReadingContract
from bide.testing.contract.reporting import ReportingContract
from bide.testing.contract.results import ResultsContract
from bide.testing.contract.statistics import StatisticsContract
from bide.testing.contract.surveys import SurveysContract
from bide.testing.contract.texts import TextsContract
from bide.testing.contract.waking import WakingContract
from bide.testing.contract.watching import RescueContract, WatchingContract


class StoreContract(
    EnqueuingContract,
    ClaimingContract,
    QueuesContract,
    ReportingContract,
    ResultsContract,
    LeaseContract,
    WatchingContract,
    RescueContract,
    ReadingContract,
    OperatingContract,
    StatisticsContract,
    AuditContract,
    SurveysContract,
    TextsContract,
    RacingContract,
    WakingContract,
):
    """The whole behaviour list, one group of tests per group of verbs (queue.md 9.1, 9.2, 9.14)."""

    @pytest.fixture
    def make_store(self) -> Callable[[], Store]:
        """Opens a store on the data of this test, empty at first; every call opens one more on the
        same data. It must be picklable, because spawned processes call it too."""
        raise NotImplementedError("override the fixture make_store: it returns what opens a Store")

    @pytest.fixture
    def store(self, make_store: Callable[[], Store]) -> Iterator[Store]:
        """A store on empty data."""
        store = make_store()
        yield store
        store.close()
