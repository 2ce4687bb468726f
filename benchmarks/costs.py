"""What a measurement costs: wall time, CPU of a worker process, CPU of the database's processes.

CPU microseconds per job do not depend on what else the machine does; rates do. Compare rates of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy.engine.url import make_url

HERE = Path(__file__).parent
_TICK = os.sysconf("SC_CLK_TCK")


def server_processes(url: str) -> list[int]:
    """The processes of the database server behind `url`, if they run on this machine; none for SQLite."""
    kind = make_url(url).get_backend_name()
    names = {"postgresql": ("postgres",), "mysql": ("mariadbd", "mysqld")}.get(kind, ())
    if not names:
        return []
    place = server_directory(url)
    found = [one for one in psutil.process_iter(["name"]) if one.info["name"] in names]
    return [one.pid for one in found if place is None or belongs(one, place)]


def server_directory(url: str) -> str | None:
    """The data directory, by which one server among several is told."""
    made = make_url(url)
    if made.get_backend_name() == "postgresql":
        import psycopg

        with psycopg.connect(plain(url)) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
            return str(row[0]) if row else None
    socket = made.query.get("unix_socket")
    return str(socket) if socket else None


def belongs(process: psutil.Process, place: str) -> bool:
    try:
        own = [*process.cmdline(), *(process.parent() or process).cmdline()]
    except psutil.Error:
        return False
    return any(place in word for word in own)


def cpu_of(pids: Iterable[int]) -> float:
    """Seconds of CPU that these processes and their ended children have used."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) / _TICK
    return total


def plain(url: str) -> str:
    """The URL as the drivers themselves want it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def program(name: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """Run a program of this directory that prints JSON: what it printed."""
    command = [sys.executable, str(HERE / name), *arguments]
    done = subprocess.run(
        command, check=False, env={**os.environ, **environment}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def timed(url: str, work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of `work`, CPU seconds of this process and of the server meanwhile."""
    servers = server_processes(url)
    of_server = cpu_of(servers)
    used, began = time.process_time(), time.perf_counter()
    work()
    seconds, worker_cpu = time.perf_counter() - began, time.process_time() - used
    # What a backend used is counted for the server when it has gone; new ones started meanwhile.
    of_server = cpu_of({*servers, *server_processes(url)}) - of_server
    return {"seconds": seconds, "worker_cpu": worker_cpu, "server_cpu": of_server}


def rates(count: int, runs: list[dict[str, Any]]) -> dict[str, float]:
    """Medians over runs: jobs a second and the least and most of them, microseconds of CPU a job."""
    speeds = [count / run["seconds"] for run in runs]
    middle = statistics.median(speeds)
    return {
        "rate": round(middle),
        "least": round(min(speeds)),
        "most": round(max(speeds)),
        "worker_us": round(_middle(runs, "worker_cpu", count), 1),
        "server_us": round(_middle(runs, "server_cpu", count), 1),
    }


def _middle(runs: list[dict[str, Any]], name: str, count: int) -> float:
    return statistics.median(run.get(name, 0.0) for run in runs) * 1e6 / count


def options(about: str | None) -> argparse.ArgumentParser:
    """The options that every measurement has."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--url", default="sqlite:///benchmark.db", help="an empty database")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one line of JSON and nothing else")
    return parser


def show(results: dict[str, Any], *, as_json: bool) -> None:
    """Print a result: for people a line each."""
    if as_json:
        print(json.dumps(results))
        return
    for name, values in results.items():
        told = values
        if isinstance(values, dict):
            told = "  ".join(f"{key} {value:>10,}" for key, value in values.items())
        print(f"{name:<34} {told}")
