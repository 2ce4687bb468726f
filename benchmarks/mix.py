"""Do short jobs wait behind slow ones that their worker runs while others are idle?

    python benchmarks/mix.py --url postgresql:///bench [--jobs 2000] [--workers 4] [--json]

One job in a hundred takes 1 s, the others 1 ms; all are stored at once, in random order. Prints how long they
waited with claims ahead (as it comes) and with claims of one, from when the first of them began.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from costs import HERE, options, show

APPLICATION = """
import os, sys, time
import bide
app = bide.App.from_env()

@app.job
def sleeps(seconds):
    with open(os.environ["TOLD"], "a") as file:
        file.write(f"{time.monotonic()}\\n")
    time.sleep(seconds)

if __name__ == "__main__":
    app.worker(exit_on_complete=True).start()
"""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    show(measure(given.url, given.jobs, given.workers, given.rounds), as_json=given.json)


def measure(url: str, jobs: int = 2_000, workers: int = 4, rounds: int = 3) -> dict[str, Any]:
    """Seconds that jobs waited: medians over rounds, and the ratio of the 99th percentiles."""
    ways = {"as it comes": "100", "claims of one": "1"}
    waits: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, ahead in ways.items():
            waits[name].append(once(url, jobs, workers, ahead))
    found: dict[str, Any] = {
        name: {
            "p50 s": round(statistics.median(p50 for p50, _ in each), 2),
            "p99 s": round(statistics.median(p99 for _, p99 in each), 2),
        }
        for name, each in waits.items()
    }
    ratio = found["as it comes"]["p99 s"] / found["claims of one"]["p99 s"]
    found["p99, of the one with claims of one"] = round(ratio, 3)
    return found


def once(url: str, jobs: int, workers: int, ahead: str) -> tuple[float, float]:
    """Median and 99th percentile of one run."""
    with tempfile.TemporaryDirectory(prefix="bide-mix-") as directory:
        program, told = Path(directory) / "sleeping.py", Path(directory) / "told"
        program.write_text(APPLICATION)
        environment = {
            **os.environ,
            "BIDE_DATABASE_URL": url,
            "BIDE_READ_AHEAD": ahead,
            "TOLD": str(told),
            "PYTHONPATH": f"{directory}:{HERE}",
        }
        slow = jobs // 100
        times = [1.0] * slow + [0.001] * (jobs - slow)
        random.shuffle(times)
        store = (
            "import sys, json, sleeping; from drain import empty; app = sleeping.app; app.migrate(); "
            "empty(app); app.enqueue_many(sleeping.sleeps.bind(one) for one in json.load(sys.stdin))"
        )
        subprocess.run(
            [sys.executable, "-c", store], input=str(times), text=True, env=environment, check=True
        )
        command = [sys.executable, "-m", "sleeping"]
        running = [subprocess.Popen(command, env=environment) for _ in range(workers)]
        for one in running:
            one.wait(600)
        starts = [float(line) for line in told.read_text().split()]
        assert len(starts) == jobs, f"{len(starts)} of {jobs} jobs were performed"
        cuts = statistics.quantiles([start - min(starts) for start in starts], n=100)
        return cuts[49], cuts[98]


if __name__ == "__main__":
    main()
