"""This host and its processes, as workers are registered with them."""

from __future__ import annotations

import os

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


def process_lives(row: WorkerRow) -> bool:
    """Whether the process that registered still runs, and is not another one with its number."""
    try:
        os.kill(row.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    started = process_started(row.pid)
    return started is None or row.info.get("started") in (None, started)


def memory_of(pid: int) -> int:
    """Resident bytes of a process; 0 when that cannot be known."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:  # noqa: PTH123 - a pseudo file
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
