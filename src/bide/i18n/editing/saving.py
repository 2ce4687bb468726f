"""Saving a text: checked, by the revision that was read, in one transaction with its history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bide.db.connection import Connection
from bide.errors import EditConflict, TextReadOnly, TextRefused, TextReplaces
from bide.i18n.editing.checks import check
from bide.i18n.editing.entries import at, row_keys
from bide.i18n.editing.findings import Finding, has_errors
from bide.i18n.editing.kept import stored
from bide.i18n.editing.sources import Sources
from bide.i18n.editing.standing import (
    Standing,
    checked_author,
    checked_key,
    standing,
    value_of,
)
from bide.i18n.locales import locale_name
from bide.i18n.row_values import encoded
from bide.i18n.side_tables.history import HistoryRows, Wanted
from bide.i18n.side_tables.notes import NoteRows
from bide.i18n.side_tables.uses import UseRows


class Saved(NamedTuple):
    """A change that was committed: its version, to ask who speaks it already, and the revision of
    the text now."""

    version: int
    revision: str


class Edit(NamedTuple):
    """A change of one text. `value`: a text, a number, a list, plural forms (None removes a form,
    those that are not named stay), or None to remove it from the table, so that files serve again.

    `expected`: the revision that was read, None for whatever stands there. `confirmed`: warnings
    are known. `replace`: texts above and below may go. `state`: the review state afterwards.
    """

    locale: str
    key: str
    value: Any
    author: str
    expected: str | None = None
    confirmed: bool = False
    replace: bool = False
    state: str | None = None


class Saving:
    """Writes texts into the table of some sources."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._rows = sources.database.live.rows

    def save(self, edit: Edit) -> Saved:
        """Make a change live. Raises EditConflict, TextRefused, TextReplaces, TextReadOnly,
        InvalidTextArgument; then nothing was written."""
        return self.transaction(edit.author, lambda connection: self.put(connection, edit))

    def findings(self, locale: str, key: str, value: Any) -> list[Finding]:
        """What the checks say about a text, against the source text of now."""
        return self._rows.database.read(lambda c: self.found(c, locale, key, value))

    def findings_of(self, locale: str, values: Mapping[str, Any]) -> dict[str, list[Finding]]:
        """The same for many texts, those with findings alone; for a file that is to be brought in."""
        rows = self._rows
        asked = rows.database.read(lambda c: UseRows(rows).missing(c, locale))
        names: dict[str, set[str]] = {}
        for one in asked:
            names.setdefault(one.key, set()).update(one.names)
        found = {
            key: self._checked(locale, key, value, names.get(key, set()))
            for key, value in values.items()
        }
        return {key: findings for key, findings in found.items() if findings}

    def found(self, connection: Connection, locale: str, key: str, value: Any) -> list[Finding]:
        """As `findings`, on a connection."""
        asked = UseRows(self._rows).missing(connection, locale, row_keys(key))
        return self._checked(locale, key, value, {name for one in asked for name in one.names})

    def _checked(self, locale: str, key: str, value: Any, names: set[str]) -> list[Finding]:
        source = None if locale == self.sources.source_locale else self.source(key)
        patterns = self.sources.i18n.config.interpolation_patterns
        if isinstance(value, Mapping):
            value = {form: text for form, text in value.items() if text is not None}
        return check(source, value, locale=locale, names=names, patterns=patterns)

    def source(self, key: str) -> Any:
        """The source text of now."""
        return self.value(self.sources.source_locale, key)

    def value(self, locale: str, key: str) -> Any:
        """What readers of a language get now."""
        sources = self.sources
        return sources.joined(at(sources.in_table(locale), key), at(sources.in_files(locale), key))

    def transaction(self, author: str, work: Callable[[Connection], Any]) -> Saved:
        """Run `work`, which returns a revision, with the counter held, and sign what it changes."""
        name, rows = checked_author(author), self._rows
        self.sources.database.live.refresh()

        def whole(connection: Connection) -> Saved:
            before = rows.locked(connection)
            revision = work(connection) or ""
            rows.sign(connection, before, name)
            return Saved(rows.versions(connection).get(rows.side_scope, 0), revision)

        saved = rows.database.run(whole, repeat=True)
        self.sources.database.written()
        return saved

    def put(self, connection: Connection, edit: Edit) -> str:
        """Make a change inside a transaction; the revision afterwards."""
        locale, key = locale_name(edit.locale), checked_key(edit.key)
        now = standing(connection, self._rows, locale, key)
        self._refuse_stale(connection, edit, now)
        self._refuse_wrong(connection, edit, now)
        if edit.value is None:
            self._rows.remove(connection, now.own)
        else:
            self._write(connection, edit, now)
        source = None if locale == self.sources.source_locale else self.source(key)
        NoteRows(self._rows).put(
            connection, locale, key, state=edit.state, author=edit.author,
            based_on=None if edit.value is None else stored(source),
        )  # fmt: skip
        return standing(connection, self._rows, locale, key).revision

    def restore(self, connection: Connection, edit: Edit, raw: Mapping[str, str]) -> str:
        """Make the rows of a text be `raw`, whose value `edit` names."""
        now = standing(connection, self._rows, edit.locale, edit.key)
        revision = self.put(connection, edit)
        if edit.value is not None:
            gone = [row for row in now.own if row.key not in raw]
            self._rows.remove(connection, gone)
            self._rows.put(connection, edit.locale, raw)
            revision = standing(connection, self._rows, edit.locale, edit.key).revision
        return revision

    def _write(self, connection: Connection, edit: Edit, now: Standing) -> None:
        if not isinstance(edit.value, Mapping):
            self._rows.put(connection, edit.locale, {edit.key: encoded(edit.key, edit.value)})
            return
        forms = {f"{edit.key}.{form}": text for form, text in edit.value.items()}
        texts = {key: encoded(key, text) for key, text in forms.items() if text is not None}
        gone = [row for row in now.own if row.key in forms and row.key not in texts]
        self._rows.remove(connection, gone)
        self._rows.put(connection, edit.locale, texts)

    def _refuse_stale(self, connection: Connection, edit: Edit, now: Standing) -> None:
        if edit.expected is None or edit.expected == now.revision:
            return
        keys = [edit.key, *(row.key for row in now.own)]
        wanted = Wanted(locale=edit.locale, keys=keys)
        newest = HistoryRows(self._rows).of(connection, wanted, most=1)
        theirs = value_of(edit.key, now.raw)
        change = newest[0] if newest else None
        raise EditConflict(edit.locale, edit.key, theirs, edit.value, change)

    def _refuse_wrong(self, connection: Connection, edit: Edit, now: Standing) -> None:
        if now.is_code:
            raise TextReadOnly(
                edit.locale,
                edit.key,
                "cannot be edited: the row holds Ruby code of another program",
            )
        if edit.value is None:
            return
        in_the_way = now.in_the_way()
        if in_the_way and not edit.replace:
            raise TextReplaces(edit.locale, edit.key, in_the_way)
        found = self.found(connection, edit.locale, edit.key, self._result(edit, now))
        if has_errors(found) or (found and not edit.confirmed):
            confirmable = not has_errors(found)
            raise TextRefused(edit.locale, edit.key, [*found], confirmable=confirmable)

    def _result(self, edit: Edit, now: Standing) -> Any:
        """What readers will get: forms that are not named stay, and files fill gaps."""
        if not isinstance(edit.value, Mapping):
            return edit.value
        there = value_of(edit.key, now.raw)
        kept = there if isinstance(there, Mapping) else {}
        given = {form: text for form, text in {**kept, **edit.value}.items() if text is not None}
        in_files = at(self.sources.in_files(edit.locale), edit.key)
        return self.sources.joined(given, in_files if isinstance(in_files, dict) else None)
