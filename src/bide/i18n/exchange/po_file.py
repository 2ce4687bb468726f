"""PO with keys: the context is the key, the message the source text, and plural forms belong together.

Files whose messages are the keys themselves (without the header `X-Bide-Keys`) are read as the
gettext backend reads them.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from gettext import c2py
from itertools import chain
from typing import Any, BinaryIO, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

from bide.errors import InvalidLocaleData
from bide.i18n import po
from bide.i18n.exchange.entries import (
    TEXT,
    YAML,
    Entry,
    cell,
    content,
    entries_of,
    flat_key,
    key_shown_as,
    one_locale,
    shown_key,
    value_of,
)
from bide.i18n.plurals import gettext_plural_forms, plural_categories, plural_rule

MARK: Final = "X-Bide-Keys"
_MARKED: Final = re.compile(rb'^"' + MARK.encode() + rb":", re.MULTILINE | re.IGNORECASE)
_LANGUAGE: Final = re.compile(rb'^"Language:((?:[^\\"])*)', re.MULTILINE | re.IGNORECASE)
_QUOTED: Final = re.compile(rb'\s*(?:msg\w+(?:\[\d+\])?\s*)?"')
_KIND: Final = f"kind: {YAML}"
_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
)  # fmt: skip


def read(file: BinaryIO, filename: str, locale: str | None = None) -> Iterator[Entry]:
    """The texts of a file; fuzzy and empty ones count as not translated. `locale` is for a file
    without the header Language. Raises InvalidLocaleData, with the line."""
    found = content(file, filename)
    _refuse_open_quotes(found, filename)
    try:
        catalog = read_po(io.BytesIO(found), abort_invalid=True)
        named = locale or _language(found)
        if not named:
            raise InvalidLocaleData(filename, "it names no language (header Language); name one")
        if not _MARKED.search(found):
            yield from entries_of({named: po.read(io.BytesIO(found), named)}, filename)
            return
    except PoFileError as error:
        problem = re.sub(r" on( line)? \d+$", "", str(error.args[0]))
        raise InvalidLocaleData(filename, problem, error.lineno + 1) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        if isinstance(error, InvalidLocaleData):
            raise
        raise InvalidLocaleData(filename, f"{type(error).__name__}: {error}") from error
    forms = _forms(catalog, named, filename)
    yield from chain.from_iterable(
        _entries(message, named, forms, filename) for message in catalog if message.id
    )


def _language(found: bytes) -> str | None:
    named = _LANGUAGE.search(found)
    return named[1].decode("ascii", "replace").strip() or None if named else None


def _refuse_open_quotes(found: bytes, filename: str) -> None:
    for number, line in enumerate(found.split(b"\n"), 1):
        if _QUOTED.match(line) and not line.rstrip().endswith(b'"'):
            raise InvalidLocaleData(filename, "the closing quotation mark is missing", number)


def _forms(catalog: Catalog, locale: str, filename: str) -> list[str]:
    """The plural category of each `msgstr[n]`, found by what both rules say of many numbers."""
    try:
        index = c2py(catalog.plural_expr)
    except (ValueError, RecursionError) as error:
        raise InvalidLocaleData(filename, f"the header Plural-Forms: {error}") from error
    rule = plural_rule(locale)
    said: dict[int, Counter[str]] = {form: Counter() for form in range(catalog.num_plurals)}
    for number in chain(range(201), (1000, 10**6)):
        if (form := index(number)) in said:
            said[form][rule(number)] += 1
    names = {form: votes.most_common(1)[0][0] for form, votes in said.items() if votes}
    free = [name for name in plural_categories(locale) if name not in names.values()]
    for form in said:
        if form not in names:
            names[form] = free.pop(0) if free else "other"
    return [names[form] for form in said]


def _entries(
    message: Message, locale: str, forms: list[str], filename: str
) -> Iterator[Entry]:  # fmt: skip
    line = message.lineno
    shown = message.context or _first(message.id)
    key = flat_key(key_shown_as(shown), filename, line)
    note = "\n".join(each for each in message.auto_comments if each != _KIND)
    if isinstance(message.id, str):
        kind = YAML if _KIND in message.auto_comments else TEXT
        text = "" if message.fuzzy else str(message.string or "")
        yield Entry(locale, key, value_of(text, kind, filename, line), message.id, note)
        return
    texts = dict(zip(forms, message.string or (), strict=False))
    if "other" not in texts and message.string:
        texts["other"] = message.string[-1]
    for form, text in texts.items():
        source = message.id[0 if form == "one" else -1]
        if text and not message.fuzzy:
            yield Entry(locale, f"{key}.{form}", text, source, note)


def _first(message: str | tuple[str, ...] | list[str]) -> str:
    return message if isinstance(message, str) else message[0]


def write(file: BinaryIO, entries: Iterable[Entry], source_locale: str) -> list[str]:
    """Write the texts of one locale; forms of one plural text become one message."""
    locale, held = one_locale(entries, "PO")
    header = {
        "Language": locale,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": gettext_plural_forms(locale),
        MARK: "msgctxt",
    }
    lines = "".join(f"{name}: {value}\n" for name, value in header.items())
    file.write(f'msgid ""\n{_said("msgstr", lines)}'.encode())
    groups = _grouped(held, locale)
    for entry in held:
        above, _, form = entry.key.rpartition(".")
        if form not in groups.get(above, {}):
            file.write(f"\n{_single(entry)}".encode())
        elif form == next(iter(groups[above])):
            file.write(f"\n{_plural(above, groups[above], locale)}".encode())
    return []


def _grouped(entries: list[Entry], locale: str) -> dict[str, dict[str, Entry]]:
    groups: dict[str, dict[str, Entry]] = {}
    categories = plural_categories(locale)
    for entry in entries:
        above, _, form = entry.key.rpartition(".")
        if above and form in categories and cell(entry.value)[1] == TEXT:
            groups.setdefault(above, {})[form] = entry
    return {above: forms for above, forms in groups.items() if "other" in forms}


def _single(entry: Entry) -> str:
    text, kind = cell(entry.value, entry.key)
    source, _ = cell(entry.source, entry.key)
    return (
        _comments(entry.note, kind)
        + _said("msgctxt", shown_key(entry.key))
        + _said("msgid", source or shown_key(entry.key))
        + _said("msgstr", text)
    )


def _plural(above: str, forms: Mapping[str, Entry], locale: str) -> str:
    many, one = forms["other"], forms.get("one", forms["other"])
    texts = [
        _said(f"msgstr[{index}]", forms[name].value or "" if name in forms else "")
        for index, name in enumerate(plural_categories(locale))
    ]
    return (
        _comments(many.note, TEXT)
        + _said("msgctxt", shown_key(above))
        + _said("msgid", _source(one) or shown_key(above))
        + _said("msgid_plural", _source(many) or shown_key(above))
        + "".join(texts)
    )


def _source(entry: Entry) -> str:
    return cell(entry.source, entry.key)[0]


def _comments(note: str, kind: str) -> str:
    lines = [*note.splitlines(), *([_KIND] if kind == YAML else [])]
    return "".join(f"#. {line}\n" for line in lines)


def _said(word: str, text: Any) -> str:
    lines = str(text).split("\n")
    pieces = [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    quoted = [f'"{piece.translate(_ESCAPES)}"' for piece in pieces] or ['""']
    return f"{word} " + "\n".join(quoted if len(quoted) == 1 else ['""', *quoted]) + "\n"
