"""A daemon by its name, as the commands see it: its files, whether it runs, and how it is stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bide import clock
from bide.errors import DaemonError, SettingsError
from bide.workers.logfile import LogFile
from bide.workers.pidfile import Owner, PidFile
from bide.workers.processes import children_of, is_process
from bide.workers.status import ask

#: Seconds beyond the grace time of its jobs after which a daemon is killed.
MARGIN = 10.0
#: The grace time to reckon with when the daemon does not tell its own.
GRACE_TIME = 25.0
#: Seconds for which a killed process may take to vanish.
LAST_WAIT = 10.0
LOOK = 0.05


class Daemon:
    """The daemon `bide`, or `bide.<identifier>`: one supervisor with all its workers.

    It lives in `pid_dir` (pid file, socket) and `log_dir`; nothing is made or opened here.
    """

    def __init__(self, pid_dir: Path, log_dir: Path, identifier: str | None = None) -> None:
        if identifier is not None and not identifier.replace("-", "").replace("_", "").isalnum():
            raise SettingsError(
                f"--identifier {identifier!r} becomes part of file names: letters, digits, - and _ "
                "only, e.g. --identifier mail-1"
            )
        self.name = f"bide.{identifier}" if identifier else "bide"
        self.pid_dir = pid_dir.absolute()
        self.pid_file = PidFile(self.pid_dir / f"{self.name}.pid")
        self.monitor_file = PidFile(self.pid_dir / f"{self.name}_monitor.pid")
        self.socket = self.pid_dir / f"{self.name}.sock"
        self.log = LogFile(log_dir / f"{self.name}.log")

    def owner(self) -> Owner | None:
        """Its supervisor, None when it does not run; raises DaemonError."""
        return self.pid_file.owner()

    def facts(self) -> dict[str, Any] | None:
        """What its supervisor says, None when it does not answer."""
        return ask(self.socket)

    def others(self) -> list[str]:
        """The names of other daemons that run in the same directory."""
        names = sorted(path.stem for path in self.pid_dir.glob("bide*.pid"))
        files = {name: PidFile(self.pid_dir / f"{name}.pid") for name in names}
        return [name for name, file in files.items() if name != self.name and file.owner()]

    def clear_stale(self) -> list[str]:
        """Remove files of processes that are gone; a sentence for each."""
        files = [self.pid_file, self.monitor_file]
        found = [(file, said) for file in files if (said := file.clear_stale()) is not None]
        if found and self.owner() is None:
            self.socket.unlink(missing_ok=True)
        return [
            f"pid-file for killed process {' '.join(said.split()[:1]) or '(empty)'} found "
            f"({file.path}), deleting."
            for file, said in found
        ]

    def tell(self, number: signal.Signals) -> Owner:
        """Send a signal to its supervisor; raises DaemonError when it does not run."""
        owner = self.owner()
        if owner is None:
            raise DaemonError(f"no instances running as {self.name}; start it with `bide start`")
        _send(owner, number)
        return owner

    def patience(self) -> float:
        """Seconds that an orderly stop may take."""
        facts = self.facts() or {}
        return float(facts.get("grace_time", GRACE_TIME)) + MARGIN

    def stop(self, patience: float) -> bool:
        """Ask it to stop and wait; kill it with all its workers when `patience` seconds did not do.

        Returns whether it stopped by itself; raises DaemonError when even killing did not help.
        """
        owners = [one for one in (self.monitor_file.owner(), self.owner()) if one is not None]
        orderly = True
        for owner in owners[:1]:
            _send(owner, signal.SIGTERM)
        if not _wait(lambda: not any(map(_lives, owners)), patience):
            orderly = False
            for owner in owners:
                _kill_with_children(owner)
            if not _wait(lambda: not any(map(_lives, owners)), LAST_WAIT):
                pids = " and ".join(str(one.pid) for one in owners if _lives(one))
                raise DaemonError(f"{self.name}: process {pids} lives on even after SIGKILL")
        self.clear_stale()
        return orderly


def _lives(owner: Owner) -> bool:
    return is_process(owner.pid, owner.started)


def _send(owner: Owner, number: signal.Signals) -> None:
    """Never to another process that got the same number meanwhile."""
    if not _lives(owner):
        return
    try:
        os.kill(owner.pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise DaemonError(
            f"process {owner.pid} may not be signalled: {error}; it belongs to another user"
        ) from error


def _kill_with_children(owner: Owner) -> None:
    """Stopped first, so that it starts no new children; theirs are process groups of their own."""
    _send(owner, signal.SIGSTOP)
    children = children_of(owner.pid)
    _send(owner, signal.SIGKILL)
    for child in children:
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(child) == child:
                os.killpg(child, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = clock.monotonic() + seconds
    while not condition():
        if clock.monotonic() > deadline:
            return False
        clock.sleep(LOOK)
    return True
