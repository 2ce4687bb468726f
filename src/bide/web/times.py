"""Moments and durations as people read them, in the viewer's zone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

#: Units of a duration in seconds, and the text that words it.
_UNITS: Final = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """The names of all time zones."""
    return frozenset(available_timezones())


def zone_named(name: str | None) -> tzinfo:
    """The zone of that name, UTC for any name that is none."""
    return ZoneInfo(name) if name in zones() else UTC


def clock_time(moment: datetime, zone: tzinfo) -> str:
    """`2027-01-31 08:15:00`, which every language reads."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def rounded(seconds: float) -> tuple[float, str]:
    """A duration as a number and the name of its unit: (3, "minutes")."""
    size = abs(seconds)
    if size < 1:
        return round(size * 1000), "milliseconds"
    for length, unit in _UNITS:
        if size >= length:
            return (round(size, 1) if size < 10 and length == 1 else int(size // length)), unit
    return 0, "seconds"


def from_form(text: str, zone: tzinfo) -> datetime:
    """The moment that `<input type=datetime-local>` sends, which is in the viewer's zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
