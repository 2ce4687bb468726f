"""How fast one worker process performs stored no-op jobs, with everything on, beside the bare driver.

    python benchmarks/drain.py --url postgresql:///bench [--jobs 100000] [--rounds 3] [--workers 2] [--json]

The runs of all rows are interleaved. `worker_us` and `server_us` are CPU microseconds a job.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import bare
import bide
from costs import options, program, rates, show


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="only one run, with its profile")
    given = parser.parse_args()
    if given.profile:
        profile(given.url, given.jobs)
        return
    show(measure(given.url, given.jobs, given.rounds, given.workers), as_json=given.json)


def measure(url: str, jobs: int = 100_000, rounds: int = 3, workers: int = 1) -> dict[str, Any]:
    """Bide's rates for `def` and `async def` jobs, the bare driver's, and the ratios."""
    ceiling = "drain batch 100"
    runs: dict[str, list[dict[str, Any]]] = {"def": [], "async def": [], ceiling: []}
    for _ in range(rounds):
        runs["def"].append(once(url, jobs, "nothing", workers))
        runs["async def"].append(once(url, jobs, "nothing_async", workers))
        runs[ceiling] += bare.once(url, ceiling, jobs, 1)[1]
    found: dict[str, Any] = {name: rates(jobs, each) for name, each in runs.items()}
    bare_rate = found[ceiling]["rate"]
    for name in ("def", "async def"):
        found[f"{name}, of the bare driver's"] = round(found[name]["rate"] / bare_rate, 3)
    return found


def once(url: str, jobs: int, name: str, workers: int = 1) -> dict[str, Any]:
    """Fill the queue, then let `workers` processes empty it."""
    fill(url, jobs, name)
    told: list[dict[str, Any]] = []

    def work() -> None:
        told.append(program("drain_worker.py", BIDE_DATABASE_URL=url))

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one["left"] == 0 for one in told), "jobs are left"
    return {
        "seconds": max(one["seconds"] for one in told),
        "worker_cpu": sum(one["worker_cpu"] for one in told),
        "server_cpu": max(one["server_cpu"] for one in told),
    }


def fill(url: str, jobs: int, name: str = "nothing") -> None:
    """An empty queue with `jobs` jobs in it, its statistics fresh."""
    import os

    os.environ["BIDE_DATABASE_URL"] = url
    import bench_app

    app = bide.App(url)
    app.migrate()
    job = getattr(bench_app, name)
    empty(app)
    bench_app.app.enqueue_many(job.bind(number) for number in range(jobs))
    if app.database.kind == "postgresql":
        app.database.read(lambda c: c.execute("VACUUM ANALYZE bide_jobs"))
    app.close()
    bench_app.app.close()
    time.sleep(0.2)


def empty(app: bide.App) -> None:
    """Without rows, dead ones included: InnoDB would go on cleaning up after a DELETE for minutes."""
    database = app.database
    clear = "DELETE FROM bide_jobs" if database.kind == "sqlite" else "TRUNCATE TABLE bide_jobs"
    database.run(lambda c: c.execute(clear))


def profile(url: str, jobs: int) -> None:
    """Print where the worker's time goes, by its own profiler."""
    import os
    import subprocess
    import sys

    from costs import HERE

    fill(url, jobs)
    command = [sys.executable, str(HERE / "drain_worker.py"), "--profile"]
    subprocess.run(command, env={**os.environ, "BIDE_DATABASE_URL": url}, check=True)


if __name__ == "__main__":
    main()
