"""Ends a test server when the last process that uses it has gone, however it went.

Every user holds a shared lock on the file `users` in the server's directory; the kernel drops it when
the process dies. Run as a program of its own: `keeper.py DIRECTORY`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path


def keep(directory: Path) -> None:
    with (directory / "users").open("r+") as users:
        fcntl.lockf(users, fcntl.LOCK_EX)
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            end(int((directory / "pid").read_text()))
        shutil.rmtree(directory, ignore_errors=True)


def end(pid: int) -> None:
    """SIGQUIT is PostgreSQL's immediate shutdown; SIGKILL ends what did not listen. SIGCONT thaws."""
    for number in (signal.SIGQUIT, signal.SIGKILL):
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)
        for _ in range(200):
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").exists() and zombie(pid):
                return
            time.sleep(0.01)


def zombie(pid: int) -> bool:
    """Dead, but its parent has not looked yet."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
