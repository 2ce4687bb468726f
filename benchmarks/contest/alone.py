"""What is measured of Bide alone, by the programs beside this package: weather, mix, promises, weight."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from contest.environments import Unavailable
from contest.report import Row, Section
from contest.stores import Stores
from costs import program
from weather import DRAINED

STORES = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mysql": "MariaDB"}
GOOD, ONE = "a good day", "claims of one"


def depth(stores: Stores, options: argparse.Namespace) -> Section:
    """With so many scheduled and so many ready jobs in the table."""
    rows: list[Row] = []
    absent: list[str] = []
    for kind in ["postgresql"] if options.quick else STORES:
        good, full = f"{STORES[kind]}, empty", f"{STORES[kind]}, twice {options.depth:,} jobs"
        try:
            found = days(stores, options, kind, depth=options.depth)
        except Unavailable as error:
            absent.append(f"Depth on {STORES[kind]}: {error}")
            continue
        rows += [drained(good, found["empty table"]), drained(full, found["deep"], good)]
    title = "Drain of a full table: as many jobs scheduled as ready"
    return Section(title, "jobs/s", rows, "", tuple(absent), "the empty one", ranked=False)


def bad_day(stores: Stores, options: argparse.Namespace) -> Section:
    """On PostgreSQL, with a snapshot held since before so many jobs were done, and after its end."""
    title = f"A bad day: an old snapshot and {options.depth:,} dead rows (PostgreSQL)"
    try:
        found = days(stores, options, "postgresql", dead=options.depth)
    except Unavailable as error:
        return Section(title, "jobs/s", [], absent=(f"A bad day: {error}",))
    until = found["seconds until it was recovered"]
    gone = "its end, not recovered" if until is None else f"{until:g} s after its end"
    rows = [
        drained(GOOD, found["empty table"]),
        drained("snapshot held", found["snapshot held"], GOOD),
        drained(gone, found["snapshot gone"], GOOD),
    ]
    return Section(title, "jobs/s", rows, beside="the good day", ranked=False)


def mix(stores: Stores, options: argparse.Namespace) -> Section:
    """How long jobs wait where one in a hundred is slow."""
    title = "Waiting in a mix: 1 % jobs of 1 s, 99 % of 1 ms, four workers"
    words = ["--rounds", str(options.rounds), "--jobs", str(max(100, part(2000, options.scale)))]
    try:
        with stores.empty("postgresql") as store:
            found = run("mix.py", "--url", store.url, *words)
    except Unavailable as error:
        return Section(title, "s", [], absent=(f"A mix: {error}",))
    rows = [
        Row(f"{cut}, {way}", [found[way][f"{cut} s"]], of=f"{cut}, {ONE}")
        for cut in ("p50", "p99")
        for way in (ONE, "as it comes")
    ]
    return Section(title, "s", rows, beside=ONE, ranked=False)


def promises(_: Stores, options: argparse.Namespace) -> Section:
    """Each promise on and off, in processor time of a job that does nothing, kept in memory."""
    jobs = max(20, part(4000, options.scale))
    found = run("promises.py", "--rounds", str(options.rounds * 7), "--jobs", str(jobs))
    rows = []
    for name, values in found.items():
        rows.append(Row(f"{name}: off", [values["off"]]))
        rows.append(Row(f"{name}: on", [values["on"]], of=f"{name}: off"))
    return Section("What each promise costs a worker", "us", rows, beside="off", ranked=False)


def weight(_: Stores, options: argparse.Namespace) -> Section:
    """Import, command line, memory."""
    found = run("weight.py", "--rounds", str(options.rounds))
    rows = [Row(name, [value]) for name, value in found.items()]
    return Section("What Bide weighs", "ms or MB", rows, ranked=False)


SECTIONS: dict[str, Callable[[Stores, argparse.Namespace], Section]] = {
    "depth": depth,
    "bad-day": bad_day,
    "mix": mix,
    "promises": promises,
    "weight": weight,
}


def days(
    stores: Stores, options: argparse.Namespace, kind: str, *, depth: int = 0, dead: int = 0
) -> dict[str, Any]:
    """The program about weather, on an empty database."""
    words = ["--rounds", str(options.rounds), "--depth", str(depth), "--dead", str(dead)]
    jobs = max(200, part(DRAINED[kind], options.scale))
    with stores.empty(kind) as store:
        return run("weather.py", "--url", store.url, "--jobs", str(jobs), *words)


def part(whole: int, scale: float) -> int:
    """Smaller for a short run, never larger."""
    return round(whole * min(1.0, scale))


def run(name: str, *words: str) -> dict[str, Any]:
    """What a program answers; raises Unavailable with what it said in failing."""
    try:
        return program(name, *words, "--json")
    except SystemExit as error:
        raise Unavailable(f"Bide: {error}") from None


def drained(name: str, found: dict[str, float], of: str = "") -> Row:
    values = [found[each] for each in ("least", "rate", "most")]
    return Row(name, values, found["worker_us"], found["server_us"], of=of)
