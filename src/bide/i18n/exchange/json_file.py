"""JSON: locales on top, keys nested. It has no links."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from bide.errors import InvalidLocaleData
from bide.i18n.exchange.entries import Entry, content, entries_of
from bide.i18n.exchange.nested import nested
from bide.i18n.keys import Key


def read(file: BinaryIO, filename: str, locale: str | None = None) -> Iterator[Entry]:
    """The texts of a file. Raises InvalidLocaleData, with the line."""
    try:
        data = json.loads(content(file, filename).decode("utf-8-sig"))
        json.dumps(data, ensure_ascii=False).encode()  # refuses half a character, "\\ud800"
    except json.JSONDecodeError as error:
        raise InvalidLocaleData(filename, error.msg, error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise InvalidLocaleData(filename, str(error)) from error
    if not isinstance(data, Mapping):
        raise InvalidLocaleData(filename, "it holds no keys; locales stand on top, then keys")
    yield from entries_of(data, filename)


def write(file: BinaryIO, entries: Iterable[Entry], source_locale: str) -> list[str]:
    """Write texts; the keys of those that JSON cannot hold are told."""
    held, left_out = [], []
    for entry in entries:
        if _has_room(entry.value):
            held.append(entry)
        else:
            left_out.append(f"{entry.locale}.{entry.key}")
    file.write(json.dumps(nested(held), ensure_ascii=False, indent=2).encode() + b"\n")
    return left_out


def _has_room(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_has_room, value.values()))
    if isinstance(value, tuple):
        return all(map(_has_room, value))
    return not isinstance(value, Key) and not (
        isinstance(value, float) and not math.isfinite(value)
    )
