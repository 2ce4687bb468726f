"""What a running fleet says of itself: a socket beside the pid file answers with one JSON document."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bide import clock
from bide.workers.children import first_in_children
from bide.workers.roster import Place
from bide.workers.slate import Running

#: Seconds for which an answer is waited for.
PATIENCE = 3.0


def described(place: Place, lines: Sequence[Running]) -> dict[str, Any]:
    """A worker process: its pid, since when it lives, how many jobs it did, what it runs."""
    return {
        "place": place.index,
        "pid": place.pid,
        "since": _moment(place.born),
        "leaving": bool(place.told_at),
        "done": sum(line.done for line in lines),
        "heartbeat_age": _age(lines),
        "jobs": [
            {"id": line.job_id, "name": line.job_name, "since": _moment(line.began)}
            for line in lines
            if line.job_id
        ],
    }


def _age(lines: Sequence[Running]) -> float:
    """Seconds since the database heard of it; 0 until the worker is registered."""
    beats = [line.beat for line in lines if line.worker_id]
    return round(clock.monotonic() - max(beats), 1) if beats else 0.0


def _moment(monotonic: float) -> str:
    moment = clock.utc_now() - timedelta(seconds=clock.monotonic() - monotonic)
    return moment.isoformat(timespec="seconds")


class StatusSocket:
    """Answers whoever connects; only this user may."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def open(self) -> None:
        """Listen. To be called by the holder of the pid file: a socket left by another is replaced."""
        self.path.unlink(missing_ok=True)
        with _short(self.path) as name:
            self._socket.bind(name)
        self.path.chmod(0o600)
        self._socket.listen(8)
        self._socket.setblocking(False)
        first_in_children(self._socket.close)

    def fds(self) -> list[int]:
        """Where questions arrive."""
        return [self._socket.fileno()]

    def attend(self, _state: str, facts: Callable[[], dict[str, Any]]) -> None:
        """Answer those who asked since the last turn."""
        while True:
            try:
                asker, _ = self._socket.accept()
            except BlockingIOError:
                return
            with asker, contextlib.suppress(OSError):
                asker.settimeout(PATIENCE / 3)
                asker.sendall(json.dumps(facts()).encode())

    def close(self) -> None:
        """Answer no more."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


def ask(path: Path, patience: float = PATIENCE) -> dict[str, Any] | None:
    """What the fleet with that socket says; None when it does not answer in time."""
    deadline = clock.monotonic() + patience
    while (left := deadline - clock.monotonic()) > 0:
        with contextlib.suppress(OSError, ValueError):
            return _answer(path, left)
        clock.sleep(0.02)
    return None


def _answer(path: Path, patience: float) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(patience)
        with _short(path) as name:
            asking.connect(name)
        with asking.makefile("rb") as answer:
            facts: dict[str, Any] = json.load(answer)
            return facts


@contextlib.contextmanager
def _short(path: Path) -> Any:
    """A name that fits into a socket's address, which holds about 100 bytes."""
    if len(str(path)) < 100:
        yield str(path)
        return
    with contextlib.chdir(path.parent):
        yield path.name
