"""What a further forked worker costs when the application that was imported has 100 MB.

    python benchmarks/memory.py [--megabytes 100] [--workers 1 2 4 8]

Prints the proportional memory (PSS, from /proc/*/smaps_rollup) of the whole fleet after every worker
has performed jobs, what each further worker adds to it, and what a fork takes.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

APPLICATION = """
import os, time
import bide
app = bide.App.from_env()
#: Many small objects, as modules have: code, strings, dicts.
imported = [{"number": n, "text": str(n) * 3} for n in range(int(os.environ["MEGABYTES"]) * 2800)]

@app.job
def use(number):
    time.sleep(0.01)
    return imported[number % len(imported)]["text"]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8])
    options = parser.parse_args()
    print(f"{'workers':>8} {'all MB':>8} {'supervisor RSS MB':>18} {'each further MB':>16}")
    before: tuple[int, float] | None = None
    for workers in options.workers:
        with tempfile.TemporaryDirectory(prefix="bide-memory-") as directory:
            total, alone = measure(Path(directory), workers, options.megabytes)
        further = "" if before is None else f"{(total - before[1]) / (workers - before[0]):.1f}"
        print(f"{workers:>8} {total:>8.1f} {alone:>18.1f} {further:>16}")
        before = workers, total
    print(f"a fork with {options.megabytes} MB: {fork_cost(options.megabytes):.2f} ms")


def measure(directory: Path, workers: int, megabytes: int) -> tuple[float, float]:
    """Megabytes of the whole fleet, and resident ones of the supervisor."""
    (directory / "large.py").write_text(APPLICATION)
    environment = {
        **os.environ,
        "BIDE_DATABASE_URL": f"sqlite:///{directory}/memory.db",
        "MEGABYTES": str(megabytes),
        "PYTHONPATH": str(directory),
    }
    store = "import large; large.app.migrate(); [large.use.delay(n) for n in range(400)]"
    subprocess.run([sys.executable, "-c", store], env=environment, check=True)
    command = [sys.executable, "-m", "bide.cli", "--app", "large:app", "work", "-q"]
    fleet = subprocess.Popen([*command, "-n", str(workers)], env=environment, cwd=directory)
    try:
        wait_until_done(environment)
        everybody = [psutil.Process(fleet.pid), *psutil.Process(fleet.pid).children()]
        return sum(pss(one.pid) for one in everybody), everybody[0].memory_info().rss / 1e6
    finally:
        fleet.send_signal(signal.SIGTERM)
        fleet.wait(30)


def wait_until_done(environment: dict[str, str]) -> None:
    import bide
    from bide.jobs.job import Filter

    app = bide.App(environment["BIDE_DATABASE_URL"])
    while app.store.count(Filter()):
        time.sleep(0.1)
    app.close()


def pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    return 0.0


def fork_cost(megabytes: int) -> float:
    """Milliseconds of the median of 20, the child leaving at once."""
    keep = [{"number": n, "text": str(n) * 3} for n in range(megabytes * 2800)]
    times = []
    for _ in range(20):
        began = time.perf_counter()
        pid = os.fork()
        if not pid:
            os._exit(0)
        times.append(time.perf_counter() - began)
        os.waitpid(pid, 0)
    assert keep
    return sorted(times)[10] * 1000


if __name__ == "__main__":
    main()
