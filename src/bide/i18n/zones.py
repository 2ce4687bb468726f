"""The time zone of the reader, for this context: a task, a thread, a request, a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bide.errors import InvalidTextArgument

_zone: ContextVar[str | None] = ContextVar("bide_time_zone", default=None)


#: The same as `time_zone`, for what asks at every job.
zone_here = _zone.get


def time_zone() -> str | None:
    """The name of the reader's time zone, None where none was set."""
    return _zone.get()


@contextmanager
def with_time_zone(name: str | None) -> Iterator[None]:
    """Show aware moments in another time zone for a while, e.g. "Europe/Berlin"; None: as they are.

    Raises InvalidTextArgument for a zone that is not known.
    """
    if name is not None:
        _known(name)
    token = _zone.set(name)
    try:
        yield
    finally:
        _zone.reset(token)


def in_zone(value: Any) -> Any:
    """An aware moment in the reader's time zone; anything else as it is."""
    name = _zone.get()
    if name is None or not isinstance(value, datetime) or value.tzinfo is None:
        return value
    return value.astimezone(ZoneInfo(name))


def _known(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError, TypeError) as error:
        raise InvalidTextArgument(
            f"{name!r} is no known time zone; use a name such as 'Europe/Berlin'"
        ) from error
