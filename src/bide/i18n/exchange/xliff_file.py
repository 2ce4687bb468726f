"""XLIFF, the translation agencies' format: 1.2 is written, 1.2 and 2.x are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, BinaryIO, Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from bide.errors import InvalidLocaleData
from bide.i18n.exchange.entries import (
    TEXT,
    YAML,
    Entry,
    cell,
    flat_key,
    key_shown_as,
    shown_key,
    value_of,
)

_PIECE: Final = 64 * 1024
_UNITS: Final = ("trans-unit", "unit")
_YAML: Final = f"x-{YAML}"
#: States of a target that is no translation yet (1.2 and 2.x).
_UNTRANSLATED: Final = ("new", "needs-translation", "initial")
# A parser makes a line feed of a raw one, and of a line feed in an attribute a space.
_BREAKS: Final = {"\r": "&#13;"}


def read(file: BinaryIO, filename: str, locale: str | None = None) -> Iterator[Entry]:
    """The texts, while the file is read; `locale` is for one that names no target language.

    No entity and no document type is followed. Raises InvalidLocaleData, with the line.
    """
    reader = _Reader(filename, locale)
    try:
        while piece := file.read(_PIECE):
            reader.parser.Parse(piece, False)
            yield from reader.take()
        reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise InvalidLocaleData(
            filename, expat.errors.messages[error.code], error.lineno
        ) from error
    yield from reader.take()


class _Reader:
    """Gathers the units while expat tells of elements."""

    def __init__(self, filename: str, locale: str | None) -> None:
        self._filename, self._given = filename, locale
        self._locale = locale
        self._found: list[Entry] = []
        self._unit: dict[str, str] | None = None
        self._parts: dict[str, str] = {}
        self._into: str | None = None
        self._aside = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._refuse

    def take(self) -> list[Entry]:
        """What was found since the last call."""
        found, self._found = self._found, []
        return found

    def _broken(self, problem: str) -> InvalidLocaleData:
        return InvalidLocaleData(self._filename, problem, self.parser.CurrentLineNumber)

    def _refuse(self, *_: Any) -> None:
        raise self._broken("a document type is not allowed")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        if name in ("file", "xliff"):
            told = attributes.get("target-language") or attributes.get("trgLang")
            self._locale = self._given or told or self._locale
        elif name in _UNITS:
            self._unit, self._parts = attributes, {}
        elif name == "alt-trans":
            self._aside += 1
        elif self._unit is not None and not self._aside:
            self._part(name, attributes)

    def _part(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("segment", "target") and attributes.get("state") in _UNTRANSLATED:
            self._parts["untranslated"] = name
        if name in ("source", "target", "note"):
            self._into = name
            self._parts.setdefault(name, "")

    def _characters(self, text: str) -> None:
        if self._into is not None:
            self._parts[self._into] += text

    def _end(self, name: str) -> None:
        name = name.rpartition(" ")[2]
        if name == self._into:
            self._into = None
        elif name == "alt-trans":
            self._aside -= 1
        elif name in _UNITS and self._unit is not None:
            self._found.append(self._entry(self._unit))
            self._unit = None

    def _entry(self, unit: dict[str, str]) -> Entry:
        shown = unit.get("resname") or unit.get("name") or unit.get("id") or ""
        line = self.parser.CurrentLineNumber
        if not self._locale:
            raise self._broken("it names no target language; name one")
        kind = YAML if unit.get("datatype") == _YAML or unit.get("type") == "bide:yaml" else TEXT
        target = "" if "untranslated" in self._parts else self._parts.get("target", "")
        return Entry(
            self._locale,
            flat_key(key_shown_as(shown), self._filename, line),
            value_of(target, kind, self._filename, line) if target else None,
            self._parts.get("source") or None,
            self._parts.get("note", ""),
        )


def write(file: BinaryIO, entries: Iterable[Entry], source_locale: str) -> list[str]:
    """Write XLIFF 1.2, a `file` for each run of entries of one locale."""
    file.write(
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">\n'
    )
    for locale, held in groupby(entries, key=lambda entry: entry.locale):
        file.write(
            f'<file original="texts" datatype="plaintext" '
            f"source-language={_attribute(source_locale)} target-language={_attribute(locale)}>"
            "<body>\n".encode()
        )
        file.writelines(_unit(entry).encode() for entry in held)
        file.write(b"</body></file>\n")
    file.write(b"</xliff>\n")
    return []


def _unit(entry: Entry) -> str:
    text, kind = cell(entry.value, entry.key)
    source, _ = cell(entry.source, entry.key)
    name = _attribute(shown_key(entry.key))
    datatype = f' datatype="{_YAML}"' if kind == YAML else ""
    state = "translated" if text else "needs-translation"
    note = f"<note>{_content(entry.note)}</note>" if entry.note else ""
    return (
        f'<trans-unit id={name} resname={name} xml:space="preserve"{datatype}>'
        f"<source>{_content(source)}</source>"
        f'<target state="{state}">{_content(text)}</target>{note}</trans-unit>\n'
    )


def _content(text: str) -> str:
    return escape(text, _BREAKS)


def _attribute(text: str) -> str:
    return quoteattr(text, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
