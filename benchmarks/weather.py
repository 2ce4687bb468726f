"""Depth and bad weather: does the queue stay as fast when it is full, or when nothing can be vacuumed?

    python benchmarks/weather.py --url postgresql:///bench [--depth 1000000] [--dead 1000000] [--json]

Depth: so many scheduled and so many ready jobs lie there while others are drained. Bad day (PostgreSQL): a
session holds a snapshot while so many jobs are stored, claimed and finished; then the same drain with
the snapshot held, and again and again after its end, until the queue is as fast as it was, for a
minute at most: nobody vacuums but the server itself. Each drain is a new worker process, whose first job is not measured.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from costs import options, plain, program, rates, show

#: Jobs of one drain: two seconds of them.
DRAINED = {"postgresql": 60_000, "sqlite": 60_000, "mysql": 20_000}
#: The part of the good day's rate that counts as recovered, and the seconds that it may take after a million dead rows.
RECOVERED, PATIENCE = 0.8, 60.0
#: What becomes of ready jobs of which nothing is left but dead rows.
LIVES = (
    "UPDATE bide_jobs SET state = 1, lease = lease + 1, locked_at = now(), worker_id = 1 WHERE state = 0",
    "DELETE FROM bide_jobs WHERE worker_id = 1 AND state = 1",
)

Runs = dict[str, list[dict[str, Any]]]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--depth", type=int, default=1_000_000, help="0: not measured")
    parser.add_argument("--dead", type=int, default=1_000_000, help="0: not measured")
    parser.add_argument("--jobs", type=int, help="of one drain")
    given = parser.parse_args()
    os.environ["BIDE_DATABASE_URL"] = given.url
    found = Days(given.url, given.jobs, given.rounds).measure(given.depth, given.dead)
    show(found, as_json=given.json)


class Days:
    """One database in all weathers."""

    def __init__(self, url: str, jobs: int | None, rounds: int) -> None:
        import bench_app

        self.url, self.rounds = url, rounds
        self.app, self.job = bench_app.app, bench_app.nothing
        self.app.migrate()
        assert self.app.database is not None
        self.kind = self.app.database.kind
        self.jobs = jobs or DRAINED[self.kind]
        self.runs: Runs = {"empty table": []}

    def measure(self, depth: int, dead: int) -> dict[str, Any]:
        """Jobs a second and CPU in each weather, and the ratios to the good days before and after."""
        from drain import empty

        empty(self.app)
        self.good()
        if depth:
            self.deep(depth)
            empty(self.app)
            self.good()
        bad = dead and self.kind == "postgresql"
        recovered = self.bad(dead) if bad else None
        empty(self.app)
        found: dict[str, Any] = {name: rates(self.jobs, each) for name, each in self.runs.items()}
        for name in self.runs.keys() - {"empty table"}:
            ratio = found[name]["rate"] / found["empty table"]["rate"]
            found[f"{name}, of the empty table's"] = round(ratio, 3)
        if bad:
            found["seconds until it was recovered"] = recovered
        return found

    def good(self) -> None:
        for _ in range(self.rounds):
            self.fill(self.jobs + 1)
            self.settle()
            self.drain("empty table")

    def deep(self, depth: int) -> None:
        """Drain some of many; what was there first is drained first."""
        self.fill(depth, scheduled=True)
        self.fill(depth + self.rounds * (self.jobs + 1))
        self.settle()
        for _ in range(self.rounds):
            self.drain("deep")

    def bad(self, dead: int) -> float | None:
        """Drains with the snapshot and the first good one without: how many seconds later that began."""
        assert self.app.database is not None
        with self.old_snapshot():
            self.fill(dead)
            for statement in LIVES:
                self.app.database.run(lambda connection, text=statement: connection.execute(text))
            for _ in range(self.rounds):
                self.fill(self.jobs + 1)
                self.drain("snapshot held")
        began = time.monotonic()
        enough = statistics.median(map(self.rate, self.runs["empty table"])) * RECOVERED
        while (waited := time.monotonic() - began) < PATIENCE * dead / 1_000_000:
            self.fill(self.jobs + 1)
            self.runs.pop("snapshot gone", None)
            if self.drain("snapshot gone") >= enough:
                return round(waited, 1)
        return None

    @contextmanager
    def old_snapshot(self) -> Iterator[None]:
        """A report that somebody has begun and not ended."""
        import psycopg

        with psycopg.connect(plain(self.url)) as holder:
            holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            holder.execute("SELECT count(*) FROM bide_workers")
            yield

    def drain(self, weather: str) -> float:
        """One more run in that weather; its rate."""
        run = program("drain_worker.py", "--jobs", str(self.jobs), BIDE_DATABASE_URL=self.url)
        self.runs.setdefault(weather, []).append(run)
        return self.rate(run)

    def rate(self, run: dict[str, Any]) -> float:
        return float(self.jobs / run["seconds"])

    def fill(self, count: int, *, scheduled: bool = False) -> None:
        from fill import fill

        fill(self.app, self.job, count, scheduled=scheduled)

    def settle(self) -> None:
        from fill import settle

        settle(self.app)


if __name__ == "__main__":
    main()
