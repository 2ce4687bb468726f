"""Depth and bad weather: does the queue stay as fast when it is full, or when nothing can be vacuumed?

    python benchmarks/weather.py --url postgresql:///bench [--depth 1000000] [--dead 1000000] [--json]

Depth: so many scheduled and so many ready jobs lie there while others are drained. Bad day: a session
holds a snapshot while so many jobs are done; then the same drain, with the snapshot and after it.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import bide
from costs import options, plain, show, timed

#: Jobs of one drain.
DRAINED = 20_000


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--depth", type=int, default=1_000_000)
    parser.add_argument("--dead", type=int, default=1_000_000)
    given = parser.parse_args()
    show(measure(given.url, given.depth, given.dead), as_json=given.json)


def measure(url: str, depth: int = 1_000_000, dead: int = 1_000_000) -> dict[str, Any]:
    """Jobs a second and server CPU in each weather, and the ratios to the good day."""
    os.environ["BIDE_DATABASE_URL"] = url
    import bench_app
    from drain import empty

    app = bench_app.app
    app.migrate()
    empty(app)
    good = drain(app, url, DRAINED)
    found: dict[str, Any] = {"empty table": good}
    later = bench_app.nothing.using(run_at=timedelta(days=30))
    app.enqueue_many(later.bind(number) for number in range(depth))
    app.enqueue_many(bench_app.nothing.bind(number) for number in range(depth))
    found["deep"] = drain(app, url, 0)
    empty(app)
    if app.database is not None and app.database.kind == "postgresql":
        found |= bad_day(app, url, dead)
    for name in ("deep", "snapshot held", "snapshot gone"):
        if name in found:
            found[f"{name}, of the empty table's"] = round(found[name]["rate"] / good["rate"], 3)
    return found


def bad_day(app: bide.App, url: str, dead: int) -> dict[str, Any]:
    import psycopg

    with psycopg.connect(plain(url)) as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM bide_workers")
        drain(app, url, dead)
        held = drain(app, url, DRAINED)
    assert app.database is not None
    app.database.read(lambda connection: connection.execute("VACUUM bide_jobs"))
    return {"snapshot held": held, "snapshot gone": drain(app, url, DRAINED)}


def drain(app: bide.App, url: str, jobs: int) -> dict[str, float]:
    """Store so many and run DRAINED (all, if more) of what is there, in this process."""
    import bench_app

    app.enqueue_many(bench_app.nothing.bind(number) for number in range(jobs))
    count = max(jobs, DRAINED)
    worker = app.worker()
    took = timed(url, lambda: worker.work_off(count))
    return {
        "rate": round(count / took["seconds"]),
        "worker_us": round(took["worker_cpu"] / count * 1e6, 1),
        "server_us": round(took["server_cpu"] / count * 1e6, 1),
    }


if __name__ == "__main__":
    main()
