"""What every format carries: one text with its key, and how keys and values look in a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final, NamedTuple

from bide.errors import InvalidLocaleData, InvalidTextArgument
from bide.i18n import psych
from bide.i18n.keys import ESCAPED_DOT, LONGEST, flatten
from bide.i18n.row_values import written
from bide.i18n.trees import freeze

#: Bytes of a file that is read as a whole.
LARGEST: Final = 64 * 1024 * 1024

#: What XML cannot hold, and what keys therefore never show raw.
UNSHOWN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_KEY_ESCAPES: Final = re.compile("[\\\\\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_ESCAPED: Final = re.compile(r"\\(\\|\.|u[0-9a-fA-F]{4})")


class Entry(NamedTuple):
    """One text of one locale.

    `key` is flat, its parts separated by dots (a dot inside a part is `\\x01`). `value` is a text, a
    number, a boolean, a Key (a link) or a tuple; None: not translated. `source` is the same text in
    the source language, for formats that show both.
    """

    locale: str
    key: str
    value: Any
    source: Any = None
    note: str = ""


def entries_of(texts: Mapping[str, Any], filename: str) -> Iterator[Entry]:
    """The texts of nested data with locales on top. Raises InvalidLocaleData."""
    for locale, below in texts.items():
        if below is None:
            continue
        if not isinstance(below, Mapping):
            kind = type(below).__name__
            raise InvalidLocaleData(
                filename, f"{locale!r} must hold keys and texts, not {kind}; locales stand on top"
            )
        try:
            flat = flatten(freeze(below))
        except InvalidTextArgument as error:
            raise InvalidLocaleData(filename, str(error)) from error
        for key, value in flat.items():
            yield Entry(str(locale), flat_key(key, filename), value)


def content(file: BinaryIO, filename: str) -> bytes:
    """All of a file. Raises InvalidLocaleData for one that is too large."""
    found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise InvalidLocaleData(filename, f"it is larger than {LARGEST // 1024**2} MB; split it")
    return found


def flat_key(key: str, filename: str, line: int | None = None) -> str:
    """A key in its only spelling. Raises InvalidLocaleData for none."""
    clean = ".".join(part for part in key.split(".") if part)
    if not clean:
        raise InvalidLocaleData(filename, f"{key!r} is no key", line)
    if len(clean) > LONGEST:
        raise InvalidLocaleData(filename, f"the key {clean[:40]!r}... is too long", line)
    return clean


def shown_key(key: str) -> str:
    """A key as a cell shows it: a dot inside a part is `\\.`, odd characters are escaped."""
    return _KEY_ESCAPES.sub(_shown, key)


def _shown(match: re.Match[str]) -> str:
    if match[0] == ESCAPED_DOT:
        return "\\."
    return "\\\\" if match[0] == "\\" else f"\\u{ord(match[0]):04x}"


def key_shown_as(cell: str) -> str:
    """The key that a cell shows."""
    return _ESCAPED.sub(_meant, cell)


def _meant(match: re.Match[str]) -> str:
    if match[1] == ".":
        return ESCAPED_DOT
    return "\\" if match[1] == "\\" else chr(int(match[1][1:], 16))


TEXT, YAML = "text", "yaml"


def cell(value: Any, key: str = "") -> tuple[str, str]:
    """A value as text, and what that text is: itself, or one line of YAML for numbers, lists, links,
    the empty text, and what no XML holds. None is the empty cell."""
    if value is None:
        return "", TEXT
    if type(value) is str and value and not UNSHOWN.search(value):
        return value, TEXT
    return written(key, value), YAML


def value_of(text: str, kind: str, filename: str, line: int | None = None) -> Any:
    """The value that a cell means; None for an empty one. Raises InvalidLocaleData."""
    if kind not in (TEXT, YAML, ""):
        raise InvalidLocaleData(filename, f"{kind!r} is no kind of value; use text or yaml", line)
    if kind != YAML:
        return text or None
    try:
        return freeze({"": psych.load(text)})[""]
    except (psych.PsychError, InvalidTextArgument) as error:
        raise InvalidLocaleData(filename, f"{text[:60]!r}: {error}", line) from error


def one_locale(entries: Iterable[Entry], format_: str) -> tuple[str, list[Entry]]:
    """The entries of a file that has room for one locale. Raises InvalidTextArgument for more."""
    held = list(entries)
    locales = sorted({entry.locale for entry in held})
    if len(locales) != 1:
        raise InvalidTextArgument(
            f"a {format_} file holds one locale, not {', '.join(locales) or 'none'}; choose one"
        )
    return locales[0], held
