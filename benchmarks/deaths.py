"""How long after the death of its worker a job runs again elsewhere, on each database given.

    python benchmarks/deaths.py [--kills 30] [--url URL ...]       (default: a fresh SQLite file)

A fleet of four forked workers runs one long job at a time; its worker is killed by SIGKILL. What counts
is the time from the kill to the first line of the job in its next worker.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bide

APPLICATION = """
import os, time
import bide
app = bide.App.from_env()

@app.job
def hold(number):
    line = f"{time.monotonic()} {os.getpid()} {number}\\n"
    fd = os.open(os.environ["DEATHS_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, line.encode())
    os.close(fd)
    if bide.current_job().crashes == 0:
        time.sleep(60)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--url", action="append", default=[], help="an empty database; repeatable")
    options = parser.parse_args()
    print(f"{'database':<12} {'kills':>6} {'median ms':>10} {'worst ms':>10}")
    with tempfile.TemporaryDirectory(prefix="bide-deaths-") as directory:
        for number, url in enumerate(options.url or [f"sqlite:///{directory}/deaths.db"]):
            place = Path(directory) / str(number)
            place.mkdir()
            waits = measure(place, url, options.kills)
            kind, worst = url.partition(":")[0], max(waits)
            print(f"{kind:<12} {len(waits):>6} {statistics.median(waits):>10.0f} {worst:>10.0f}")


def measure(directory: Path, url: str, kills: int) -> list[float]:
    """Milliseconds of each."""
    notes = directory / "notes"
    (directory / "dying.py").write_text(APPLICATION)
    environment = {**os.environ, "BIDE_DATABASE_URL": url, "DEATHS_NOTES": str(notes)}
    os.environ.update(environment)
    sys.path.insert(0, str(directory))
    sys.modules.pop("dying", None)
    import dying

    dying.app.migrate()
    command = [sys.executable, "-m", "bide.cli", "--app", "dying:app", "work", "-q", "-n", "4"]
    quiet = subprocess.DEVNULL
    fleet = subprocess.Popen(command, cwd=directory, env=environment, stdout=quiet)
    try:
        return [one_death(dying, notes, number) for number in range(kills)]
    finally:
        fleet.send_signal(signal.SIGTERM)
        fleet.wait(30)
        dying.app.close()
        sys.path.remove(str(directory))


def one_death(dying: object, notes: Path, number: int) -> float:
    dying.hold.delay(number)  # type: ignore[attr-defined]
    [(_, pid)] = runs(notes, number, 1)
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    _, (began, _) = runs(notes, number, 2)
    return (began - killed) * 1000


def runs(notes: Path, number: int, count: int) -> list[tuple[float, int]]:
    """When and where the job began, once it has begun `count` times."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = notes.read_text().splitlines() if notes.exists() else []
        found = [line.split() for line in lines if line.endswith(f" {number}")]
        if len(found) >= count:
            return [(float(began), int(pid)) for began, pid, _ in found]
        time.sleep(0.002)
    raise TimeoutError(f"job {number} did not begin {count} times")


if __name__ == "__main__":
    assert bide.__version__
    main()
