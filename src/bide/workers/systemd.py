"""The protocol of systemd's Type=notify and WatchdogSec: datagrams to the socket it names."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bide import clock


def notify(*lines: str) -> bool:
    """Tell systemd, e.g. `notify("READY=1")`; False when nobody wants to know or could be told."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
        telling.settimeout(1.0)
        telling.sendto("\n".join(lines).encode(), address)
        return True
    return False


def watchdog_interval() -> float:
    """Half of the time within which systemd wants a sign of life, in seconds; 0: it wants none."""
    for_pid = os.environ.get("WATCHDOG_PID", "")
    if for_pid and for_pid != str(os.getpid()):
        return 0.0
    period = os.environ.get("WATCHDOG_USEC", "")
    return int(period) / 2e6 if period.isdecimal() else 0.0


class Notifier:
    """Tells systemd each new state of a supervisor, and that its loop turns."""

    def __init__(self) -> None:
        self._state = ""
        self._interval, self._due = watchdog_interval(), 0.0

    def fds(self) -> list[int]:
        """Nothing to wait for."""
        return []

    def attend(self, state: str, facts: Callable[[], dict[str, Any]]) -> None:
        """From the supervisor, once per turn."""
        if state != self._state:
            self._state = state
            notify(*_words(state), f"STATUS={state}, {len(facts()['workers'])} workers")
        if self._interval and clock.monotonic() >= self._due:
            self._due = clock.monotonic() + self._interval
            notify("WATCHDOG=1")


def _words(state: str) -> list[str]:
    match state:
        case "ready" | "waiting":
            return ["READY=1", f"MAINPID={os.getpid()}"]
        case "reloading":
            microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            return ["RELOADING=1", f"MONOTONIC_USEC={microseconds}"]
        case "stopping":
            return ["STOPPING=1"]
        case _:
            return []
