"""Keys that were asked for, in vain or not: collected in memory, written in batches, never in a lookup."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from bide.clock import monotonic

#: More than this wait for the next writing at no time: keys that visitors make up must not flood the table.
MOST: Final = 1000
#: Seconds until a use of the same key is told of again.
AGAIN: Final = 3600.0
MOST_TOLD: Final = 50_000
_OURS: Final = str(Path(__file__).parents[1])


class MissingText(Protocol):
    """What the ability Missing tells of."""

    @property
    def locale(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def values(self) -> tuple[str, ...]: ...


class Asked(NamedTuple):
    """A missing key, and where in the program it was asked for first."""

    key: MissingText
    place: str


class Asking:
    """The missing keys that wait to be written."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Asked] = {}

    def add(self, missing: MissingText) -> None:
        """Remember a key."""
        name = (missing.locale, missing.key)
        if name not in self._waiting and len(self._waiting) < MOST:
            self._waiting[name] = Asked(missing, _place())

    def take(self) -> list[Asked]:
        """All that wait, which then wait no more."""
        waiting, self._waiting = self._waiting, {}
        return list(waiting.values())


class Using:
    """Where texts were used, waiting to be written: each key once an hour at most."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._told: dict[str, float] = {}

    def add(self, key: str) -> None:
        """Remember a use of a key."""
        now = monotonic()
        if now < self._told.get(key, 0.0) or len(self._waiting) >= MOST:
            return
        if len(self._told) >= MOST_TOLD:
            self._told.clear()
        self._told[key] = now + AGAIN
        self._waiting[key] = _place()

    def take(self) -> dict[str, str]:
        """All that wait, which then wait no more."""
        waiting, self._waiting = self._waiting, {}
        return waiting


def _place() -> str:
    """File and line of the first caller that is no code of ours."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
