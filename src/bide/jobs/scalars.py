"""Single values that JSON lacks: for each type its tag, what is stored, and the way back."""

from __future__ import annotations

import base64
import pathlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


class Scalar(NamedTuple):
    """How one type travels. `load` may raise TypeError, ValueError, ArithmeticError or LookupError."""

    tag: str
    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]


_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")


def _zone(name: Any) -> ZoneInfo:
    """A time zone by name; the name of anything else is not even looked for."""
    if not _ZONE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a time zone")
    return ZoneInfo(name)


def _dump_zone(zone: ZoneInfo) -> str:
    if zone.key is None:
        raise ValueError("a time zone without a name")
    return zone.key


def _dump_moment(value: datetime) -> Any:
    key = getattr(value.tzinfo, "key", None) if isinstance(value.tzinfo, ZoneInfo) else None
    text = datetime.isoformat(value)
    if key is None and not value.fold:
        return text
    return [text, key, value.fold]


def _load_moment(stored: Any) -> datetime:
    if isinstance(stored, str):
        return _with_utc(datetime.fromisoformat(stored))
    text, key, fold = stored
    moment = _with_utc(datetime.fromisoformat(text))
    if key is not None:
        moment = moment.replace(tzinfo=_zone(key))
    return moment.replace(fold=fold)


def _with_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo == UTC else moment


def _dump_time(value: time) -> Any:
    if value.tzinfo is not None and not isinstance(value.tzinfo, timezone):
        raise ValueError("a time of day in a zone means nothing without its day")
    return [time.isoformat(value), value.fold]


def _load_time(stored: Any) -> time:
    text, fold = stored
    return time.fromisoformat(text).replace(fold=fold)


def _dump_bytes(value: bytes | bytearray) -> str:
    return base64.b64encode(value).decode("ascii")


def _load_bytes(stored: Any) -> bytes:
    return base64.b64decode(stored, validate=True)


def _dump_span(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _path_kind(tag: str, cls: type[pathlib.PurePath]) -> tuple[type, Scalar]:
    return cls, Scalar(tag, str, lambda stored: cls(_text(stored)))


def _text(stored: Any) -> str:
    if not isinstance(stored, str):
        raise TypeError(f"text was expected, not {type(stored).__name__}")
    return stored


#: Every such type. Whole numbers and floats are here for the values that JSON numbers cannot hold.
SCALARS: dict[type, Scalar] = {
    int: Scalar("int", str, lambda stored: int(_text(stored))),
    datetime: Scalar("datetime", _dump_moment, _load_moment),
    date: Scalar("date", date.isoformat, lambda stored: date.fromisoformat(_text(stored))),
    time: Scalar("time", _dump_time, _load_time),
    timedelta: Scalar(
        "timedelta", _dump_span, lambda stored: timedelta(stored[0], stored[1], stored[2])
    ),
    Decimal: Scalar("decimal", str, lambda stored: Decimal(_text(stored))),
    UUID: Scalar("uuid", str, lambda stored: UUID(_text(stored))),
    bytes: Scalar("bytes", _dump_bytes, _load_bytes),
    bytearray: Scalar("bytearray", _dump_bytes, lambda stored: bytearray(_load_bytes(stored))),
    complex: Scalar("complex", lambda value: [value.real, value.imag], lambda s: complex(*s)),
    ZoneInfo: Scalar("zone", _dump_zone, _zone),
    timezone: Scalar(
        "offset", lambda value: _dump_span(value.utcoffset(None)), lambda s: timezone(timedelta(*s))
    ),
    **dict(
        [
            _path_kind("path", type(pathlib.Path())),
            _path_kind("posixpath", pathlib.PurePosixPath),
            _path_kind("windowspath", pathlib.PureWindowsPath),
        ]
    ),
}

BY_TAG: dict[str, Scalar] = {scalar.tag: scalar for scalar in SCALARS.values()}
