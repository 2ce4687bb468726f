"""Reloading code: the new code is tried in a process of its own, then the supervisor becomes it by exec.

The process keeps its number, its children, the slate, the pipe of deaths and the locked pid file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bide import clock
from bide.events import emit

if TYPE_CHECKING:
    import subprocess

VARIABLE = "BIDE_HANDOVER"
#: Seconds after which code that is still being imported counts as broken.
CHECK_LIMIT = 120.0


@dataclass(frozen=True, slots=True)
class Handover:
    """What a supervisor leaves to the one that it becomes: descriptors, children, since when it runs.

    `places` are (index, pid, first entry, end of entries, born, told to stop at); `kept` are
    descriptors by name.
    """

    pid: int
    since: str
    layout: str
    slate: int
    entries: int
    deaths: tuple[int, int]
    keeper: int
    places: list[tuple[int, int, int, int, float, float]]
    kept: dict[str, int] = field(default_factory=dict)

    @property
    def descriptors(self) -> list[int]:
        return [self.slate, *self.deaths, *self.kept.values()]

    @classmethod
    def received(cls) -> Handover | None:
        """What the supervisor that this process was has left; None in a process that starts anew."""
        number = os.environ.pop(VARIABLE, "")
        if not number.isdecimal():
            return None
        with open(int(number), "rb") as file:  # noqa: PTH123 - a descriptor
            file.seek(0)
            left = cls(**json.load(file))
        for fd in left.descriptors:
            os.set_inheritable(fd, False)
        return left if left.pid == os.getpid() else None


class Renewal:
    """Tries the new code with the command `check`, then runs the command line of this process again.

    `kept` are descriptors that stay open. Both commands run in `directory`: the name by which the
    directory was reached, so that a link to the current release is followed anew.
    """

    def __init__(self, check: Sequence[str], kept: Mapping[str, int]) -> None:
        self._command, self.kept = list(check), dict(kept)
        self._directory = _directory()
        self._check: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._began = 0.0

    @property
    def pid(self) -> int:
        """The process that tries the code, 0 when there is none."""
        return self._check.pid if self._check else 0

    def begin(self) -> None:
        """Try the new code."""
        import subprocess
        import tempfile

        emit("reload_began", pid=os.getpid())
        self._began = clock.monotonic()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was read
        self._check = subprocess.Popen(  # noqa: S603 - our own command line
            self._command,
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    def passed(self) -> bool:
        """Whether the trial ended well just now; one that ended badly is told to the log."""
        if self._check is None or self._output is None:
            return False
        if clock.monotonic() > self._began + CHECK_LIMIT:
            self._check.kill()
            self._check.wait()
        if self._check.poll() is None:
            return False
        status, self._check = self._check.returncode, None
        with self._output as output:
            output.seek(0)
            words = output.read().decode(errors="replace").strip()
        if status:
            emit("reload_refused", status=status, words=words[-2000:])
        return not status

    def become(self, handover: Handover) -> None:
        """Replace this process by the new code; returns only when that fails (and is told)."""
        import tempfile

        with tempfile.TemporaryFile("w+") as file:
            json.dump(asdict(handover), file)
            file.flush()
            os.environ[VARIABLE] = str(file.fileno())
            try:
                for fd in (*handover.descriptors, file.fileno()):
                    os.set_inheritable(fd, True)
                self.run_again()
            finally:
                del os.environ[VARIABLE]

    def run_again(self) -> None:
        """Replace this process by its own command line; returns only when that fails (and is told)."""
        try:
            os.chdir(self._directory)
            sys.stdout.flush()
            sys.stderr.flush()
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
        except OSError as error:
            emit("reload_refused", status=1, words=f"{sys.executable}: {error}")


def _directory() -> str:
    """This directory by the name under which it was entered."""
    here, named = Path.cwd(), os.environ.get("PWD", "")
    try:
        return named if named and Path(named).samefile(here) else str(here)
    except OSError:
        return str(here)
