"""YAML as the i18n gem keeps it: locales on top, keys nested."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from bide.errors import InvalidLocaleData
from bide.i18n import psych
from bide.i18n.exchange.entries import Entry, content, entries_of
from bide.i18n.exchange.nested import nested
from bide.i18n.keys import canonical
from bide.i18n.row_values import written

_PLAIN: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9 _,.!?%()]*[A-Za-z0-9_,.!?%()])?")
_INTEGER: Final = re.compile(r"-?\d{1,15}")


def read(file: BinaryIO, filename: str, locale: str | None = None) -> Iterator[Entry]:
    """The texts of a file. Raises InvalidLocaleData, with the line."""
    try:
        data = psych.load(content(file, filename), locales_on_top=True)
    except psych.PsychError as error:
        raise InvalidLocaleData(filename, str(error), error.line) from error
    if data is None:
        return
    if not isinstance(data, Mapping):
        raise InvalidLocaleData(filename, "it holds no keys; locales stand on top, then keys")
    yield from entries_of(data, filename)


def write(file: BinaryIO, entries: Iterable[Entry], source_locale: str) -> list[str]:
    """Write texts so that Psych and PyYAML read the same."""
    file.writelines(f"{line}\n".encode() for line in _lines(nested(entries), ""))
    return []


def _lines(tree: Mapping[str, Any], indent: str) -> Iterator[str]:
    for part, value in tree.items():
        name = _name(part, top=not indent)
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, tuple) and value:
            yield f"{indent}{name}:"
            yield from (f"{indent}- {_value(each)}" for each in value)
        else:
            yield f"{indent}{name}: {_value(value)}"


def _name(part: str, *, top: bool) -> str:
    if not top and _INTEGER.fullmatch(part) and canonical(part) == part:
        return part
    return _value(part)


def _value(value: Any) -> str:
    if type(value) is str and _PLAIN.fullmatch(value) and psych.plain(value) == value:
        return value
    return written("", value)
