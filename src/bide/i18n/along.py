"""Whether the texts of a table have changed, asked by the statement with which a worker waits for jobs."""

from __future__ import annotations

from bide.clock import monotonic
from bide.db.loops import Loop, Question
from bide.db.statements import Statements
from bide.i18n.live import Live
from bide.i18n.snapshot import Versions

#: Databases in which a worker waits by a statement.
WAITING = ("mysql",)
#: Scopes of which it is asked: the server compares each with all of them at every turn.
MOST = 100


class Along:
    """The question of one Live, for the loop that it is watched from; `loop` None: nobody asks it."""

    def __init__(self, live: Live, loop: Loop | None) -> None:
        self._live, self._loop = live, loop
        self._about: Versions | None = None
        self._question: Question | None = None
        self._rests_until = 0.0

    def question(self) -> Question | None:
        """Whether others have changed the texts since they were read here; None: it is not to be asked."""
        live = self._live
        versions = None if live.snapshot is None or live.away else live.snapshot.versions
        kind = live.rows.database.kind
        if versions is None or kind not in WAITING or len(versions) > MOST:
            return None
        if monotonic() < self._rests_until:
            return None
        if versions is not self._about:
            rows = live.rows
            statement = Statements("bide.i18n.sql", kind, rows.database.table_prefix)["changed"]
            known = ("", *(f"{scope} {version}" for scope, version in versions.items()))
            params = {"known": known, "any_scope": rows.scope is None, "scope": rows.scope or ""}
            self._about, self._question = versions, Question(statement.text, params)
        return self._question

    def asked(self) -> bool:
        """Whether a statement asks it now, and has not answered."""
        if self._loop is None:
            return False
        question = self.question()
        return question is not None and self._loop.asks(question)

    def told(self) -> bool:
        """Whether the answer said that there is something new; rests do not count."""
        loop = self._loop
        return loop is not None and loop.told and self.question() is not None

    def rest(self, seconds: float) -> None:
        """It was true and there is nothing new, since a writer has yet to commit: ask it later."""
        self._rests_until = monotonic() + seconds
