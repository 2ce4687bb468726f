"""Which formats there are, and which one a file is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import BinaryIO, Final, NamedTuple

from bide.errors import UnknownFileType
from bide.i18n.exchange import csv_file, json_file, po_file, xliff_file, yaml_file
from bide.i18n.exchange.entries import Entry


class Format(NamedTuple):
    """A way to write texts down. `read(file, filename, locale)` yields entries and raises
    InvalidLocaleData; `write(file, entries, source_locale)` gives the keys it had no room for."""

    name: str
    suffixes: tuple[str, ...]
    media_type: str
    read: Callable[[BinaryIO, str, str | None], Iterator[Entry]]
    write: Callable[[BinaryIO, Iterable[Entry], str], list[str]]
    #: Whether a file holds texts of one locale only.
    one_locale: bool = False


FORMATS: Final = {
    format_.name: format_
    for format_ in (
        Format("yaml", (".yml", ".yaml"), "application/yaml", yaml_file.read, yaml_file.write),
        Format("json", (".json",), "application/json", json_file.read, json_file.write),
        Format("po", (".po", ".pot"), "text/x-gettext-translation", po_file.read, po_file.write,
               one_locale=True),
        Format("csv", (".csv", ".tsv"), "text/csv", csv_file.read, csv_file.write),
        Format("xliff", (".xlf", ".xliff"), "application/xliff+xml", xliff_file.read,
               xliff_file.write),
    )
}  # fmt: skip


def format_of(filename: str, named: str | None = None) -> Format:
    """The format called `named`, or that of a file by its extension. Raises UnknownFileType."""
    if named is not None:
        if named not in FORMATS:
            raise UnknownFileType(named, filename, ", ".join(FORMATS))
        return FORMATS[named]
    suffix = PurePath(filename).suffix.lower()
    for format_ in FORMATS.values():
        if suffix in format_.suffixes:
            return format_
    raise UnknownFileType(suffix.lstrip("."), filename, ", ".join(FORMATS))
