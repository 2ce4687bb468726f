"""What Bide weighs: its import, its command line, an idle worker alone and beside others.

python benchmarks/weight.py [--rounds 5] [--url URL] [--json]

Bytecode is written first, as installers do it: without it everything is compiled at each start, which
takes most of the time and leaves 5 MB behind.
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

#: An application whose jobs are plain functions, and one that has a use for asyncio.
PLAIN = """
import bide

app = bide.App.from_env()


@app.job
def nothing(number: int) -> None: ...
"""
AWAITING = f"import asyncio\n{PLAIN}"


def main() -> None:
    parser = options(__doc__)
    parser.set_defaults(url="", rounds=5)
    given = parser.parse_args()
    show(measure(given.url, given.rounds), as_json=given.json)


def measure(url: str = "", rounds: int = 5) -> dict[str, Any]:
    """Milliseconds and megabytes, medians. Without a URL: a SQLite file of its own."""
    with tempfile.TemporaryDirectory(prefix="bide-weight-") as directory:
        environment = {
            **os.environ,
            "BIDE_DATABASE_URL": url or f"sqlite:///{directory}/weight.db",
            "PYTHONPATH": str(HERE),
            "PYTHONPYCACHEPREFIX": f"{directory}/bytecode",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        make = "import bench_app; bench_app.app.migrate()"
        subprocess.run([sys.executable, "-c", make], env=environment, check=True)
        return {**durations(environment, rounds), **memory(environment, directory)}


def durations(environment: dict[str, str], rounds: int) -> dict[str, float]:
    """Milliseconds of whole programs, but for the imports."""

    def took(*arguments: str) -> float:
        command, times = [sys.executable, *arguments], []
        for _ in range(rounds + 1):  # the first writes bytecode
            began = time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            times.append(time.perf_counter() - began)
        return round(statistics.median(times[1:]) * 1000, 1)

    bare = took("-c", "pass")
    return {
        "python alone ms": bare,
        "import bide ms, above that": round(took("-c", "import bide") - bare, 1),
        "from bide import App ms, likewise": round(took("-c", "from bide import App") - bare, 1),
        "bide --help ms": took("-m", "bide.cli", "--help"),
        "bide work --help ms": took("-m", "bide.cli", "work", "--help"),
    }


def memory(environment: dict[str, str], directory: str) -> dict[str, float]:
    """Megabytes of an idle worker: alone (resident), and of the largest among four: its share of all
    that it sees (proportional), and what it alone has written (private)."""
    for name, text in ("plain", PLAIN), ("awaiting", AWAITING):
        Path(directory, f"{name}.py").write_text(text)

    def worker(one: psutil.Process) -> dict[str, float]:
        return {"Rss": one.memory_info().rss / 1e6}

    def largest(one: psutil.Process) -> dict[str, float]:
        # The keeper of the fleet is the first child.
        pids = [child.pid for child in one.children()[1:]]
        return {of: max(rolled(pid, of) for pid in pids) for of in ("Pss", "Private_Dirty")}

    # The first start writes the bytecode of what no other program has imported.
    subprocess.run(command("plain", "workoff"), env=environment, cwd=directory, check=True)
    alone = measured(environment, directory, command("plain", "work"), worker)
    four = measured(environment, directory, command("plain", "work", "-n", "4"), largest)
    awaiting = measured(environment, directory, command("awaiting", "work"), worker)
    more = measured(environment, directory, command("awaiting", "work", "-n", "4"), largest)
    return {
        "idle worker alone MB": round(alone["Rss"], 1),
        "one of four MB (PSS)": round(four["Pss"], 1),
        "one of four MB (private)": round(four["Private_Dirty"], 1),
        "alone, with asyncio MB": round(awaiting["Rss"], 1),
        "one of four, with asyncio MB (PSS)": round(more["Pss"], 1),
    }


def command(app: str, verb: str, *how: str) -> list[str]:
    """A command of the command line, for one of these applications."""
    return [sys.executable, "-m", "bide.cli", "--app", f"{app}:app", verb, "-q", *how]


def measured(
    environment: dict[str, str], directory: str, command: list[str], look: Any
) -> dict[str, float]:
    """What `look` sees of a worker that has had nothing to do for two seconds."""
    worker = subprocess.Popen(command, env=environment, cwd=directory)
    try:
        time.sleep(4)
        return dict(look(psutil.Process(worker.pid)))
    finally:
        worker.terminate()
        worker.wait(30)


def rolled(pid: int, name: str) -> float:
    """Megabytes of one line of /proc/*/smaps_rollup."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


if __name__ == "__main__":
    main()
