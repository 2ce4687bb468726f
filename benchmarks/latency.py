"""How long it takes from the commit of a job to its first line, with an idle worker; what idling costs.

    python benchmarks/latency.py --url postgresql:///bench [--jobs 500] [--rest 0.02] [--texts] [--json]

The worker is a process of its own, `bide work` as it comes. Both clocks are CLOCK_MONOTONIC of one machine.
With `--texts` the jobs look a text up, which the worker keeps fresh from then on.
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

from costs import HERE, cpu_of, options, server_processes, show

APPLICATION = """
import os, time
import bide
from bide.i18n import Chain, Database, I18n, Simple
app = bide.App.from_env()
texts = I18n(Chain(Database(app), Simple())) if os.environ.get("TEXTS") else None
if texts:
    app.use(texts)

@app.job
def told(number):
    now = time.perf_counter()
    if texts:
        texts.t("word", default="")
    with open(os.environ["TOLD"], "a") as file:
        file.write(f"{number} {now}\\n")
"""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument(
        "--idle", type=float, default=20.0, help="seconds of idling that are measured"
    )
    parser.add_argument(
        "--rest", type=float, default=0.02, help="seconds of idling before each job that is stored"
    )
    parser.add_argument("--texts", action="store_true", help="with texts in use")
    given = parser.parse_args()
    measured = measure(given.url, given.jobs, given.idle, rest=given.rest, texts=given.texts)
    show(measured, as_json=given.json)


def measure(
    url: str, jobs: int = 500, idle: float = 20.0, *, rest: float = 0.02, texts: bool = False
) -> dict[str, Any]:
    """Milliseconds from commit to the job's first line, the CPU of an idle worker and of its server."""
    with tempfile.TemporaryDirectory(prefix="bide-latency-") as directory:
        (Path(directory) / "tells.py").write_text(APPLICATION)
        told = Path(directory) / "told"
        told.touch()
        os.environ.update(BIDE_DATABASE_URL=url, TOLD=str(told), PYTHONPATH=f"{directory}:{HERE}")
        os.environ["TEXTS"] = "1" if texts else ""
        sys.path.insert(0, directory)
        import tells

        from drain import empty

        tells.app.migrate()
        empty(tells.app)
        command = [sys.executable, "-m", "bide.cli", "--app", "tells:app", "work", "-q"]
        worker = subprocess.Popen(command, cwd=directory)
        try:
            waits = enqueue_all(tells, told, jobs, rest)
            time.sleep(2)
            servers = server_processes(url)
            used, of_server = cpu_of([worker.pid]), cpu_of(servers)
            time.sleep(idle)
            used, of_server = cpu_of([worker.pid]) - used, cpu_of(servers) - of_server
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)
        cuts = statistics.quantiles(waits, n=100)
        return {
            "p50 ms": round(cuts[49], 2),
            "p99 ms": round(cuts[98], 2),
            "idle % of a core": round(used / idle * 100, 2),
            "idle server % of a core": round(of_server / idle * 100, 2),
        }


def enqueue_all(tells: Any, told: Path, jobs: int, rest: float) -> list[float]:
    """One job at a time, each when the worker has been idle for a while."""
    committed = []
    tells.told.delay(-1)
    wait_for(told, 1)
    for number in range(jobs):
        time.sleep(rest)
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
