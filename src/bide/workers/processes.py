"""This host and its processes, as workers are registered with them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from bide.jobs.job import WorkerRow


def host_name() -> str:
    """This host, as workers are registered with it."""
    return os.uname().nodename or "localhost"


def process_started(pid: int) -> str | None:
    """When the process was started, as the system says it; None when that cannot be known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - a pseudo file
            return stat.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return None


@cache
def _space() -> str | None:
    """Which numbers of processes are meant: containers may share the name of their host, and a host
    that was started again has its name still."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes().strip().decode()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - no path, a number
    except OSError:
        return None


def identity(pid: int) -> dict[str, Any]:
    """What tells a process of this host from any other, for `process_lives` to judge by."""
    return {"pid": pid, "started": process_started(pid), "space": _space()}


def is_running(pid: int) -> bool:
    """Whether the process is there and has not ended without anybody looking (a zombie)."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - a pseudo file
            return stat.read().rpartition(b")")[2].split()[0] != b"Z"
    except ProcessLookupError:
        return False
    except (OSError, IndexError):
        return True


def process_lives(row: WorkerRow) -> bool:
    """Whether the process that registered still runs, and is not another one with its number.

    Of what happens in another container, or before this host was started, nothing is known: True.
    """
    if row.info.get("space") not in (None, _space()):
        return True
    if not is_running(row.pid):
        return False
    started = process_started(row.pid)
    return started is None or row.info.get("started") in (None, started)


def is_process(pid: int, started: str | None) -> bool:
    """Whether process `pid` runs and, where the system tells it, was started at `started`."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    found = process_started(pid)
    return not started or found is None or found == started


def children_of(pid: int) -> list[int]:
    """Every process below `pid`, the nearest first."""
    below: dict[int, list[int]] = {}
    for child, parent in _families():
        below.setdefault(parent, []).append(child)
    found = list(below.get(pid, ()))
    for child in found:
        found += below.get(child, ())
    return found


def _families() -> list[tuple[int, int]]:
    """Every process with its parent."""
    command = ["ps", "-A", "-o", "pid=,ppid="]
    if not os.path.isdir("/proc/self"):  # noqa: PTH112 - a pseudo file
        import subprocess

        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
        return [(int(child), int(parent)) for child, parent in map(str.split, out.splitlines())]
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208
    return [(pid, parent) for pid in pids if (parent := _parent(pid))]


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - a pseudo file
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def memory_of(pid: int) -> int:
    """Resident bytes of a process; 0 when that cannot be known."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:  # noqa: PTH123 - a pseudo file
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
