"""One text with everything that is known of it, for the page that edits it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from bide.db.connection import Connection
from bide.i18n.editing.entries import at, base, row_keys
from bide.i18n.editing.findings import Finding
from bide.i18n.editing.forms import Form, exact_forms, forms_of, is_plural
from bide.i18n.editing.kept import loaded
from bide.i18n.editing.saving import Saving
from bide.i18n.editing.standing import Standing, checked_key, standing, unreadable, value_of
from bide.i18n.keys import Key
from bide.i18n.locales import locale_name
from bide.i18n.side_tables.notes import Note, NoteRows
from bide.i18n.side_tables.proposals import Proposal, ProposalRows
from bide.i18n.side_tables.uses import Asked, Use, UseRows


class Text(NamedTuple):
    """A text in one language.

    `source`: the text of the source language; `value`: what readers get, None: it is missing;
    `in_table` and `in_files`: the two it comes from. `kind`: `text`, `forms`, `list`, `number`,
    `boolean`, `link` or `other`. `forms`: those to fill in. `revision`: what an edit names.
    `read_only`: why nobody can edit it here, empty if anybody can. `unreadable`: what is wrong with
    rows that cannot be read; `rows`: their values by key, as the table holds them. `in_the_way`: texts that saving
    would replace. `based_on`: the source text that was translated, where that is known.
    """

    locale: str
    key: str
    source: Any
    value: Any
    in_table: Any
    in_files: Any
    kind: str
    forms: tuple[Form, ...]
    revision: str
    read_only: str
    unreadable: list[str]
    rows: dict[str, str]
    in_the_way: list[str]
    findings: list[Finding]
    based_on: Any
    note: Note
    proposals: list[Proposal]
    asked: list[Asked]
    use: Use | None


class Texts:
    """The texts of some sources, one by one."""

    def __init__(self, saving: Saving) -> None:
        self._saving = saving
        self._sources = saving.sources

    def text(self, locale: str, key: str) -> Text:
        """A text as it is now; one that nobody knows yet is empty. Raises InvalidTextArgument for
        what is no key."""
        locale, key = locale_name(locale), checked_key(key)
        return self._sources.database.live.rows.database.read(lambda c: self._text(c, locale, key))

    def _text(self, connection: Connection, locale: str, key: str) -> Text:
        rows, sources = self._sources.database.live.rows, self._sources
        there = standing(connection, rows, locale, key)
        in_table, in_files = value_of(key, there.raw), at(sources.in_files(locale), key)
        in_files = None if isinstance(in_files, dict) and not is_plural(in_files) else in_files
        source, value = self._saving.source(key), sources.joined(in_table, in_files)
        asked = UseRows(rows).missing(connection, locale, row_keys(key))
        kind = _kind(key, source, value, asked)
        note = NoteRows(rows).get(connection, locale, key)
        return Text(
            locale, key, source, value, in_table, in_files, kind,
            forms=(*forms_of(locale), *exact_forms()) if kind == "forms" else (),
            revision=there.revision,
            read_only=self._read_only(there, kind, in_files),
            unreadable=unreadable(there.raw),
            rows=there.raw,
            in_the_way=there.in_the_way(),
            findings=self._saving.found(connection, locale, key, value),
            based_on=loaded(note.based_on),
            note=note,
            proposals=ProposalRows(rows).of(connection, locale, key),
            asked=asked,
            use=UseRows(rows).get(connection, key),
        )  # fmt: skip

    def _read_only(self, there: Standing, kind: str, in_files: Any) -> str:
        if there.is_code:
            return "code"
        if kind in ("link", "other"):
            return kind
        if in_files is not None and not self._sources.edits_win:
            return "files_win"
        return ""


def _kind(key: str, source: Any, value: Any, asked: Sequence[Asked]) -> str:
    if (
        is_plural(source)
        or is_plural(value)
        or any(base(one.key) == key != one.key for one in asked)
    ):
        return "forms"
    model = value if source is None else source
    if isinstance(model, Key):
        return "link"
    if isinstance(model, bool):
        return "boolean"
    if isinstance(model, (int, float)):
        return "number"
    if isinstance(model, (list, tuple)):
        plain = all(each is None or (type(each) is str and "\n" not in each) for each in model)
        return "list" if plain else "other"
    return "text" if model is None or isinstance(model, str) else "other"
