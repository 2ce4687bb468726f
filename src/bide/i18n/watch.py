"""One watcher per process that hears of changed texts and reads them; none is alive at a fork.

In a worker process it is a part of the worker's own loop, elsewhere a thread.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import selectors
import threading
from typing import Final
from weakref import WeakSet

from bide import events
from bide.clock import jitter, monotonic
from bide.db.engine import Database
from bide.db.loops import Loop, Question, loop_here
from bide.db.notify import Wire
from bide.db.statements import Statements
from bide.errors import BideError
from bide.forks.owned import Owned
from bide.forks.threads import end_before_fork
from bide.i18n.along import Along
from bide.i18n.live import Live

#: Seconds between looks at the counter where nobody tells of changes.
POLL: Final = 0.25
#: The same where notifications arrive: the net, should one get lost.
NET: Final = 5.0
#: While the database cannot be reached, and longest.
AWAY: Final = 1.0

_lives: WeakSet[Live] = WeakSet()


class Watcher:
    """Looks after every Live that is in use in this process, from whichever loop calls it."""

    def __init__(self, loop: Loop | None = None) -> None:
        self._loop = loop
        self._ears: dict[Live, Ear] = {}

    def look(self) -> float:
        """Do what is due; when there is more to do, whatever is notified, in monotonic seconds."""
        for live in _watched():
            self._ears.setdefault(live, Ear(live, self._loop)).look()
        ears = list(self._ears.values())
        for ear in ears:
            ear.tell()
        return min((ear.next for ear in ears), default=monotonic() + POLL)

    def descriptors(self) -> list[int]:
        """What becomes readable when something is notified."""
        wires = [ear.wire.descriptor() for ear in list(self._ears.values())]
        return [wire for wire in wires if wire is not None]

    def questions(self) -> list[Question]:
        """What a statement that the loop waits for may ask."""
        asked = [ear.along.question() for ear in list(self._ears.values())]
        return [question for question in asked if question is not None]

    def close(self, *, leaving: bool) -> None:
        """Hang up. `leaving`: this process will use the texts no more, as those that were taken away."""
        kept = _watched()
        while self._ears:
            live, ear = self._ears.popitem()
            ear.close(leaving=leaving or live not in kept)


class InLoop:
    """The watcher in a worker's own loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop, self._watcher = loop, Watcher(loop)
        loop.take(self._watcher)

    def fits(self) -> bool:
        """Whether all that is watched lies in the database that the loop waits for anyway."""
        return _fits(self._loop)

    def end(self, *, leaving: bool = False) -> None:
        """Stop it. `leaving`: this process will use the texts no more."""
        self._loop.let_go()
        self._watcher.close(leaving=leaving)


class InThread(threading.Thread):
    """The watcher in a thread of its own, where no loop of ours turns."""

    def __init__(self) -> None:
        super().__init__(name="bide-texts", daemon=True)
        self._watcher = Watcher()
        self._ended, self._end = os.pipe()
        self._told_to_end = False
        self._leaving = False
        self.start()

    def fits(self) -> bool:
        """A thread may wait for any database."""
        return True

    def run(self) -> None:
        """Look, sleep until the next look or a notification, and so on."""
        try:
            while not self._told_to_end:
                self._sleep(self._watcher.look())
        finally:
            self._watcher.close(leaving=self._leaving)
            os.close(self._ended)

    def end(self, *, leaving: bool = False) -> None:
        """Stop it, and wait until it did. `leaving`: this process will use the texts no more."""
        self._leaving = leaving
        self._told_to_end = True
        os.close(self._end)
        if threading.current_thread() is not self:
            self.join(2.0)

    def _sleep(self, due: float) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._ended, *self._watcher.descriptors()):
                selector.register(descriptor, selectors.EVENT_READ)
            selector.select(max(0.0, due - monotonic()))


def _fits(loop: Loop) -> bool:
    """Whether all that is watched lies in the database that `loop` waits for anyway."""
    return all(live.rows.database is loop.database for live in _watched())


