"""One worker process that performs what is stored and prints what that took; started by others.

`--jobs N` performs so many and leaves the rest; `--profile` prints where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import sys

from bench_app import app
from bide.jobs.job import Filter
from costs import timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    app.worker().work_off(1)  # what is imported and opened once is not measured
    worker = app.worker(exit_on_complete=True)
    if given.profile:
        profile = cProfile.Profile()
        profile.runcall(worker.start)
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)
        return
    url = os.environ["BIDE_DATABASE_URL"]
    if given.jobs:
        took = timed(url, lambda: require(worker.work_off(given.jobs), given.jobs))
        print(json.dumps(took))
        return
    took = timed(url, worker.start)
    print(json.dumps({**took, "left": app.store.count(Filter())}))


def require(counts: tuple[int, int], jobs: int) -> None:
    assert counts == (jobs, 0), f"{counts} instead of {jobs} jobs were performed"


if __name__ == "__main__":
    main()
