"""Bide beside its peers and the ceilings, in one run, interleaved.

    bin/bench [--quick] [--only drain,sqlite,...] [--peers pgqueuer_,...|none] [--rounds N]
              [--json FILE] [--write]

Starts a durable PostgreSQL, MariaDB and Redis of its own, makes an environment for each peer under
.cache/contest, and prints medians with their spread, the ratio to the bare driver, and the processor
time of worker and server per job, which depends least on what else the machine does. How a peer is
configured stands in benchmarks/peers, one file each.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from contest import alone
from contest.environments import Contender, Unavailable
from contest.noise import Noise, machine
from contest.report import NAMES, Row, Section, chart
from contest.runs import Drain, drain, enqueue, latencies
from contest.stores import Stores

PEERS = [name for name in NAMES if not name.startswith(("bare_", "bide_"))]
#: The peers that tell most; all others take part without --quick.
QUICK_PEERS = ["pgqueuer_", "huey_sqlite"]
#: Where the documentation keeps what was measured.
SHOWN = Path(__file__).resolve().parents[1] / "docs" / "explanation"

Entry = tuple[str, bool]


class Contest:
    """The contenders that could be prepared, and what became of the others."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.noise, self.stores = options, Noise(), Stores()
        self.contenders: dict[str, Contender] = {}
        self.absent: dict[str, str] = {}
        self.sections: dict[str, Section] = {}

    def contender(self, module: str) -> Contender | None:
        """Prepared once; None where it cannot take part."""
        if module not in self.contenders and module not in self.absent:
            try:
                self.say(f"preparing {NAMES[module]}")
                self.contenders[module] = Contender.prepare(module)
            except (Unavailable, OSError) as error:
                self.absent[module] = f"{NAMES[module]}: {error}"
                self.say(f"  absent: {error}")
        return self.contenders.get(module)

    def rounds(
        self,
        key: str,
        title: str,
        entries: list[Entry],
        measure: Callable[[Contender, bool], Drain],
        *,
        ceiling: str = "",
    ) -> None:
        """Every entry once in each round, in a new order each time; the medians become a section."""
        results: dict[Entry, list[Drain]] = defaultdict(list)
        lost: dict[Entry, str] = {}
        for number in range(self.options.rounds):
            self.say(f"{title}: round {number + 1} of {self.options.rounds}")
            for entry in random.sample(entries, len(entries)):
                self._one(entry, measure, results, lost)
        rows = [row(entry, runs, entries) for entry, runs in results.items() if entry not in lost]
        absent = tuple(lost.values()) + tuple(
            self.absent[m] for m, _ in entries if m in self.absent
        )
        self.show(key, Section(title, "jobs/s", rows, NAMES.get(ceiling, ""), tuple(set(absent))))

    def _one(
        self,
        entry: Entry,
        measure: Callable[[Contender, bool], Drain],
        results: dict[Entry, list[Drain]],
        lost: dict[Entry, str],
    ) -> None:
        module, best = entry
        contender = self.contender(module)
        if contender is None or entry in lost:
            return
        self.noise.look()
        try:
            done = measure(contender, best)
        except Unavailable as error:
            lost[entry] = str(error)
            self.say(f"  {error}")
            return
        if done.left:
            lost[entry] = f"{NAMES[module]} left {done.left} jobs undone"
        self.say(f"  {NAMES[module]}{' at its best' if best else ''}: {done.rate:,.0f} jobs/s")
        results[entry].append(done)

    def count(self, contender: Contender, best: bool) -> int:
        """Jobs of one drain."""
        about = contender.about
        whole = about["best_jobs"] if best else about["jobs"]
        return max(50, int(whole * self.options.scale))

    def show(self, key: str, section: Section) -> None:
        """Keep a section and print it."""
        self.sections[key] = section
        print(f"\n{section.table()}\n", flush=True)

    @staticmethod
    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)


def row(entry: Entry, runs: list[Drain], entries: list[Entry]) -> Row:
    module, best = entry
    both = (module, not best) in entries
    note = ("best" if best else "as it comes") if both else ""
    worker, server = (
        statistics.median(values) for values in zip(*[run[1:3] for run in runs], strict=True)
    )
    return Row(NAMES[module], [run.rate for run in runs], worker, server, note)


