"""The story's cure as a plugin: texts from the database as soon as a worker runs, if their table exists.

Nobody needs it: `I18n(Chain(Database(app), Simple(...)))` works over forks as it is. It is for an
application that wants its files first and the database only inside workers.
"""

from __future__ import annotations

from typing import Any

from bide.i18n.backends.base import Backend
from bide.i18n.backends.chain import Chain
from bide.i18n.backends.database import Database
from bide.i18n.translator import I18n
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.plugin import Plugin


class Translations(Plugin):
    """`app.plugins.append(Translations(i18n, database))`: before execute, the texts of `database`
    are put behind those of `i18n`, or before them with `first=True`."""

    def __init__(self, i18n: I18n, database: Database, *, first: bool = False) -> None:
        self._i18n, self._database, self._first = i18n, database, first

    def callbacks(self, lifecycle: Lifecycle) -> None:
        """Before execute, which runs in the worker, after its fork."""
        lifecycle.before("execute", self._install)

    def _install(self, _worker: Any) -> None:
        here: Backend = self._i18n.backend
        if isinstance(here, Chain) and self._database in here.members:
            return
        if self._database.table_exists():
            members = (self._database, here) if self._first else (here, self._database)
            self._i18n.backend = Chain(*members)
