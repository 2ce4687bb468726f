"""CSV for spreadsheets: one text a line, with its source text beside it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from bide.errors import InvalidLocaleData
from bide.i18n.exchange.entries import (
    LARGEST,
    Entry,
    cell,
    flat_key,
    key_shown_as,
    shown_key,
    value_of,
)

COLUMNS: Final = ("locale", "key", "source", "text", "kind", "note")
# A spreadsheet takes a cell that begins so for a formula, and runs it.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")


def read(file: BinaryIO, filename: str, locale: str | None = None) -> Iterator[Entry]:
    """The texts, line by line; `locale` is for a file without such a column.

    The delimiter may be a comma, a semicolon or a tab. Raises InvalidLocaleData, with the line.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LARGEST))
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        first = lines.readline()
        columns = _columns(first, filename, locale)
        rows = csv.DictReader(lines, columns, delimiter=_delimiter(first), strict=True)
        for row in rows:
            if any(row.values()):
                yield _entry(row, filename, rows.line_num + 1, locale)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidLocaleData(filename, str(error)) from error
    finally:
        lines.detach()


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _columns(header: str, filename: str, locale: str | None) -> list[str]:
    found = next(csv.reader([header], delimiter=_delimiter(header)), [])
    columns = [name.strip().lower() for name in found]
    needed = {"key", "text"} if locale else {"key", "text", "locale"}
    if not needed <= set(columns):
        lacking = ", ".join(sorted(needed - set(columns)))
        raise InvalidLocaleData(
            filename, f"the first line names no column {lacking}; columns: {', '.join(COLUMNS)}", 1
        )
    return columns


def _entry(row: Mapping[Any, Any], filename: str, line: int, locale: str | None) -> Entry:
    if None in row or None in row.values():
        raise InvalidLocaleData(filename, "it has not as many cells as the first line", line)
    cells = {name: _unguarded(text) for name, text in row.items()}
    named = cells.get("locale") or locale
    if not named:
        raise InvalidLocaleData(filename, "no locale", line)
    return Entry(
        named,
        flat_key(key_shown_as(cells["key"]), filename, line),
        value_of(cells["text"], cells.get("kind", ""), filename, line),
        cells.get("source") or None,
        cells.get("note", ""),
    )


def write(file: BinaryIO, entries: Iterable[Entry], source_locale: str) -> list[str]:
    """Write texts so that Excel and LibreOffice open them as they are, and run nothing."""
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    try:
        table = csv.writer(lines)
        table.writerow(COLUMNS)
        for entry in entries:
            text, kind = cell(entry.value, entry.key)
            source, _ = cell(entry.source, entry.key)
            cells = (entry.locale, shown_key(entry.key), source, text, kind, entry.note)
            table.writerow([_guarded(each) for each in cells])
    finally:
        lines.detach()
    return []


def _guarded(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _unguarded(text: str) -> str:
    return text[1:] if _GUARDED.match(text) else text
