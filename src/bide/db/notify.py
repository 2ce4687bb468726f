"""Hearing what PostgreSQL tells: one connection that listens, opened again when it was lost."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from bide import events
from bide.clock import monotonic
from bide.db.engine import Database

#: Seconds before a lost connection is opened again: first, longest.
FIRST_RETRY: Final = 0.1
LONGEST_RETRY: Final = 10.0


class Wire:
    """The connection that hears notifications, in autocommit. Nothing in it raises for a lost database.

    One thread at a time uses it; any may ask for its descriptor meanwhile.
    """

    def __init__(self, longest_retry: float = LONGEST_RETRY) -> None:
        self._raw: Any = None
        self._longest_retry = longest_retry
        self._retry, self._not_before = FIRST_RETRY, 0.0
        self._complained = False

    def open(self, database: Database, channel: str) -> bool:
        """Whether we listen; a lost connection is opened again, more and more rarely, and one event
        tells that it cannot be."""
        if self._raw is not None:
            return True
        if monotonic() < self._not_before:
            return False
        try:
            raw = _listening(database, channel)
        except Exception as error:  # noqa: BLE001 - a wait never fails; it looks instead
            self._not_before = monotonic() + self._retry
            self._retry = min(self._retry * 2, self._longest_retry)
            if not self._complained:
                self._complained = True
                events.emit("db.not_listening", error=error)
            return False
        self._raw, self._retry, self._complained = raw, FIRST_RETRY, False
        return True

    def hints(self) -> list[str] | None:
        """What has arrived; None when the connection was lost, and with it what was told since."""
        if self._raw is None:
            return []
        heard = []
        try:
            self._raw.pgconn.consume_input()
            while told := self._raw.pgconn.notifies():
                heard.append(told.extra.decode())
        except Exception:  # noqa: BLE001 - whatever it is, this connection hears no more
            self.hang_up()
            return None
        return heard

    def descriptor(self) -> int | None:
        """What becomes readable when something is told."""
        raw = self._raw
        try:
            return None if raw is None else int(raw.pgconn.socket)
        except Exception:  # noqa: BLE001 - it was lost just now, which the next look finds
            return None

    def hang_up(self) -> None:
        """Close the connection."""
        raw, self._raw = self._raw, None
        if raw is not None:
            with contextlib.suppress(Exception):
                raw.close()


def _listening(database: Database, channel: str) -> Any:
    raw = database.detached().raw
    try:
        raw.autocommit = True
        raw.execute(f'LISTEN "{channel}"')
    except BaseException:  # a standby lets us in and refuses it, again and again
        raw.close()
        raise
    return raw
