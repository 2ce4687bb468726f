"""What texts there are in each language: missing, outdated, to be reviewed, wrong; kept up to date
part by part, so that a list of a hundred thousand texts costs what changed since the last look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import is_
from typing import Any, Final, NamedTuple

from bide.db.connection import Connection
from bide.i18n.editing.checks import check, plain
from bide.i18n.editing.entries import base, entries, head
from bide.i18n.editing.findings import ERROR
from bide.i18n.editing.kept import stored
from bide.i18n.editing.listing import (
    CHANGED,
    FAILING,
    INHERITED,
    MISSING,
    OK,
    REVIEW,
    Listing,
    Section,
)
from bide.i18n.editing.sources import Sources
from bide.i18n.guarded import Guard
from bide.i18n.side_tables.history import HistoryRows
from bide.i18n.side_tables.notes import Note, NoteRows
from bide.i18n.side_tables.uses import UseRows

#: Review states of a text.
NEEDS_REVIEW: Final = "needs_review"
APPROVED: Final = "approved"


class Updates:
    """Which texts of the source language got another value, and when they last did, by the number of
    the change; the same for all languages."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.numbers: dict[str, dict[str, int]] = {}
        #: The first parts of the changed keys, in the order of the changes.
        self.heads: list[str] = []
        self.first: int | None = None
        self._version = -1

    def refresh(self, connection: Connection, rows: HistoryRows, version: int) -> None:
        """Ask for what is new; `version` was read before."""
        if version == self._version:
            return
        for number, key in rows.updated(connection, self.source, self._version):
            self.numbers.setdefault(head(key), {})[base(key)] = number
            self.heads.append(head(key))
            self.first = number if self.first is None else self.first
        self._version = version


class Facts:
    """What the side tables know of a language, by key and by the first parts of keys."""

    def __init__(self, updates: Updates, locale: str) -> None:
        self.updates, self.locale = updates, locale
        self.notes: dict[str, dict[str, Note]] = {}
        self.wanted: dict[str, dict[str, frozenset[str]]] = {}
        #: Key -> number of its last change, where the source text was changed before that.
        self.changes: dict[str, int] = {}
        self._notes_version = self._version = -1
        self._updates_seen = 0
        #: First parts of which something was read that no list was told yet: a read may end halfway.
        self._changed: set[str] = set()

    def refresh(self, sources: Sources) -> set[str]:
        """Ask for what is new; the first parts of the keys that it is about."""
        rows = sources.database.live.rows

        def work(connection: Connection) -> None:
            self._read_notes(connection, NoteRows(rows))
            # Before the changes: what is committed in between is then read twice instead of never.
            version = rows.versions(connection).get(rows.side_scope, 0)
            if version != self._version:
                if self.locale != self.updates.source:
                    self.updates.refresh(connection, HistoryRows(rows), version)
                    self._read_changes(connection, HistoryRows(rows))
                self._read_missing(connection, UseRows(rows))
                self._version = version

        rows.database.read(work)
        changed, self._changed = self._changed, set()
        return changed

    def _read_notes(self, connection: Connection, rows: NoteRows) -> None:
        for note in rows.changed(connection, self.locale, self._notes_version):
            self.notes.setdefault(head(note.key), {})[note.key] = note
            self._notes_version = max(self._notes_version, note.version)
            self._changed.add(head(note.key))

    def _read_changes(self, connection: Connection, rows: HistoryRows) -> None:
        updates = self.updates
        self._changed.update(updates.heads[self._updates_seen :])
        self._updates_seen = len(updates.heads)
        # A translation that was written before any source text changed is up to date or it is not,
        # whenever that was.
        if updates.first is not None:
            for number, key in rows.written(connection, self.locale, self._version, updates.first):
                self.changes[base(key)] = number
                self._changed.add(head(key))

    def _read_missing(self, connection: Connection, rows: UseRows) -> None:
        self.wanted = {}
        for one in rows.missing(connection, self.locale):
            key = base(one.key)
            keys = self.wanted.setdefault(head(key), {})
            keys[key] = keys.get(key, frozenset()) | frozenset(one.names)

    def outdated(self, key: str, source: Any, note: Note | None) -> bool:
        """Whether the source text is another than the one that was translated."""
        if note is not None and note.based_on is not None:
            return note.based_on != stored(source)
        updates = self.updates.numbers.get(head(key), {})
        return updates.get(key, 0) > self.changes.get(key, 0)


class Made(NamedTuple):
    """A section, and the very objects that it was made of."""

    section: Section
    parts: tuple[Any, ...]
    made_of: tuple[Any, ...]


class Source(NamedTuple):
    """The source texts below a first part of keys, in order, with the placeholders of those that are
    plain, and the very objects that they were made of."""

    texts: dict[str, Any]
    slots: dict[str, tuple[str, ...]]
    parts: tuple[Any, ...]


