"""Waiting for jobs in PostgreSQL: notifications while we say that we wait, and short looks as the net."""

from __future__ import annotations

import contextlib
import json
import math
import select
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bide.clock import monotonic
from bide.db.engine import Database
from bide.db.notify import Wire
from bide.db.statements import Statements
from bide.errors import BideError, DatabaseError
from bide.forks.owned import Owned
from bide.jobs.stores.claims import Claims

#: For how long one announcement says that we wait; it is renewed when half of it is over.
ANNOUNCED: Final = timedelta(seconds=5)
#: Pauses between looks while nothing is heard, in seconds. A transaction that was open when we announced
#: ourselves does not notify us; later looks are for lost connections and poolers that pass nothing on.
FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0


class Listening:
    """One worker process' ears. Nothing in it raises for a lost database: it then sleeps and tries again."""

    def __init__(
        self, database: Database, statements: Statements, claims: Claims, listen_url: str | None
    ) -> None:
        self._database = database
        self._ears = Database(listen_url) if listen_url else database
        self._channel = f"{database.table_prefix}jobs"
        self._statements = statements
        self._claims = claims
        self._id: Owned[uuid.UUID] = Owned(uuid.uuid4)
        self._wire: Owned[Wire] = Owned(Wire)
        self._announced_until = 0.0

    def wait(self, seconds: float, also: Sequence[int] = ()) -> bool:
        """Sleep until a job may have become ready (True), `also` is readable or the time is over."""
        end, pause = monotonic() + seconds, 0.0
        while True:
            heard = self._hear()
            self._announce()
            # Right after a claim only what is new counts: a job that it could not take is still there.
            if heard or self._arrived(only_new=pause == 0.0):
                return True
            left = end - monotonic()
            if left <= 0:
                return False
            pause = min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
            if self._readable(min(left, pause), also):
                return False

    def close(self) -> None:
        """Say that we wait no more, and hang up."""
        gone = self._statements["wait_no_more"].text
        with contextlib.suppress(BideError):
            self._database.single(lambda c: c.execute(gone, {"id": self._id.get()}), repeat=True)
        self._announced_until = 0.0
        self._wire.get().hang_up()
        if self._ears is not self._database:
            self._ears.close()

    def _announce(self) -> None:
        """Say that we wait, before we look: what becomes ready from now on is told."""
        wire = self._wire.get()
        if not wire.open(self._ears, self._channel):
            return
        half = ANNOUNCED.total_seconds() / 2
        if self._announced_until - monotonic() > half:
            return
        params = {"id": self._id.get(), "lasting": ANNOUNCED}
        announce = self._statements["wait"]
        start = monotonic()
        with contextlib.suppress(DatabaseError):
            self._database.single(lambda c: c.execute(announce, params), repeat=True)
            self._announced_until = start + 2 * half

    def _arrived(self, *, only_new: bool) -> bool:
        """Whether something that we take is ready; `only_new`: if anything is since the last claim."""
        with contextlib.suppress(DatabaseError):
            marks = self._claims.marks
            if only_new and self._newest() == marks.known:
                return False
            if marks.may_look():
                self._claims.look()
            return self._ready()
        return False

    def _newest(self) -> int:
        newest = self._statements["newest"]
        return int(self._database.read(lambda c: c.execute(newest))[0][0])

    def _ready(self) -> bool:
        known = self._claims.marks.everything().marks
        params = {
            "queues": [queue for queue, _ in known],
            "priorities": [priority for _, priority in known],
            "marks": [mark.pos for mark in known.values()],
        }
        ready = self._claims.planned("ready")
        return bool(self._database.read(lambda c: c.execute(ready, params))[0][0])

    def _hear(self) -> bool:
        """Take what was told; whether any of it is for us."""
        heard = False
        hints = self._wire.get().hints()
        if hints is None:
            self._claims.marks.distrust()
        for hint in hints or ():
            if not hint:
                self._claims.marks.distrust()
                heard = True
                continue
            priority, rest = hint.split(" ", 1)
            queue, pos = rest.rsplit(" ", 1)
            level = (json.loads(queue), int(priority))
            self._claims.marks.hear(level, int(pos))
            heard = heard or self._claims.marks.interesting(level)
        return heard

    def _readable(self, seconds: float, also: Sequence[int]) -> bool:
        """Sleep; whether a descriptor of `also` ended it."""
        wire = self._wire.get().descriptor()
        poll = select.poll()
        for descriptor in {*also} | ({wire} if wire is not None else set()):
            poll.register(descriptor, select.POLLIN)
        readable = {descriptor for descriptor, _ in poll.poll(max(0, math.ceil(seconds * 1000)))}
        return not readable.isdisjoint(also)
