"""One worker process that performs what is stored and prints what that took; started by drain.py."""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import sys

from bench_app import app
from bide.jobs.job import Filter
from costs import timed


def main() -> None:
    app.worker().work_off(1)  # what is imported and opened once is not measured
    worker = app.worker(exit_on_complete=True)
    if "--profile" in sys.argv:
        profile = cProfile.Profile()
        profile.runcall(worker.start)
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)
        return
    took = timed(os.environ["BIDE_DATABASE_URL"], worker.start)
    print(json.dumps({**took, "left": app.store.count(Filter())}))


if __name__ == "__main__":
    main()
