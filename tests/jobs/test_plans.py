"""A claim uses its index, and costs the same however many jobs wait behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from bide.db.engine import Database
from bide.jobs.job import State
from bide.jobs.store import Store, Wanted
from bide.testing.contract.acting import NOW, a_job, enlist
from plans import Sent, cost, multiply, plans, recorded
from stores import DATABASES, opener

WISHES = {
    "anything": Wanted(),
    "one queue": Wanted(queues=("b",)),
    "three queues": Wanted(queues=("a", "b", "c")),
    "priorities": Wanted(min_priority=0, max_priority=1),
    "all but one": Wanted(except_queues=("a",)),
}
#: What a claim of ten may take, far below what 100,000 rows would.
BOUNDS = {"sqlite": 30_000, "postgresql": 600, "mysql": 3_000}
#: How a plan says that it reads every job, or every ready one.
SCANS = {
    "sqlite": r"SCAN bide_jobs\b(?! USING)",
    "postgresql": r"Seq Scan on bide_jobs\b",
    "mysql": r'"table_name": "bide_jobs",\s*"access_type": "(ALL|index)"',
}


class Crowd(NamedTuple):
    """A store with a great many jobs."""

    store: Store
    database: Database
    monkeypatch: pytest.MonkeyPatch

    def claims(self, wanted: Wanted, limit: int = 10) -> list[Sent]:
        """The statements of a claim that finds its jobs; a first one warms up what is remembered."""
        worker = enlist(self.store)
        for _ in range(2):
            with recorded(self.monkeypatch) as sent:
                assert len(self.store.claim(worker, wanted, limit, NOW)) == limit
        return sent


@pytest.fixture(params=DATABASES)
def crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    """100,000 ready jobs in four queues and three priorities."""
    make_store = opener(request.param, request)
    store = make_store()
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    ways = product("abcd", range(3), range(50))
    store.insert([a_job(queue=queue, priority=priority) for queue, priority, _ in ways])
    multiply(database, State.READY, 166)
    yield Crowd(store, database, monkeypatch)
    store.close()
    database.close()
    if database.kind == "sqlite":
        Path(str(database.url.database)).unlink()


@pytest.mark.timeout(300)
def test_a_claim_among_100_000_jobs_uses_its_index(crowd: Crowd) -> None:
    """DJ-284, DJ-285, DJ-302."""
    for name, wanted in WISHES.items():
        sent = crowd.claims(wanted)
        found = plans(crowd.database, sent)
        assert "bide_jobs_ready" in found, (name, found)
        assert not re.search(SCANS[crowd.database.kind], found), (name, found)
        assert cost(crowd.database, sent) < BOUNDS[crowd.database.kind], name


@pytest.mark.timeout(300)
def test_a_hundred_thousand_future_jobs_do_not_make_a_claim_dearer(crowd: Crowd) -> None:
    """Pages and rows are counted, not time. DJ-284."""
    future_jobs_cost_nothing(crowd, thousands=100)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_million_future_jobs_do_not_make_a_claim_dearer(crowd: Crowd) -> None:
    """The same with ten times as many. DJ-284."""
    future_jobs_cost_nothing(crowd, thousands=1000)


def future_jobs_cost_nothing(crowd: Crowd, thousands: int) -> None:
    before = {name: cost(crowd.database, crowd.claims(wish)) for name, wish in WISHES.items()}
    soon = [a_job(run_at=NOW + timedelta(hours=n + 1), queue="abcd"[n % 4]) for n in range(1000)]
    crowd.store.insert(soon)
    multiply(crowd.database, State.SCHEDULED, thousands)
    after = {name: cost(crowd.database, crowd.claims(wish)) for name, wish in WISHES.items()}
    assert {name for name in WISHES if after[name] > before[name] * 1.3 + 50} == set(), (
        before,
        after,
    )