class Ear:
    """What the watcher knows of one Live: when to look next, and whether notifications arrive.

    They do not behind a pooler that gives out its connections by transaction. So nobody relies on
    them before one has come, and no longer than they tell of every change. Where a statement asks
    `along`, its answer is as good as a notification.
    """

    def __init__(self, live: Live, loop: Loop | None = None) -> None:
        self.live = live
        self.along = Along(live, loop)
        self._due = self._net = 0.0
        self._telling = math.inf
        self.wire = Wire(longest_retry=AWAY)
        self._trusted = False
        self._greeted = False

    @property
    def next(self) -> float:
        """When there is something to do, whatever is notified, in monotonic seconds."""
        return min(self._net if self.along.asked() else self._due, self._telling)

    def look(self) -> None:
        """Take in what was told, and look at the counter if it was something, or if it is time."""
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 - one table's trouble must not end the others'
            events.emit("texts_unreachable", error=error)
            self._due = self._net = monotonic() + AWAY
            self._telling = math.inf

    def tell(self) -> None:
        """Say what is served, if it is time: after a look, for that is what others wait for."""
        try:
            self._telling = self.live.tell()
        except Exception as error:  # noqa: BLE001 - nobody counts it then, and its texts are served
            events.emit("texts_unreachable", error=error)
            self._telling = monotonic() + AWAY

    def close(self, *, leaving: bool) -> None:
        """Hang up. `leaving`: this process will use these texts no more."""
        self.wire.hang_up()
        if not leaving or self.live.away:
            return
        try:
            self.live.presence.leave(self.live.rows)
        except Exception as error:  # noqa: BLE001 - it is forgotten anyway, somewhat later
            events.emit("texts_unreachable", error=error)

    def _look(self) -> None:
        hints, told = self._listen(), self.along.told()
        if told or any(hint != HELLO for hint in hints) or self.next <= monotonic():
            found = self.live.refresh()
            self.live.write_missing()
            self.live.write_uses()
            if found and not hints:
                self._trusted = self._greeted = False
            if told and not found:
                self.along.rest(NET)
            now, pause = monotonic(), NET if self._trusted else POLL
            self._due = now + jitter(AWAY if self.live.away else pause, 0.1)
            self._net = now + jitter(NET, 0.1)

    def _listen(self) -> list[str]:
        database = self.live.rows.database
        if database.kind != "postgresql":
            return []
        channel = f"{database.table_prefix}texts"
        was_open = self.wire.descriptor() is not None
        if not self.wire.open(database, channel):
            self._trusted = False
            return []
        hints = self.wire.hints()
        if hints is None:
            self._trusted, self._due = False, 0.0
            return []
        if not was_open or not self._greeted:
            self._greet(channel)
        self._trusted = self._trusted or bool(hints)
        return hints

    def _greet(self, channel: str) -> None:
        """Tell ourselves something, to learn whether it arrives."""
        database = self.live.rows.database
        hello = Statements("bide.i18n.sql", database.kind)["tell"].text
        with contextlib.suppress(BideError):
            database.single(lambda c: c.execute(hello, {"channel": channel, "word": HELLO}))
            self._greeted = True


HELLO: Final = "hello"


class _Running:
    """Which process has a watcher."""

    pid = 0


_running = _Running()


def _started() -> InLoop | InThread:
    loop = loop_here()
    watcher = InLoop(loop) if loop is not None and _fits(loop) else InThread()
    _running.pid = os.getpid()
    return watcher


_watcher: Owned[InLoop | InThread] = Owned(_started)


def _watched() -> list[Live]:
    while True:
        with contextlib.suppress(RuntimeError):  # one was added meanwhile
            return list(_lives)


def watch(live: Live) -> None:
    """Keep the texts of `live` fresh in this process from now on."""
    if live not in _lives:
        _lives.add(live)
        if not _watcher.get().fits():
            end()
    _watcher.get()


def watching(live: Live) -> bool:
    """Whether `live` is kept fresh: after a fork neither the parent nor the child has a watcher."""
    return _running.pid == os.getpid() and live in _lives


def unwatch(live: Live) -> None:
    """Do so no more, until the next lookup. Its database may be closed afterwards: the watcher, which
    may have been asking it just now, has ended; the others' next lookup starts theirs."""
    if live in _lives:
        _lives.discard(live)
        end()
        _let_go()
    live.changed()


def unwatch_all(database: Database) -> None:
    """The same for all texts in `database`, which is about to be closed."""
    for live in _watched():
        if live.rows.database is database:
            unwatch(live)


def end(*, leaving: bool = False) -> None:
    """End this process' watcher; the next lookup starts another."""
    _running.pid = 0  # first: another thread may start the next one at once
    watcher = _watcher.reset()
    if watcher is not None:
        watcher.end(leaving=leaving)


def _let_go() -> None:
    # What was found stays, but the next lookup must ask for it again, and so start a watcher.
    for live in _watched():
        live.changed()


def _end_before_fork() -> None:
    end()
    _let_go()


def _begin_in_child() -> None:
    # Its watcher has yet to connect: until then only the lookup that waits for it has fresh words.
    for live in _watched():
        live.read_at = -math.inf
    _let_go()


end_before_fork(_end_before_fork)
os.register_at_fork(after_in_child=_begin_in_child)
atexit.register(end, leaving=True)
