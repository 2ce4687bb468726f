"""How long it takes from the commit of a job to its first line, with an idle worker; what idling costs.

    python benchmarks/latency.py --url postgresql:///bench [--jobs 500] [--json]

The worker is a process of its own, `bide work` as it comes. Both clocks are CLOCK_MONOTONIC of one machine.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from costs import HERE, cpu_of, options, show

APPLICATION = """
import os, time
import bide
app = bide.App.from_env()

@app.job
def told(number):
    now = time.perf_counter()
    with open(os.environ["TOLD"], "a") as file:
        file.write(f"{number} {now}\\n")
"""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument(
        "--idle", type=float, default=20.0, help="seconds of idling that are measured"
    )
    given = parser.parse_args()
    show(measure(given.url, given.jobs, given.idle), as_json=given.json)


def measure(url: str, jobs: int = 500, idle: float = 20.0) -> dict[str, Any]:
    """Milliseconds from commit to the job's first line, and the CPU of an idle worker."""
    with tempfile.TemporaryDirectory(prefix="bide-latency-") as directory:
        (Path(directory) / "tells.py").write_text(APPLICATION)
        told = Path(directory) / "told"
        told.touch()
        os.environ.update(BIDE_DATABASE_URL=url, TOLD=str(told), PYTHONPATH=f"{directory}:{HERE}")
        sys.path.insert(0, directory)
        import tells

        from drain import empty

        tells.app.migrate()
        empty(tells.app)
        command = [sys.executable, "-m", "bide.cli", "--app", "tells:app", "work", "-q"]
        worker = subprocess.Popen(command, cwd=directory)
        try:
            waits = enqueue_all(tells, told, jobs)
            time.sleep(2)
            used = cpu_of([worker.pid])
            time.sleep(idle)
            used = cpu_of([worker.pid]) - used
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)
        cuts = statistics.quantiles(waits, n=100)
        return {
            "p50 ms": round(cuts[49], 2),
            "p99 ms": round(cuts[98], 2),
            "idle % of a core": round(used / idle * 100, 2),
        }


def enqueue_all(tells: Any, told: Path, jobs: int) -> list[float]:
    """One job at a time, each when the worker has been idle for a while."""
    committed = []
    tells.told.delay(-1)
    wait_for(told, 1)
    for number in range(jobs):
        time.sleep(0.02)
        tells.told.delay(number)
        committed.append(time.perf_counter())
        wait_for(told, number + 2)
    starts = dict(line.split() for line in told.read_text().splitlines())
    return [(float(starts[str(number)]) - at) * 1000 for number, at in enumerate(committed)]


def wait_for(told: Path, lines: int) -> None:
    """Looking too often would take the worker's core away."""
    deadline = time.monotonic() + 60
    while told.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < deadline, "the worker does not work"
        time.sleep(0.005)


if __name__ == "__main__":
    main()
