"""Ruby's strftime for dates and times: flags, widths, and an escape for every percent sign."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

Moment = date | datetime | time
Directive = Callable[[Any], "int | str"]

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip

TOKEN = re.compile(r"%([-0^#_]*)(\d{0,3})(:{0,3})([A-Za-z%+])")


def weekday(moment: Any) -> int:
    """The day of the week, Sunday is 0."""
    return int(moment.isoweekday()) % 7


def _hour(moment: Any) -> int:
    return getattr(moment, "hour", 0)


def _hour12(moment: Any) -> int:
    return _hour(moment) % 12 or 12


def _epoch(moment: Any) -> datetime:
    whole = moment if isinstance(moment, datetime) else datetime(
        moment.year, moment.month, moment.day, tzinfo=UTC)  # fmt: skip
    return whole if whole.tzinfo else whole.replace(tzinfo=UTC)


def _week(moment: Any, first: int) -> int:
    return int((moment.timetuple().tm_yday + 6 - (weekday(moment) - first) % 7) // 7)


def _zone_name(moment: Any) -> str:
    return (moment.tzname() if hasattr(moment, "tzname") else None) or "+00:00"


# Directive: how to get the value, its usual width, its usual padding.
_NUMBERS: dict[str, tuple[Directive, int, str]] = {
    "Y": (lambda m: m.year, 4, "0"), "C": (lambda m: m.year // 100, 2, "0"),
    "y": (lambda m: m.year % 100, 2, "0"), "m": (lambda m: m.month, 2, "0"),
    "d": (lambda m: m.day, 2, "0"), "e": (lambda m: m.day, 2, " "),
    "j": (lambda m: m.timetuple().tm_yday, 3, "0"), "H": (_hour, 2, "0"), "k": (_hour, 2, " "),
    "I": (_hour12, 2, "0"), "l": (_hour12, 2, " "),
    "M": (lambda m: getattr(m, "minute", 0), 2, "0"),
    "S": (lambda m: getattr(m, "second", 0), 2, "0"),
    "u": (lambda m: m.isoweekday(), 1, "0"), "w": (weekday, 1, "0"),
    "G": (lambda m: m.isocalendar()[0], 4, "0"), "V": (lambda m: m.isocalendar()[1], 2, "0"),
    "g": (lambda m: m.isocalendar()[0] % 100, 2, "0"),
    "U": (lambda m: _week(m, 0), 2, "0"), "W": (lambda m: _week(m, 1), 2, "0"),
    "s": (lambda m: int(_epoch(m).timestamp()), 1, "0"),
    "Q": (lambda m: int(_epoch(m).timestamp() * 1000), 1, "0"),
}  # fmt: skip
_WORDS: dict[str, Directive] = {
    "A": lambda m: DAYS[weekday(m)], "a": lambda m: DAYS[weekday(m)][:3],
    "B": lambda m: MONTHS[m.month - 1], "b": lambda m: MONTHS[m.month - 1][:3],
    "h": lambda m: MONTHS[m.month - 1][:3], "p": lambda m: "AM" if _hour(m) < 12 else "PM",
    "P": lambda m: "am" if _hour(m) < 12 else "pm", "Z": _zone_name,
    "n": lambda m: "\n", "t": lambda m: "\t", "%": lambda m: "%",
}  # fmt: skip
_COMPOUND = {
    "c": "%a %b %e %H:%M:%S %Y", "D": "%m/%d/%y", "x": "%m/%d/%y", "F": "%Y-%m-%d",
    "v": "%e-%^b-%Y", "X": "%H:%M:%S", "T": "%H:%M:%S", "R": "%H:%M", "r": "%I:%M:%S %p",
    "+": "%a %b %e %H:%M:%S %Z %Y",
}  # fmt: skip


def strftime(moment: Moment, pattern: str) -> str:
    """`moment` by `pattern`, in English. Directives that are unknown, or make no sense for the
    object (`%Y` of a time), stay as they are."""
    return TOKEN.sub(lambda match: _shown(moment, match), pattern)


def _shown(moment: Moment, match: re.Match[str]) -> str:
    flags, width, colons, letter = match.groups()
    size = int(width or 0)
    try:
        if letter in _NUMBERS:
            return _number(*_NUMBERS[letter], moment, flags, size)
        if letter in "LN":
            micro = f"{getattr(moment, 'microsecond', 0):06d}"
            digits = size or (3 if letter == "L" else 9)
            return micro.ljust(digits, "0")[:digits]
        if letter == "z":
            return _offset(moment, colons)
        text = (
            strftime(moment, _COMPOUND[letter]) if letter in _COMPOUND else _WORDS[letter](moment)
        )
    except (KeyError, AttributeError):
        return match[0]
    return _cased(str(text), flags, letter).rjust(size, "0" if "0" in flags else " ")


def _number(
    get: Directive, usual: int, pad: str, moment: Moment, flags: str, size: int
) -> str:  # fmt: skip
    value = get(moment)
    if "-" in flags:
        return str(value)
    pad = "0" if "0" in flags else " " if "_" in flags else pad
    return str(value).rjust(size or usual, pad)


def _offset(moment: Moment, colons: str) -> str:
    offset = (moment.utcoffset() if isinstance(moment, (datetime, time)) else None) or timedelta()
    total = int(offset.total_seconds())
    sign, total = ("-", -total) if total < 0 else ("+", total)
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    if colons == "::":
        return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}"
    return f"{sign}{hours:02d}{':' if colons else ''}{minutes:02d}"


def _cased(text: str, flags: str, letter: str) -> str:
    if "^" in flags:
        return text.upper()
    if "#" in flags:
        return text.lower() if letter in "pZ" else text.upper()
    return text
