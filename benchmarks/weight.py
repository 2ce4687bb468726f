"""What Bide weighs: its import, its command line, an idle worker alone and beside others.

python benchmarks/weight.py [--rounds 5] [--json]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from costs import HERE, options, show
from memory import pss


def main() -> None:
    given = options(__doc__).parse_args()
    show(measure(given.rounds), as_json=given.json)


def measure(rounds: int = 5) -> dict[str, Any]:
    """Milliseconds and megabytes, medians."""
    bare = took(["-c", "pass"], rounds)
    return {
        "python alone ms": bare,
        "import bide ms, above that": round(took(["-c", "import bide"], rounds) - bare, 1),
        "bide --help ms": took(["-m", "bide.cli", "--help"], rounds),
        **memory(),
    }


def took(arguments: list[str], rounds: int) -> float:
    """Milliseconds of CPU and waiting of one command."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 1)


def memory() -> dict[str, float]:
    """Megabytes of an idle worker: alone (resident), and of one among four (proportional)."""
    with tempfile.TemporaryDirectory(prefix="bide-weight-") as directory:
        environment = {
            **os.environ,
            "BIDE_DATABASE_URL": f"sqlite:///{directory}/weight.db",
            "PYTHONPATH": str(HERE),
        }
        make = "import bench_app; bench_app.app.migrate()"
        subprocess.run([sys.executable, "-c", make], env=environment, check=True)
        alone = measured(environment, directory, [], lambda one: one.memory_info().rss / 1e6)
        among = measured(
            environment, directory, ["-n", "4"], lambda one: max(pss(c.pid) for c in one.children())
        )
        return {"idle worker alone MB": round(alone, 1), "one of four MB (PSS)": round(among, 1)}


def measured(environment: dict[str, str], directory: str, how: list[str], look: Any) -> float:
    """What `look` sees of a worker that has had nothing to do for two seconds."""
    command = [sys.executable, "-m", "bide.cli", "--app", "bench_app:app", "work", "-q", *how]
    worker = subprocess.Popen(command, env=environment, cwd=Path(directory))
    try:
        time.sleep(4)
        return float(look(psutil.Process(worker.pid)))
    finally:
        worker.terminate()
        worker.wait(30)


if __name__ == "__main__":
    main()