class Catalogue:
    """The lists of all languages, for one process; any thread may use it."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._facts: dict[str, Facts] = {}
        self._made: dict[str, dict[str, Made]] = {}
        self._updates: dict[str, Updates] = {}
        self._sources: dict[str, Source] = {}
        self._guard = Guard()

    def listing(self, locale: str) -> Listing:
        """The texts of a locale as they are now. Raises what the database raises."""
        with self._guard:
            self.sources.database.live.refresh()
            facts = self._facts.get(locale)
            if facts is None:
                source = self.sources.source_locale
                updates = self._updates.setdefault(source, Updates(source))
                facts = self._facts[locale] = Facts(updates, locale)
            changed = facts.refresh(self.sources)
            return self._listing(locale, facts, changed)

    def _listing(self, locale: str, facts: Facts, changed: set[str]) -> Listing:
        source = self.sources.source_locale
        below = [] if locale == source else [locale, *self.sources.inherited(locale)]
        trees = [
            tree(each)
            for each in (source, *below)
            for tree in (self.sources.in_table, self.sources.in_files)
        ]
        old = self._made.get(locale, {})
        heads = {name for tree in trees for name in tree} | facts.wanted.keys()
        made: dict[str, Made] = {}
        for name in filter(self.sources.shows, heads):
            parts = tuple(tree.get(name) for tree in trees)
            known = old.get(name)
            about = (facts.wanted.get(name), self.sources.i18n.config)
            same = known is not None and _same(known.parts, parts) and known.made_of == about
            if known is None or not same or name in changed:
                known = Made(self._section(locale, name, parts, facts), parts, about)
            made[name] = known
        self._made[locale] = made
        return Listing({name: one.section for name, one in made.items() if one.section.keys})

    def _section(
        self, locale: str, name: str, parts: tuple[Any, ...], facts: Facts
    ) -> Section:  # fmt: skip
        source, _, _ = found = self._source(name, parts[:2])
        wanted = facts.wanted.get(name, {})
        states = States(locale, name, facts, self.sources.i18n.config.interpolation_patterns)
        if not parts[2:]:
            keys = _keys(source, wanted)
            return Section(keys, source, source, states.of_source(keys, found))
        target = entries(name, self.sources.joined(*parts[2:4]), source)
        keys = _keys(source, target, wanted)
        states.inherited = self._inherited(name, parts[4:], source)
        return Section(keys, source, target, states.of(keys, found, target))

    def _inherited(
        self, name: str, parts: tuple[Any, ...], source: dict[str, Any]
    ) -> set[str]:  # fmt: skip
        """The keys that the languages above have."""
        return {
            key
            for place in range(0, len(parts), 2)
            for key in entries(name, self.sources.joined(*parts[place : place + 2]), source)
        }

    def _source(self, name: str, parts: tuple[Any, ...]) -> Source:
        """The same for all languages."""
        known = self._sources.get(name)
        if known is None or not _same(known.parts, parts):
            found = entries(name, self.sources.joined(*parts))
            texts = {key: found[key] for key in sorted(found)}
            # Kept once: most texts have none, and the others those of many others.
            every: dict[tuple[str, ...], tuple[str, ...]] = {}
            slots = {
                key: every.setdefault(names, names)
                for key, text in texts.items()
                if (names := plain(text)) is not None
            }
            known = self._sources[name] = Source(texts, slots, parts)
        return known


def _keys(source: dict[str, Any], *others: Iterable[str]) -> list[str]:
    """All keys in order; `source` is in order."""
    more = set().union(*others).difference(source)
    return sorted([*source, *more]) if more else list(source)


def _same(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    return len(old) == len(new) and all(map(is_, old, new))


class States:
    """Finds out the state of texts of one language whose keys begin alike."""

    def __init__(self, locale: str, name: str, facts: Facts, patterns: tuple[str, ...]) -> None:
        self._locale, self._facts, self._patterns = locale, facts, patterns
        self._notes = facts.notes.get(name, {})
        self._wanted = facts.wanted.get(name, {})
        #: Keys of which more is known than their texts.
        self._known = {*self._notes, *self._wanted, *facts.updates.numbers.get(name, {})}
        #: Keys whose texts readers get from a language above.
        self.inherited: set[str] = set()

    def of(self, keys: Iterable[str], source: Source, target: Mapping[str, Any]) -> list[int]:
        """The bits of translations."""
        known, bits = self._known, []
        for key in keys:
            text = target.get(key)
            # What most texts are takes few steps.
            slots = plain(text) if not (self._patterns or key in known) else None
            if slots is not None and slots == source.slots.get(key):
                bits.append(OK)
            else:
                bits.append(self._of(key, source.texts.get(key), text))
        return bits

    def of_source(self, keys: Iterable[str], source: Source) -> list[int]:
        """The bits of texts of the source language itself."""
        known, slots = self._known, source.slots if not self._patterns else {}
        return [
            OK if key in slots and key not in known else self._of_source(key, source.texts.get(key))
            for key in keys
        ]

    def _of(self, key: str, source: Any, target: Any) -> int:
        note = self._notes.get(key)
        bits = _review(note)
        if target is None:
            return bits | (INHERITED if key in self.inherited else MISSING)
        if self._facts.outdated(key, source, note):
            bits |= CHANGED
        if self._fails(key, source, target, confirmed=note is not None and note.state == APPROVED):
            bits |= FAILING
        return bits or OK

    def _of_source(self, key: str, text: Any) -> int:
        bits = _review(self._notes.get(key))
        if text is None:
            return bits | MISSING
        if self._fails(key, None, text, confirmed=True):
            bits |= FAILING
        return bits or OK

    def _fails(self, key: str, source: Any, target: Any, *, confirmed: bool) -> bool:
        names = self._wanted.get(key)
        found = check(source, target, locale=self._locale, names=names, patterns=self._patterns)
        return any(finding.severity == ERROR or not confirmed for finding in found)


def _review(note: Note | None) -> int:
    return REVIEW if note and (note.state == NEEDS_REVIEW or note.proposals) else 0
