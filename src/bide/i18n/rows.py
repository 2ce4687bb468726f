"""Reading and writing rows of the translations table, in one scope or in all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, case, delete, insert, or_, select, update

from bide import clock
from bide.db.connection import Compiled, Connection
from bide.db.dialects import moment_in
from bide.db.drivers import Driver
from bide.db.engine import Database
from bide.db.statements import Statements
from bide.errors import InvalidTextArgument
from bide.i18n.exact import Exact, ExactInBytes, ExactInC
from bide.i18n.missing_keys import Asked
from bide.i18n.row_values import encoded
from bide.i18n.snapshot import TextRow, Versions
from bide.i18n.tables import Tables, tables

T = TypeVar("T")

#: Rows asked for or written by one statement.
BATCH: Final = 200
#: Rows read at a time where all are wanted.
READ: Final = 500
LONGEST: Final = {"mysql": 255}


class Found(NamedTuple):
    """A row that stands where something is to be written."""

    id: int
    key: str
    value: str | None
    is_proc: Any


class Rows:
    """The texts of one table. `scope` None: those of every scope (and new rows have none).
    `head`: only texts whose keys have this first part are read for lookups; None: all."""

    def __init__(
        self, database: Database, table: str, scope: str | None, head: str | None = None
    ) -> None:  # fmt: skip
        self.database = database
        self.scope = scope
        self.head = head
        self.tables: Tables = tables(database.table_prefix, table)
        self._texts = self.tables.translations.c
        self._exactly: Exact | None = None
        #: An idle process asks it again and again; to compile it takes longer than to run it.
        self._counter = lru_cache(maxsize=4)(self._compile_counter)

    # Reading

    def versions(self, connection: Connection) -> Versions:
        """How often the texts of each scope have changed."""
        found = connection.compiled(self._counter(connection.driver))
        return {scope: version for scope, version in found if self._mine(scope)}

    def _compile_counter(self, driver: Driver) -> Compiled:
        versions = self.tables.versions.c
        return driver.compile(select(versions.scope, versions.version))

    def are_there(self, connection: Connection) -> None:
        """Raises what the database raises where the table is missing."""
        connection.core(select(self._texts.id).limit(1))

    def all(self, connection: Connection) -> Iterator[TextRow]:
        """Every text, read while it is asked for: nothing else may use the connection meanwhile."""
        exact = self._exact(connection)
        return self._read(connection, None if self.head is None else exact.under(self.head))

    def below(self, connection: Connection, heads: Sequence[tuple[str, str]]) -> Iterator[TextRow]:
        """The texts whose locale and first part are among `heads`, in the same way."""
        exact = self._exact(connection)
        return self._read(
            connection,
            or_(*(and_(exact.locale(locale), exact.under(head)) for locale, head in heads)),
        )

    def changed(self, connection: Connection, since: Versions) -> list[tuple[str, int, str, str]]:
        """(scope, version, locale, key) of every change after `since`, in the scopes that it names;
        a key None: everything."""
        history = self.tables.history.c
        later = or_(
            *(
                and_(history.scope == scope, history.version > version)
                for scope, version in since.items()
            )
        )
        query = select(history.scope, history.version, history.locale, history.key).where(later)
        return [
            (scope, version, locale, key)
            for scope, version, locale, key in connection.core(query)
            if self._mine(scope)
        ]

    def _read(
        self, connection: Connection, condition: ColumnElement[bool] | None
    ) -> Iterator[TextRow]:
        texts = self._texts
        columns = [texts.locale, texts.key, texts.value, texts.is_proc]
        query = select(*columns).where(*(each.is_not(None) for each in columns[:3]))
        if condition is not None:
            query = query.where(condition)
        if self.scope is not None:
            query = query.add_columns(texts.scope).where(texts.scope == self.scope)
        found = chain.from_iterable(connection.batches(query.order_by(texts.id), READ))
        if self.scope is None:
            return found
        return (row[:4] for row in found if row[4] == self.scope)

    def _mine(self, scope: str) -> bool:
        return self.scope is None or scope == self.scope

    # Writing, inside a transaction of the caller's

    def locked(self, connection: Connection) -> Versions:
        """The versions, with the counter of our scope held, so that writers come one by one."""
        versions = self.tables.versions.c
        scope = self.side_scope
        query = select(versions.version).where(versions.scope == scope).with_for_update()
        if not connection.core(query):
            first = {"scope": scope, "version": 0, "changed_at": self.now()}
            connection.core(insert(self.tables.versions).values(**first))
        return self.versions(connection)

    def write(
        self,
        connection: Connection,
        locale: str,
        flat: Mapping[str, Any],
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Make the texts of `flat` stand in the table: what stood above or below one of them goes,
        what is the same already stays as it is. `names`: values that a missing text was given."""
        self.put(
            connection, locale, {key: encoded(key, flat[key]) for key in _settled(flat)}, names
        )

    def put(
        self,
        connection: Connection,
        locale: str,
        texts: Mapping[str, str | None],
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """As `write`, for values as the column holds them."""
        self.refuse_long(texts)
        given = names or {}
        there: dict[str, Found] = {}
        gone: list[Found] = []
        for found in self.standing(connection, locale, list(texts)):
            if found.key in texts and found.key not in there:
                there[found.key] = found
            else:
                gone.append(found)
        self.remove(connection, gone)
        other = {
            row.id: texts[key]
            for key, row in there.items()
            if row.value != texts[key] or row.is_proc not in (0, None)
        }
        for some in _batches(list(other)):
            self.change(connection, {row: other[row] for row in some})
        for batch in _batches([key for key in texts if key not in there]):
            new = [self._row(locale, key, texts[key], given.get(key)) for key in batch]
            connection.core(insert(self.tables.translations).values(new))

    def change(self, connection: Connection, values: Mapping[int, str | None]) -> None:
        """Give the rows of one batch other values."""
        new = case(dict(values), value=self._texts.id)
        connection.core(
            update(self.tables.translations)
            .where(self._texts.id.in_(list(values)))
            .values(value=new, is_proc=False, updated_at=self.rails_now())
        )

    def remove(self, connection: Connection, rows: Sequence[Found]) -> None:
        """Take rows out of the table."""
        for batch in _batches([row.id for row in rows]):
            connection.core(delete(self.tables.translations).where(self._texts.id.in_(batch)))

    def standing(
        self, connection: Connection, locale: str, keys: Sequence[str]
    ) -> list[Found]:  # fmt: skip
        """The rows of `keys`, of their parents, and below them."""
        wanted = sorted({above for key in keys for above in (key, *parents(key))})
        if len(keys) > BATCH:
            # No index helps to look below many keys: every batch would pass the whole locale again.
            given, around = frozenset(keys), frozenset(wanted)
            return [
                row
                for row in self.everything(connection, locale)
                if row.key in around or not given.isdisjoint(parents(row.key))
            ]
        texts, exact = self._texts, self._exact(connection)
        query = select(texts.id, texts.key, texts.value, texts.is_proc, texts.locale, texts.scope)
        query = query.where(exact.locale(locale), or_(exact.keys(wanted), *map(exact.below, keys)))
        if self.scope is not None:
            query = query.where(texts.scope == self.scope)
        return [
            Found(*row)
            for *row, at, scope in connection.core(query.order_by(texts.id))
            if at == locale and (self.scope is None or scope == self.scope)
        ]

    def everything(self, connection: Connection, locale: str) -> list[Found]:
        """Every row of a locale, in the order of the ids."""
        texts = self._texts
        query = select(texts.id, texts.key, texts.value, texts.is_proc, texts.locale, texts.scope)
        query = query.where(texts.locale == locale)
        if self.scope is not None:
            query = query.where(texts.scope == self.scope)
        # The column may compare without regard to case.
        return [
            Found(*row)
            for *row, at, scope in connection.core(query.order_by(texts.id))
            if at == locale and (self.scope is None or scope == self.scope) and row[1]
        ]

    def stub(self, connection: Connection, locale: str, asked: Mapping[str, Asked]) -> None:
        """Make a row without a value for each key where nothing stands at, above or below it, and
        note where it was asked for."""
        for batch in _batches(list(asked)):
            taken = [found.key for found in self.standing(connection, locale, batch)]
            free = [key for key in batch if not any(_related(key, other) for other in taken)]
            rows = [self._row(locale, key, None, asked[key].key.values) for key in free]
            if rows:
                connection.core(insert(self.tables.translations).values(rows))
                self._note(connection, locale, {key: asked[key] for key in free})

    def _note(self, connection: Connection, locale: str, asked: Mapping[str, Asked]) -> None:
        missing, scope, now = self.tables.missing, self.side_scope, self.now()
        where = and_(
            missing.c.scope == scope, missing.c.locale == locale, missing.c.key.in_(list(asked))
        )
        connection.core(delete(missing).where(where))
        notes = [
            {"scope": scope, "locale": locale, "key": key, "names": " ".join(one.key.values),
             "place": one.place, "asked": 1, "first_seen": now, "last_seen": now}
            for key, one in asked.items()
        ]  # fmt: skip
        connection.core(insert(missing).values(notes))

    def sign(self, connection: Connection, since: Versions, author: str) -> None:
        """Put the author's name to every change of this transaction."""
        history = self.tables.history
        scope = self.side_scope
        connection.core(
            update(history)
            .where(history.c.scope == scope, history.c.version > since.get(scope, 0))
            .values(author=author)
        )

    def _row(
        self, locale: str, key: str, value: str | None, names: Sequence[str] | None
    ) -> dict[str, Any]:
        now = self.rails_now()
        return {
            "scope": self.scope,
            "locale": locale,
            "key": key,
            "value": value,
            "interpolations": _symbols(names) if names else None,
            "is_proc": False,
            "created_at": now,
            "updated_at": now,
        }

    def _exact(self, connection: Connection) -> Exact:
        if self._exactly is None:
            self._exactly = self._exact_in(connection)
        return self._exactly

    def _exact_in(self, connection: Connection) -> Exact:
        texts, kind = self.tables.translations, self.database.kind
        if kind != "mysql":
            return ExactInC(texts) if kind == "postgresql" else Exact(texts)
        ask = Statements("bide.i18n.sql", kind)["characters"]
        found = connection.execute(ask.text, {"name": texts.name})
        return ExactInBytes(texts, wide=("utf8mb4",) in found)

    def refuse_long(self, texts: Mapping[str, str | None]) -> None:
        """Raise InvalidTextArgument for keys and values that the table has no room for."""
        longest = LONGEST.get(self.database.kind, 2000)
        for key, value in texts.items():
            if len(key) > longest:
                raise InvalidTextArgument(
                    f"the key {key[:60]!r}... has {len(key)} characters; this database holds {longest}"
                )
            if longest == LONGEST["mysql"] and value is not None and len(value.encode()) > 65535:
                raise InvalidTextArgument(
                    f"the text of {key!r} has {len(value.encode())} bytes; MySQL's `text` holds 65535"
                )

    @property
    def side_scope(self) -> str:
        """The scope as the side tables write it."""
        return self.scope or ""

    def now(self) -> Any:
        """This moment as the side tables hold it."""
        return moment_in(self.database.kind, clock.utc_now())

    def rails_now(self) -> Any:
        """Rails' columns have no time zone; they hold UTC."""
        now = clock.utc_now()
        if self.database.kind == "sqlite":
            return moment_in("sqlite", now)
        return now.replace(tzinfo=None)


def parents(key: str) -> list[str]:
    """`a` and `a.b` of `a.b.c`."""
    parts = key.split(".")
    return [".".join(parts[:size]) for size in range(1, len(parts))]


def _related(key: str, other: str) -> bool:
    return key == other or key.startswith(f"{other}.") or other.startswith(f"{key}.")


def _settled(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Of keys that cannot stand beside each other, the last given."""
    settled: dict[str, Any] = {}
    below: dict[str, list[str]] = {}
    for key, value in flat.items():
        for parent in parents(key):
            settled.pop(parent, None)
            if parent in flat:
                below.setdefault(parent, []).append(key)
        for other in below.get(key, ()):
            settled.pop(other, None)
        settled[key] = value
    return settled


def _batches(keys: Sequence[T]) -> Iterable[Sequence[T]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def _symbols(names: Sequence[str]) -> str:
    """Names as the gem writes them: a YAML list of symbols."""
    return "---\n" + "".join(f"- :{name}\n" for name in names)
