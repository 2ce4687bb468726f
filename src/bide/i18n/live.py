"""The texts of a table as this process knows them now: one snapshot, replaced when others changed them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from bide import events
from bide.clock import monotonic
from bide.db.connection import Connection
from bide.db.engine import Database
from bide.db.failures import is_absent
from bide.errors import DatabaseError
from bide.i18n.guarded import Guard
from bide.i18n.missing_keys import Asking, Using
from bide.i18n.presence import Presence
from bide.i18n.rows import Rows
from bide.i18n.side_tables.languages import PREPARED, LanguageRows
from bide.i18n.side_tables.uses import UseRows
from bide.i18n.snapshot import NOTHING, Snapshot, Versions, parts_of, trees_of

T = TypeVar("T")

#: More changed namespaces than this at once, and everything is read anew.
MOST_HEADS: Final = 100
#: Seconds for which texts that nobody watches may be told without asking; a child asks first.
FRESH: Final = 0.25


class Live:
    """Holds a snapshot and no connection, so a forked child goes on with the one it inherits.

    `database` is asked for at the first use. `changed` is called after the snapshot was replaced.
    """

    def __init__(
        self,
        database: Callable[[], Database],
        table: str,
        scope: str | None,
        changed: Callable[[], None],
        head: str | None = None,
    ) -> None:
        self._database = database
        self._table = table
        self._scope = scope
        self._head = head
        self._rows: Rows | None = None
        self.changed = changed
        self.snapshot: Snapshot | None = None
        self._stale = False
        self.asking = Asking()
        self.using = Using()
        self.presence = Presence(table if scope is None else f"{table}:{scope}")
        #: Whether the database could not be reached at the last look.
        self.away = False
        #: When the database was last asked, in monotonic seconds.
        self.read_at = -math.inf
        self._guard = Guard()

    @property
    def rows(self) -> Rows:
        """The rows in the database, which may become another one; opens nothing yet."""
        database = self._database()
        if self._rows is None or self._rows.database is not database:
            self._rows = Rows(database, self._table, self._scope, self._head)
        return self._rows

    @property
    def loaded(self) -> bool:
        """Whether the texts were read."""
        return self.snapshot is not None and not self._stale

    def current(self) -> Snapshot:
        """The texts of now, read at the first call."""
        if not self.loaded:
            with self._guard:
                if not self.loaded:
                    self._load()
        return self.snapshot or NOTHING

    def forget(self) -> None:
        """Read everything anew at the next use; until that succeeds the old texts serve."""
        self._stale = True

    def catch_up(self) -> None:
        """Ask for changes if nobody has for a while: in a forked child, or a parent that has forked."""
        if self.loaded and not self.away and monotonic() - self.read_at > FRESH:
            self.refresh()

    def refresh(self) -> bool:
        """Take in what others changed since; whether there was anything. Never raises for a lost
        database: it is told once, and the texts that are known go on serving."""
        with self._guard:
            before = self.snapshot
            self._read(self._renewed)
            now = self.snapshot
        if now is before:
            return False
        # Views keep what they remember while only texts changed that are not read here.
        if before is None or now is None or now.trees is not before.trees:
            self.changed()
        return True

    def write_missing(self) -> None:
        """Make rows for the keys that were asked for in vain; without a database they are dropped."""
        asked = self.asking.take()
        if not asked:
            return

        def work(connection: Connection) -> None:
            self.rows.locked(connection)
            for locale in sorted({one.key.locale for one in asked}):
                here = {one.key.key: one for one in asked if one.key.locale == locale}
                self.rows.stub(connection, locale, here)

        with contextlib.suppress(DatabaseError):
            self.rows.database.run(work, repeat=True)

    def write_uses(self) -> None:
        """Note where texts were used; without a database that is forgotten."""
        places = self.using.take()
        if not places:
            return

        def work(connection: Connection) -> None:
            self.rows.locked(connection)
            UseRows(self.rows).tell(connection, places)

        with contextlib.suppress(DatabaseError):
            self.rows.database.run(work, repeat=True)

    def tell(self) -> float:
        """Say which version of the texts this process speaks, if it is time; when it will be, in
        monotonic seconds."""
        if self.snapshot is None or self.snapshot.versions is None or self.away:
            return math.inf
        return self.presence.tell(self.rows, self.snapshot.versions)

    def _load(self) -> None:
        self._read(self._whole)
        self._stale = False
        if self.snapshot is None:
            self.snapshot = NOTHING

    def _read(self, work: Callable[[Connection], Snapshot]) -> None:
        begun = monotonic()
        try:
            self.snapshot = self.rows.database.read(work)
        except DatabaseError as error:
            if not self.away:
                events.emit("texts_unreachable", error=error)
            self.away = True
        else:
            if self.away:
                events.emit("texts_reachable")
            self.away, self.read_at = False, begun

    def _whole(self, connection: Connection) -> Snapshot:
        # Before the rows: what is committed in between is then read twice instead of never.
        versions = _answered(connection, self.rows.versions)
        states = _answered(connection, LanguageRows(self.rows).states) or {}
        prepared = frozenset(locale for locale, state in states.items() if state == PREPARED)
        return Snapshot(versions, trees_of(self.rows.all(connection)), prepared)

    def _renewed(self, connection: Connection) -> Snapshot:
        known = self.snapshot
        if known is None or known.versions is None:
            return self._whole(connection)
        versions = self.rows.versions(connection)
        if versions == known.versions:
            return known
        heads = self._heads(connection, known.versions, versions)
        if heads is None:
            return self._whole(connection)
        if not heads:
            return known._replace(versions=versions)
        return known.patched(versions, heads, self.rows.below(connection, heads))

    def _heads(
        self, connection: Connection, before: Versions, now: Versions
    ) -> list[tuple[str, str]] | None:
        """Locale and first part of every change since `before`; None: the history does not tell all."""
        if any(now.get(scope, -1) < version for scope, version in before.items()):
            return None
        newer = {
            scope: before.get(scope, 0)
            for scope, version in now.items()
            if version != before.get(scope, 0)
        }
        if not newer:  # a scope whose counter was made, and nothing changed yet
            return []
        changes = self.rows.changed(connection, newer)
        told = {(scope, version) for scope, version, _, _ in changes}
        if any((scope, version + 1) not in told for scope, version in newer.items()):
            return None
        return _heads_of([(locale, key) for _, _, locale, key in changes if self._reads(key)])

    def _reads(self, key: str | None) -> bool:
        """Whether a changed text is one of ours; None: everything changed."""
        return self._head is None or key is None or key.partition(".")[0] == self._head


def _answered(connection: Connection, question: Callable[[Connection], T]) -> T | None:
    """None where the tables are older than this program."""
    try:
        return question(connection)
    except Exception as error:
        if is_absent(error):
            return None
        raise


def _heads_of(places: Sequence[tuple[Any, Any]]) -> list[tuple[str, str]] | None:
    heads = set()
    for locale, key in places:
        if locale is None or key is None:
            return None
        head = key.partition(".")[0]
        # `+3` and `3` are one part to a lookup, and two to the table.
        if parts_of(head) != (head,):
            return None
        heads.add((locale, head))
    return sorted(heads) if len(heads) <= MOST_HEADS else None
