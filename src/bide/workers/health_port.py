"""A port at which a supervisor tells probes how its fleet is: from its own memory, without a database."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from bide.errors import SettingsError
from bide.workers.children import first_in_children

#: Seconds for which a request is waited for that has not come with its connection.
PATIENCE: Final = 0.2
#: Requests answered in one turn of the supervisor.
MOST: Final = 16
#: States of a supervisor in which its fleet works.
WORKING: Final = ("ready", "reloading")
_REASONS: Final = {
    "starting": "the workers start",
    "waiting": "the workers do not reach the database",
    "stopping": "the fleet stops",
}


class HealthPort:
    """Answers GET /live and GET /ready with JSON: 200, or 503 and the reasons.

    `silent_after`: seconds without heartbeat after which a worker counts as cut off.
    """

    def __init__(self, host: str, port: int, silent_after: float) -> None:
        self._host, self._port, self._silent_after = host, port, silent_after
        self._socket: socket.socket | None = None

    def open(self) -> int:
        """Listen; the port. Raises SettingsError when that is not possible."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            listening = socket.create_server((self._host, self._port), family=family, backlog=MOST)
        except OSError as error:
            raise SettingsError(
                f"--health-port: cannot listen at {self._host or '*'}:{self._port}: "
                f"{error.strerror or error}"
            ) from error
        if hasattr(socket, "TCP_DEFER_ACCEPT"):  # who connects and says nothing is not waited for
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)
        listening.setblocking(False)
        first_in_children(listening.close)
        self._socket = listening
        return int(listening.getsockname()[1])

    def fds(self) -> list[int]:
        """Where probes arrive."""
        return [] if self._socket is None else [self._socket.fileno()]

    def attend(self, state: str, facts: Callable[[], dict[str, Any]]) -> None:
        """Answer those who asked since the last turn."""
        for _ in range(MOST if self._socket is not None else 0):
            assert self._socket is not None
            try:
                asker, _ = self._socket.accept()
            except OSError:  # nobody is there, or not any more
                return
            with asker, suppress(OSError):
                asker.settimeout(PATIENCE)
                asker.sendall(self._answer(asker.recv(4096), state, facts))

    def close(self) -> None:
        """Answer no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _answer(self, request: bytes, state: str, facts: Callable[[], dict[str, Any]]) -> bytes:
        method, _, rest = request.partition(b" ")
        path = rest.split(b" ", 1)[0].split(b"?", 1)[0]
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", {"error": "GET only"})
        if path == b"/live":
            return _response("200 OK", {"live": True, "state": state, "reasons": []})
        if path == b"/ready":
            reasons = self._reasons(state, facts())
            status = "503 Service Unavailable" if reasons else "200 OK"
            return _response(status, {"ready": not reasons, "state": state, "reasons": reasons})
        return _response("404 Not Found", {"error": "there are /live and /ready"})

    def _reasons(self, state: str, facts: dict[str, Any]) -> list[str]:
        reasons = [] if state in WORKING else [_REASONS.get(state, state)]
        silent = [one for one in facts["workers"] if one["heartbeat_age"] > self._silent_after]
        return reasons + [
            f"the database has not heard of worker {one['pid']} for {one['heartbeat_age']:.0f} s"
            for one in silent
        ]


def _response(status: str, body: dict[str, Any]) -> bytes:
    told = json.dumps(body).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(told)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + told
