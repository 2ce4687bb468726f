"""Pools as the command line names them; what the original misread in silence is refused (queue.md 6.2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bide.errors import SettingsError
from bide.workers.pools import crews_of

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
