"""Who changed a text when, what the change was, and going back to any state before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from re import findall
from typing import Any, Final, NamedTuple

from bide.db.connection import Connection
from bide.i18n.editing.entries import row_keys, shown
from bide.i18n.editing.saving import Edit, Saved, Saving
from bide.i18n.editing.standing import checked_author, standing, value_of
from bide.i18n.side_tables.history import Change, HistoryRows, Wanted

#: Says whether a locale is meant.
Only = Callable[[str], bool] | None
#: Changes of one text, one author and nearly one moment are one step.
TOGETHER: Final = timedelta(seconds=1)
#: Changes of one text that are looked through.
DEEPEST: Final = 2000
#: Changes of one author that are taken back at once.
MOST: Final = 10_000


class Step(NamedTuple):
    """A step in the history of one text: `number` names the state after it."""

    number: int
    author: str | None
    moment: datetime
    before: Any
    after: Any


class Revert(NamedTuple):
    """What taking back an author's changes does: row by row (locale, key, value now, value then);
    `kept` are those that somebody else changed since."""

    undone: list[tuple[str, str, str | None, str | None]]
    kept: list[tuple[str, str]]


class Piece(NamedTuple):
    """A piece of a comparison: `same`, `gone` or `new`."""

    kind: str
    text: str


class History:
    """The history of the texts of some sources."""

    def __init__(self, saving: Saving) -> None:
        self._saving = saving
        self._rows = saving.sources.database.live.rows
        self._history = HistoryRows(self._rows)

    def of(
        self, locale: str, key: str, most: int = 50, *, now: Mapping[str, str] | None = None
    ) -> list[Step]:  # fmt: skip
        """The steps of one text, the newest first. `now`: the rows of the text, where they are
        known already."""

        def work(connection: Connection) -> list[Step]:
            raw = standing(connection, self._rows, locale, key).raw if now is None else now
            return list(_steps(key, raw, self._changes(connection, locale, key)))[:most]

        return self._rows.database.read(work)

    def latest(
        self,
        *,
        locale: str | None = None,
        author: str | None = None,
        before: int | None = None,
        most: int = 50,
    ) -> list[Change]:
        """The newest changes of all texts, row by row; `before`: older than that number."""
        wanted = Wanted(locale=locale, author=author, before=before)
        return self._rows.database.read(lambda c: self._history.of(c, wanted, most))

    def authors(self) -> list[str]:
        """Who has changed texts."""
        return self._rows.database.read(self._history.authors)

    def restore(self, edit: Edit, number: int) -> Saved:
        """Bring back the text as it was after step `number`, 0: before all that is known. The value
        of `edit` is not looked at. Raises what saving raises, for the text of then is checked anew.
        """

        def work(connection: Connection) -> str:
            raw = standing(connection, self._rows, edit.locale, edit.key).raw
            changes = self._changes(connection, edit.locale, edit.key)
            then = _undone(raw, [change for change in changes if change.id > number])
            value = value_of(edit.key, then)
            return self._saving.restore(connection, edit._replace(value=value), then)

        return self._saving.transaction(edit.author, work)

    def plan(
        self, author: str, since: datetime, until: datetime | None = None, *, only: Only = None
    ) -> Revert:
        """What `revert` would do now."""
        wanted = Wanted(author=author, since=since, until=until)
        return self._rows.database.read(lambda c: self._plan(c, wanted, only))

    def revert(
        self,
        author: str,
        since: datetime,
        until: datetime | None = None,
        *,
        by: str,
        only: Only = None,
    ) -> Revert:
        """Take back what an author changed in a time, except where somebody changed it since. `only`
        says in which locales; in all without it."""
        wanted, done = (
            Wanted(author=checked_author(author), since=since, until=until),
            Revert([], []),
        )

        def work(connection: Connection) -> None:
            nonlocal done
            done = self._plan(connection, wanted, only)
            for locale in {locale for locale, *_ in done.undone}:
                self._put_back(
                    connection, locale, [row[1:] for row in done.undone if row[0] == locale]
                )

        self._saving.transaction(by, work)
        return done

    def _plan(self, connection: Connection, wanted: Wanted, only: Only) -> Revert:
        plan = Revert([], [])
        spans: dict[tuple[str, str], tuple[str | None, str | None]] = {}
        for change in self._history.of(connection, wanted, MOST):
            if change.locale is None or change.key is None:
                continue
            if only is None or only(change.locale):
                name = (change.locale, change.key)
                now, _ = spans.get(name, (change.new_value, None))
                spans[name] = (now, change.old_value)
        for (locale, key), (now, then) in sorted(spans.items()):
            there = [
                row for row in self._rows.standing(connection, locale, [key]) if row.key == key
            ]
            if (there[0].value if there else None) != now:
                plan.kept.append((locale, key))
            elif now != then:
                plan.undone.append((locale, key, now, then))
        return plan

    def _put_back(
        self, connection: Connection, locale: str, rows: Iterable[tuple[str, Any, Any]]
    ) -> None:
        then = {key: value for key, _, value in rows}
        gone = [key for key, value in then.items() if value is None]
        for key in gone:
            there = self._rows.standing(connection, locale, [key])
            self._rows.remove(connection, [row for row in there if row.key == key])
        texts = {key: value for key, value in then.items() if value is not None}
        self._rows.put(connection, locale, texts)

    def _changes(self, connection: Connection, locale: str, key: str) -> list[Change]:
        wanted = Wanted(locale=locale, keys=row_keys(key))
        return self._history.of(connection, wanted, DEEPEST)


def _undone(raw: Mapping[str, str], changes: Iterable[Change]) -> dict[str, str]:
    """The rows of a text before `changes`, which are the newest first."""
    then: dict[str, str | None] = dict(raw)
    for change in changes:
        then[str(change.key)] = change.old_value
    return {key: value for key, value in then.items() if value is not None}


def _steps(key: str, raw: Mapping[str, str], changes: list[Change]) -> Iterable[Step]:
    after, groups = dict(raw), _grouped(changes)
    for group in groups:
        before = _undone(after, group)
        newest = group[0]
        if before != after:
            yield Step(
                newest.id,
                newest.author,
                newest.created_at,
                value_of(key, before),
                value_of(key, after),
            )
        after = before


def _grouped(changes: list[Change]) -> list[list[Change]]:
    """What one edit did: one author, nearly one moment, and no row twice."""
    groups: list[list[Change]] = []
    for change in changes:
        if groups and _belongs(change, groups[-1]):
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _belongs(change: Change, group: list[Change]) -> bool:
    later = group[-1]
    return (
        later.author == change.author
        and later.created_at - change.created_at < TOGETHER
        and change.key not in {each.key for each in group}
    )


def compared(before: Any, after: Any) -> list[Piece]:
    """What differs between two values, word by word."""
    old, new = (
        findall(r"\s+|\w+|[^\w\s]", "" if each is None else shown(each)) for each in (before, after)
    )
    pieces = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(old[a:b])))
            continue
        pieces += [Piece("gone", "".join(old[a:b]))] if b > a else []
        pieces += [Piece("new", "".join(new[c:d]))] if d > c else []
    return pieces