def drains(contest: Contest, peers: list[str]) -> None:
    """One worker process on PostgreSQL (and the peers that keep jobs in Redis)."""
    entries: list[Entry] = [
        (name, False) for name in ("bare_psycopg", "bare_on_bide", "bide_jobs", "bide_async")
    ]
    for peer in peers:
        contender = None if peer == "huey_sqlite" else contest.contender(peer)
        if contender is not None:
            entries += [
                (peer, best)
                for best in (False, True)
                if contender.about["best_jobs" if best else "jobs"]
            ]
    contest.rounds(
        "drain",
        "Drain, one worker process",
        entries,
        lambda one, best: drain(
            one, contest.stores, contest.count(one, best), best=best, workers=1
        ),
        ceiling="bare_psycopg",
    )


def two(contest: Contest, peers: list[str]) -> None:
    """Two worker processes on PostgreSQL."""
    entries = [("bare_psycopg", False), ("bide_jobs", False)]
    entries += [(peer, True) for peer in ("pgqueuer_", "chancy_", "awa_") if peer in peers]
    contest.rounds(
        "two",
        "Drain, two worker processes",
        entries,
        lambda one, best: drain(
            one, contest.stores, contest.count(one, best), best=best, workers=2
        ),
        ceiling="bare_psycopg",
    )


def elsewhere(
    kind: str, title: str, ours: str, others: list[str]
) -> Callable[[Contest, list[str]], None]:
    """A drain on SQLite or MariaDB: Bide beside the bare driver."""

    def section(contest: Contest, peers: list[str]) -> None:
        def measure(one: Contender, best: bool) -> Drain:
            count = contest.count(one, best)
            if one.module in ("bide_jobs", "bare_on_bide"):
                one = Contender(one.module, one.python, one.about | {"store": kind})
                count //= 2
            return drain(one, contest.stores, count, best=best, workers=1)

        entries = [
            *((name, False) for name in (ours, "bare_on_bide", "bide_jobs")),
            *((peer, best) for peer in others if peer in peers for best in (False, True)),
        ]
        contest.rounds(kind, title, entries, measure, ceiling=ours)

    return section


def enqueues(
    action: str, title: str, counts: tuple[int, int]
) -> Callable[[Contest, list[str]], None]:
    """Enqueueing one by one, or many at a time, on PostgreSQL."""

    def section(contest: Contest, peers: list[str]) -> None:
        usual, slow = (max(20, int(count * contest.options.scale)) for count in counts)

        def measure(one: Contender, best: bool) -> Drain:
            quick = one.module.startswith(("bare", "bide", "pgqueuer", "awa")) or action == "one"
            return enqueue(one, contest.stores, action, usual if quick else slow)

        entries = [(name, False) for name in ("bare_psycopg", "bare_on_bide", "bide_jobs", *peers)]
        entries = [entry for entry in entries if entry[0] != "huey_sqlite"]
        contest.rounds(f"enqueue-{action}", title, entries, measure, ceiling="bare_psycopg")

    return section


def waits(contest: Contest, peers: list[str]) -> None:
    """From the return of an enqueue to the first line of its job, the worker idle."""
    count = max(20, int(200 * contest.options.scale))
    stores = [("bide_jobs", kind) for kind in ("postgresql", "sqlite", "mysql")]
    stores += [
        (peer, "") for peer in ("pgqueuer_", "procrastinate_", "oban_", "chancy_") if peer in peers
    ]
    rows = []
    for module, kind in stores:
        contender = contest.contender(module)
        if contender is None:
            continue
        about = contender.about | ({"store": kind} if kind else {})
        contest.noise.look()
        try:
            said = sorted(
                latencies(Contender(module, contender.python, about), contest.stores, count)
            )
        except Unavailable as error:
            contest.say(f"  {error}")
            continue
        note = f"{about['store']}, p99 {said[int(len(said) * 0.99)]:.2f}"
        rows.append(Row(NAMES[module], said, note=note))
        contest.say(f"  {NAMES[module]} on {about['store']}: {statistics.median(said):.2f} ms")
    rows.sort(key=lambda each: each.median)
    title = "From the return of an enqueue to the first line of the job"
    contest.show("latency", Section(title, "ms, p50", rows, ranked=False))


