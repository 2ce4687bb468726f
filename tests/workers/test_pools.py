"""Pools as the command line names them; what the original misread in silence is refused (queue.md 6.2)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import bide
from bide.errors import SettingsError
from bide.jobs.store import Wanted
from bide.workers.pools import crews_of
from bide.workers.roster import Crew, Lanes

MEASURED = json.loads((Path(__file__).parent / "data" / "command_options.json").read_text())[
    "cases"
]
POOLS = [
    case
    for case in MEASURED
    if len(case["argv"]) == 2 and case["argv"][1].startswith("--pool=") and case["worker_pools"]
]
#: What the original took for something else than what was written.
REFUSED = {
    "*,a:2": "stands alone",
    "a:2x": "'2x' is no number",
    "a:1.9": "'1.9' is no number",
    "a:2:3": "more than one ':'",
    "a,:1": "empty queue name",
}


def spec_of(case: dict[str, Any]) -> str:
    return str(case["argv"][1]).removeprefix("--pool=")


@pytest.mark.parametrize("case", POOLS, ids=spec_of)
def test_a_pool_means_what_the_original_made_of_it(case: dict[str, Any]) -> None:
    """DJ-144, DJ-145, DJ-146, DJ-566, DJ-567: every pool that was tried on the original."""
    spec = spec_of(case)
    if spec in REFUSED:
        with pytest.raises(SettingsError, match=REFUSED[spec].replace("*", r"\*")):
            crews_of([spec])
        return
    [crew] = crews_of([spec])
    [(queues, count)] = case["worker_pools"]
    assert (list(crew.wanted.queues or []), crew.count) == (queues, count)


def test_several_pools_stay_in_their_order_and_names_are_trimmed() -> None:
    """DJ-144, DJ-147, DJ-567: one and four and two are seven."""
    crews = crews_of(["mail, tasks", "*:4", "slow:2"], min_priority=1, max_priority=9)
    assert [(crew.wanted.queues, crew.count) for crew in crews] == [
        (("mail", "tasks"), 1), (None, 4), (("slow",), 2)
    ]  # fmt: skip
    assert {(crew.wanted.min_priority, crew.wanted.max_priority) for crew in crews} == {(1, 9)}


def test_without_pools_it_is_a_number_of_workers_for_the_queues() -> None:
    [crew] = crews_of([], number=3, queues=["mail"])
    assert (crew.wanted.queues, crew.count) == (("mail",), 3)
    [crew] = crews_of([], queues=[])
    assert (crew.wanted.queues, crew.count) == (None, 1)


@pytest.mark.parametrize("more", [{"number": 5}, {"queues": ["y"]}])
def test_pools_exclude_a_number_and_queues(more: dict[str, Any]) -> None:
    """DJ-568."""
    with pytest.raises(SettingsError, match="--pool excludes -n and --queues"):
        crews_of(["x:2"], **more)


@pytest.mark.parametrize("spec", ["a:0", "a:-1", "a:x", "a,,b", ",", "a:1:", "a:²"])
def test_pools_that_would_start_nothing_are_refused_with_an_example(spec: str) -> None:
    """DJ-566, DJ-567."""
    with pytest.raises(SettingsError, match=r"e\.g\. --pool mail,tasks:2"):
        crews_of([spec])


@pytest.mark.parametrize(
    ("pools", "number", "total"), [([], 100_000, 100_000), (["mail:999", "*:2"], 1, 1001)]
)
def test_a_number_that_can_only_be_a_slip_is_refused(
    pools: list[str], number: int, total: int
) -> None:
    with pytest.raises(SettingsError, match=f"{total} worker processes are more than the 1000"):
        crews_of(pools, number=number)
    assert sum(crew.count for crew in crews_of([], number=1000)) == 1000


@pytest.mark.parametrize(
    ("threads", "concurrency", "says"),
    [
        (10_000_000, 1, "threads=10000000 is more than the 1000 threads that a process may have"),
        (1, 10_000_000, "concurrency=10000000 is more than the 10000 jobs at a time that a thread"),
        (0, 1, "threads=0 must be at least 1"),
        (1, -1, "concurrency=-1 must be at least 1"),
    ],
)
def test_threads_and_jobs_at_a_time_that_can_only_be_a_slip_are_refused(
    threads: int, concurrency: int, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        Lanes(threads, concurrency)
    app = bide.App("memory://")
    with pytest.raises(SettingsError, match=says):
        app.supervisor([Crew(Wanted())], threads=threads, concurrency=concurrency)
    alone: partial[object] = partial(app.run_in_background, threads=threads)
    if threads == 1:
        alone = partial(app.worker_for, Wanted(), concurrency=concurrency)
    with pytest.raises(SettingsError, match=says):
        alone()


def test_a_fleet_that_its_supervisor_could_not_watch_is_refused() -> None:
    crews = [Crew(Wanted(), 7), Crew(Wanted(("mail",)), 4)]
    says = "11 processes with threads=10 and concurrency=1000 make 110000 jobs at a time, more than the 100000"
    with pytest.raises(SettingsError, match=says):
        bide.App("memory://").supervisor(crews, threads=10, concurrency=1000)
    Lanes(1000, 100).check(crews[:0])
    Lanes(10, 1000).check(crews[:1])
