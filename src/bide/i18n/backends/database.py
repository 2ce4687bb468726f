"""Texts in a table that people edit while programs run, the i18n gem's own table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from bide.db.connection import Connection
from bide.errors import NotMigrated, SettingsError
from bide.i18n.backends.base import Backend, Engine
from bide.i18n.backends.missing import MissingKey
from bide.i18n.backends.tree import TreeBackend
from bide.i18n.keys import flatten
from bide.i18n.live import Live
from bide.i18n.locales import locale_name
from bide.i18n.snapshot import Snapshot
from bide.i18n.tables import TRANSLATIONS
from bide.i18n.trees import Tree, freeze, handed_out
from bide.i18n.watch import unwatch, watch, watching


class Database(TreeBackend):
    """`Database(app)`: the texts in the application's database, fresh within a second.

    `app` is a bide.App or a bide.db Database. `scope` keeps several sets of texts apart in one
    table; None sees all of them. `head`: read only the texts whose keys have this first part; None
    reads all. Opens nothing before the first lookup; from then on one watcher per process (in a
    worker its own loop, elsewhere a thread) hears of changes, whoever makes them. Behind a dead
    database the texts last read serve.
    """

    edited_live = True

    def __init__(
        self,
        app: Any,
        *,
        scope: str | None = None,
        table: str = TRANSLATIONS,
        head: str | None = None,
    ) -> None:
        self._app = app
        self.table = table
        self.scope = scope
        self._seen: Snapshot | None = None
        self._bound = False
        self.live = Live(self._database, table, scope, self.changed, head)

    def _database(self) -> Any:
        database = getattr(self._app, "database", self._app)
        if database is None:
            raise SettingsError(
                f"{self._app!r} keeps its jobs in memory, so it has no database for texts; give the "
                "App a URL such as sqlite:///app.db"
            )
        return database

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy over one snapshot, that of its first lookup."""
        seen = super().view(engine, top, spread)
        seen._bound = True
        return seen

    def tree(self, locale: str) -> Tree | None:
        """The texts of a locale."""
        return self._state().trees.get(locale)

    def available_locales(self) -> tuple[str, ...]:
        """The locales that have texts, as far as the table was read; never opens it."""
        seen = self._seen or self.live.snapshot
        return seen.locales() if seen else ()

    def find_locales(self) -> None:
        """Read the table, for a locale that no other source knows."""
        self._state()

    def _state(self) -> Snapshot:
        if not self._bound:
            return self.live.current()
        if self._seen is None:
            if not watching(self.live):
                self.live.catch_up()
            self._seen = self.live.current()
            if self.live.rows.database.open_to_threads:
                watch(self.live)
        return self._seen

    def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
        """Write texts in one transaction; what stood above or below one of them goes.

        `escape=False`: dots in keys separate. `author`: who the history names.
        Raises InvalidTextArgument for callables and objects, which no table holds.
        """
        name = locale_name(locale)
        flat = flatten(freeze(data), escape=options.get("escape", True))
        rows, author = self.live.rows, options.get("author")

        def work(connection: Connection) -> None:
            before = rows.locked(connection)
            rows.write(connection, name, flat)
            if author is not None:
                rows.sign(connection, before, str(author))

        rows.database.run(work, repeat=True)
        self.written()

    def record(self, missing: MissingKey) -> None:
        """Let a row without a value be made for a missing key, for translators to fill in:
        `Missing(Chain(database, files), database.record)`. Written in batches beside the lookups."""
        self.live.asking.add(missing)

    def note_use(self, key: str) -> None:
        """Let it be written down where `key` was asked for, for translators to see:
        `Used(Chain(database, files), database.note_use)`. Written in batches beside the lookups."""
        self.live.using.add(key)

    def written(self) -> None:
        """This process sees its own writing at once."""
        if self.live.loaded:
            self.live.refresh()
        else:
            self.live.current()
            self.changed()

    def translations(self, *, do_init: bool = True) -> dict[str, Any]:
        """All texts, nested by locale; without `do_init` only what was read already."""
        if not do_init and not self.live.loaded:
            return {}
        texts: dict[str, Any] = handed_out(dict(self.live.current().trees))
        return texts

    def initialized(self, locale: str | None = None) -> bool:
        """Whether the table was read."""
        return self.live.loaded

    def reload(self) -> None:
        """Read the table anew at the next lookup."""
        self.live.forget()
        self.changed()

    def eager_load(self) -> None:
        """Read the table now, so that forked children share what was read."""
        self.live.current()

    def table_exists(self) -> bool:
        """Whether the table is there; asks the database."""
        try:
            self.live.rows.database.read(self.live.rows.are_there)
        except NotMigrated:
            return False
        return True

    def close(self) -> None:
        """Watch no more in this process, until the next lookup."""
        unwatch(self.live)


def databases(backend: Any) -> list[Database]:
    """Every Database in a stack of backends."""
    if isinstance(backend, Database):
        return [backend]
    below = [getattr(backend, "inner", None), *getattr(backend, "members", ())]
    return [found for each in below if each is not None for found in databases(each)]
