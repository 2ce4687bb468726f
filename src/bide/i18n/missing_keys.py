"""Keys that were asked for in vain: collected in memory, written in batches, never in a lookup."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple, Protocol

#: More than this wait for the next writing at no time: keys that visitors make up must not flood the table.
MOST: Final = 1000
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


def _place() -> str:
    """File and line of the first caller that is no code of ours."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