def by_itself(key: str) -> Callable[[Contest, list[str]], None]:
    """What no other queue takes part in."""

    def section(contest: Contest, peers: list[str]) -> None:
        contest.noise.look()
        found = alone.SECTIONS[key](contest.stores, contest.options)
        for why in found.absent:
            contest.say(f"  {why}")
        contest.show(key, found)

    return section


SECTIONS: dict[str, Callable[[Contest, list[str]], None]] = {
    "drain": drains,
    "two": two,
    "sqlite": elsewhere("sqlite", "Drain on SQLite", "bare_sqlite", ["huey_sqlite"]),
    "mysql": elsewhere("mysql", "Drain on MariaDB", "bare_pymysql", []),
    "enqueue-one": enqueues("one", "Enqueue one by one, each committed", (4000, 4000)),
    "enqueue-many": enqueues("many", "Enqueue many", (100_000, 3000)),
    "latency": waits,
    **{key: by_itself(key) for key in alone.SECTIONS},
}


def main() -> None:
    """Run what was asked for; status 1 when Bide itself could not be measured or left jobs undone."""
    options = arguments()
    chosen = [] if options.peers == "none" else options.peers.split(",")
    contest = Contest(options)
    try:
        for key in options.only.split(","):
            began = time.monotonic()
            SECTIONS[key](contest, chosen)
            contest.say(f"{key} took {time.monotonic() - began:.0f} s")
    finally:
        contest.stores.close()
    result = {
        "machine": machine(),
        "noise": contest.noise.verdict,
        "rounds": options.rounds,
        "scale": options.scale,
        "sections": {key: section.as_json() for key, section in contest.sections.items()},
    }
    publish(contest, result, options)
    if any("Bide" in why for section in contest.sections.values() for why in section.absent):
        sys.exit(1)


def publish(contest: Contest, result: dict[str, Any], options: argparse.Namespace) -> None:
    """JSON where it was asked for, tables and charts for the documentation, and the verdict on noise."""
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
    if options.write:
        (SHOWN / "figures").mkdir(exist_ok=True)
        for key, section in contest.sections.items():
            (SHOWN / "figures" / f"{key}.svg").write_text(chart(section))
        (SHOWN / "measured.md").write_text(page(contest, result))
    if contest.noise.verdict:
        print(contest.noise.verdict)


def page(contest: Contest, result: dict[str, Any]) -> str:
    """The documentation's page of figures."""
    about = result["machine"]
    head = (
        "# Measured beside others\n\n"
        "Made by `bin/bench --write`; do not edit. No-op jobs stored beforehand; servers that flush every\n"
        "commit, which claims and reports of Bide and of the bare drivers on PostgreSQL do not wait for;\n"
        f"{about['cores']} cores, {about['memory_gib']} GiB, {about['processor']}, Python "
        f"{about['python']};\n{result['rounds']} interleaved rounds, medians. [How they are compared and "
        "configured](contest.md) is told elsewhere.\n"
    )
    noise = f"\n**{result['noise']}**\n" if result["noise"] else ""
    parts = [
        f"\n{section.table()}\n\n![{section.title}](figures/{key}.svg)\n"
        for key, section in contest.sections.items()
    ]
    return head + noise + "".join(parts).replace("### ", "## ")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="two peers, one worker process, two short rounds"
    )
    parser.add_argument("--only", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--peers", help=f"'none', or of {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--scale", type=float, help="1: each drain takes about three seconds")
    parser.add_argument("--depth", type=int, help="jobs that wait, rows that are dead")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--write", action="store_true", help="update tables and charts of docs/")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 3)
    options.scale = options.scale or (0.3 if options.quick else 0.6)
    options.depth = options.depth or (100_000 if options.quick else 1_000_000)
    options.only = options.only or ",".join(
        key for key in SECTIONS if key != "two" or not options.quick
    )
    if options.peers is None:
        options.peers = ",".join(QUICK_PEERS if options.quick else PEERS)
    refuse_unknown(parser, options.only.split(","), list(SECTIONS))
    if options.peers != "none":
        refuse_unknown(parser, options.peers.split(","), PEERS)
    return options


def refuse_unknown(parser: argparse.ArgumentParser, asked: list[str], known: list[str]) -> None:
    unknown = sorted(set(asked) - set(known))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")


if __name__ == "__main__":
    main()
