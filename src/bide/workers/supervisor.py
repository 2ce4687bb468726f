"""The supervisor: forks workers and their keeper, watches them, owns signals. It holds no connection."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from bide import clock
from bide.events import emit
from bide.jobs.handle import Home
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Wanted
from bide.workers.casualties import LAST_GRACE, Casualties
from bide.workers.children import MISCONFIGURED, SPENT, Ended, fork_child, reap, reap_strangers
from bide.workers.commission import Commission
from bide.workers.deaths import Deaths
from bide.workers.logfile import LogFile
from bide.workers.members import MakeWorker, Members
from bide.workers.renewal import Handover, Renewal
from bide.workers.roster import ONE_LANE, Crew, Lanes, Place, Roster
from bide.workers.settings import SPAWN, Settings
from bide.workers.signals import Bell, handled
from bide.workers.slate import Running, Slate
from bide.workers.status import described

#: Seconds between looks when no signal comes: at limits of jobs and places to fill.
LOOK = 0.25
#: Seconds after which a fleet that is not up counts as waiting for its database.
START_PATIENCE = 20.0
#: Quick ends of a worker after which a fleet that must start gives up.
HOPELESS = 3

HEEDED = (
    signal.SIGTERM, signal.SIGINT, signal.SIGTSTP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP,
    signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD,
)  # fmt: skip


class Attendant(Protocol):
    """What accompanies a supervisor and is told once per turn how things stand.

    States: starting, waiting (for the database), ready, reloading, stopping.
    """

    def fds(self) -> list[int]: ...
    def attend(self, state: str, facts: Callable[[], dict[str, Any]]) -> None: ...


class Supervisor:
    """Keeps a fleet of worker processes at work until it is told to stop.

    `make_worker` and everything that touches a database run in the children only.
    """

    def __init__(
        self,
        home: Callable[[], Home],
        lifecycle: Lifecycle,
        settings: Settings,
        crews: Iterable[Crew],
        make_worker: MakeWorker,
        *,
        lanes: Lanes = ONE_LANE,
        exit_on_complete: bool = False,
    ) -> None:
        self._lifecycle, self.settings = lifecycle, settings
        self._members = Members(home, lifecycle, settings, make_worker, lanes)
        self._exit_on_complete, self._threads = exit_on_complete, lanes.threads
        self.roster = Roster.of(crews, lanes)
        self.slate = Slate(self.roster.entries)
        self._deaths = Deaths()
        self._casualties = Casualties(self.slate, self._deaths, settings)
        self._keeper = Place(-1, Wanted())
        self._bell = Bell()
        self._signals: list[int] = []
        self._stops = 0
        self._completed: set[int] = set()
        self._pid, self._began, self._since = 0, clock.monotonic(), clock.utc_now().isoformat()
        self._was_up, self._must_start, self._failed = False, False, False
        self._misconfigured = False
        self._attendants: Sequence[Attendant] = ()
        self._renewal: Renewal | None = None
        self._reload_wanted = False
        self._terminal = os.isatty(0)

    def adopt(self, left: Handover) -> None:
        """Go on where the supervisor that this process was has stopped: its children stay at work."""
        self._since, self._was_up = left.since, True
        same = (left.layout, left.entries) == (Slate.LAYOUT, self.roster.entries)
        if same:
            self.slate = Slate(left.entries, left.slate)
        self._deaths = Deaths(left.deaths)
        self._casualties = Casualties(self.slate, self._deaths, self.settings)
        self.roster.adopt(
            Place(
                index, Wanted(), range(start, stop) if same else range(0), pid, born, told_at=told
            )
            for index, pid, start, stop, born, told in left.places
        )
        if left.keeper:
            self.roster.leaving.append(Place(-1, Wanted(), pid=left.keeper))

    def run(
        self,
        attendants: Sequence[Attendant] = (),
        *,
        renewal: Renewal | None = None,
        log: LogFile | None = None,
        must_start: bool = False,
    ) -> int:
        """Until stopped (0), or until every worker found nothing left with exit_on_complete (0).

        `renewal` is how SIGHUP reloads the code, `log` what SIGUSR2 opens again. With `must_start` a
        fleet whose workers end at once, again and again, is given up (1), and without it one that its
        settings do not let work.
        """
        self._members.log, self._must_start = log, must_start
        commission = Commission.received()
        if commission is not None:
            return self._members.serve(commission, self.roster)
        self._pid, self._attendants, self._renewal = os.getpid(), attendants, renewal
        if self.settings.start_method != SPAWN:
            self._members.prepare(self.roster)
        emit("supervisor_started", pid=self._pid, workers=len(self.roster.places))
        with handled(dict.fromkeys(HEEDED, self._noted)):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)
            self._fill()
            self._tell_old_keeper()
            while self.roster.manned or not self._over():
                self._turn()
            self._end_keeper()
        emit("supervisor_stopped", pid=self._pid)
        return int(self._failed)

    def _noted(self, number: int, _frame: Any) -> None:
        self._signals.append(number)
        self._bell.ring()

    def _over(self) -> bool:
        return self._stops > 0 or (
            self._exit_on_complete and len(self._completed) >= len(self.roster.places)
        )

    def _turn(self) -> None:
        self._bell.wait(LOOK, [fd for one in self._attendants for fd in one.fds()])
        while self._signals:
            self._heed(self._signals.pop(0))
        self._reap()
        self._deaths.flush()
        self._casualties.kill_overdue(self.roster.manned)
        self._fill()
        self._renew()
        self._give_up_start()
        state = self.state()
        for attendant in self._attendants:
            attendant.attend(state, self.facts)

    # What signals ask for

    def _heed(self, number: int) -> None:
        match number:
            case signal.SIGTERM | signal.SIGINT:
                self._stop()
            case signal.SIGTSTP | signal.SIGUSR1:
                self._tell_all(signal.SIGTSTP)
            case signal.SIGHUP:
                self._hung_up()
            case signal.SIGUSR2:
                self._reopen_log()
            case signal.SIGTTIN:
                self._resized(self.roster.grow())
            case signal.SIGTTOU:
                self._shrink()
            case _:
                return

    def _stop(self) -> None:
        self._stops += 1
        for place in self.roster.manned:
            if self._stops > 1 or not place.told_at:
                self._leave(place)

    def _leave(self, place: Place) -> None:
        place.told_at = place.told_at or clock.monotonic()
        self._tell(place.pid, signal.SIGTERM)

    def _hung_up(self) -> None:
        """A request to reload, unless the terminal that this was started from has gone."""
        if self._terminal and not os.isatty(0):
            self._stop()
        elif self._renewal is not None:
            self._reload_wanted = True

    def _reopen_log(self) -> None:
        if self._members.log is None:
            return
        self._members.log.reopen()
        self._tell_all(signal.SIGUSR2)
        self._tell(self._keeper.pid, signal.SIGUSR2)

    def _shrink(self) -> None:
        place = self.roster.shrink()
        self._resized(place is not None)
        if place is not None and not place.empty:
            self._leave(place)

    def _resized(self, done: bool) -> None:
        emit("fleet_resized", workers=len(self.roster.places), done=done)

    def _tell_all(self, number: signal.Signals) -> None:
        for place in self.roster.manned:
            self._tell(place.pid, number)

    def _tell(self, pid: int, number: signal.Signals) -> None:
        if not pid:
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return

    # New code

    def _renew(self) -> None:
        """Old workers make room one by one; code that passed its trial takes this process over."""
        if self._stops or self._renewal is None:
            return
        leaving = self.roster.next_to_leave(self._is_up)
        if leaving is not None:
            self._leave(leaving)
        if self._reload_wanted and not (
            self._renewal.pid or self.roster.old or self.roster.leaving
        ):
            self._reload_wanted = False
            self._renewal.begin()
        if self._renewal.passed():
            signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
            if not self._stop_is_waiting():
                self._renewal.become(self._handover(self._renewal.kept))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)

    def _stop_is_waiting(self) -> bool:
        return bool({signal.SIGTERM, signal.SIGINT}.intersection(self._signals))

    def _handover(self, kept: dict[str, int]) -> Handover:
        places = [
            (one.index, one.pid, one.entries.start, one.entries.stop, one.born, one.told_at)
            for one in self.roster.manned
        ]
        return Handover(
            pid=self._pid, since=self._since, layout=Slate.LAYOUT, slate=self.slate.fd,
            entries=self.slate.entries, deaths=(self._deaths.reader, self._deaths.writer),
            keeper=self._keeper.pid, places=places, kept=kept,
        )  # fmt: skip

    def _tell_old_keeper(self) -> None:
        for place in self.roster.leaving:
            if not place.told_at:
                self._leave(place)

    def _give_up_start(self) -> None:
        ends = max(place.quick_ends for place in self.roster.places)
        hopeless = self._misconfigured or (self._must_start and ends >= HOPELESS)
        if hopeless and not self._was_up and not self._stops:
            emit("start_given_up", ends=max(ends, 1))
            self._failed = True
            self._stop()

    # How things stand

    def state(self) -> str:
        """The word for it that attendants are told."""
        if self._stops:
            return "stopping"
        if self._reloading():
            return "reloading"
        ready = all(
            self._is_up(place) or place.index in self._completed for place in self.roster.places
        )
        self._was_up = self._was_up or ready
        if ready or self._was_up:
            return "ready"
        patient = clock.monotonic() < self._began + START_PATIENCE
        return "starting" if patient else "waiting"

    def _reloading(self) -> bool:
        trying = self._renewal is not None and self._renewal.pid
        return bool(trying or self._reload_wanted or self.roster.old)

    def _is_up(self, place: Place) -> bool:
        at_work = sum(self._line(index).at_work for index in place.entries)
        return not place.empty and at_work >= self._threads

    def facts(self) -> dict[str, Any]:
        """What `bide status` tells."""
        return {
            "pid": self._pid,
            "state": self.state(),
            "since": self._since,
            "grace_time": self.settings.grace_time,
            "keeper": self._keeper.pid or None,
            "workers": [
                described(place, [self._line(index) for index in place.entries])
                for place in self.roster.manned
                if place.index >= 0
            ],
        }

    # Filling places

    def _fill(self) -> None:
        if self._stops:
            return
        if self._keeper.empty and self._keeper.fill_at <= clock.monotonic():
            spawned = self._spawned(Commission(*self._shared()))
            self._keeper.filled(spawned or fork_child(self._keep))
        for place in self.roster.to_fill():
            if place.index not in self._completed:
                self._start(place)

    def _start(self, place: Place) -> None:
        for index in self.roster.take_room(place):
            self.slate.entry(index).wipe(place.index)
        self._lifecycle.run("before_fork", lambda _: None, self)
        room = (place.entries.start, place.entries.stop)
        spawned = self._spawned(Commission(*self._shared(), place.index, room))
        place.filled(spawned or fork_child(lambda: self._work_in(place)))
        emit("child_started", pid=place.pid, place=place.index)

    def _shared(self) -> tuple[int, int, int, tuple[int, int]]:
        deaths = (self._deaths.reader, self._deaths.writer)
        return self._pid, self.slate.fd, self.slate.entries, deaths

    def _spawned(self, commission: Commission) -> int:
        """The child, where children begin by spawn; 0 where they are forked."""
        return commission.spawn() if self.settings.start_method == SPAWN else 0

    def _keep(self) -> int:
        return self._members.be_keeper(self._pid, self.roster, self.slate, self._deaths)

    def _work_in(self, place: Place) -> int:
        return self._members.be_worker(self._pid, place, self.slate)

    # Watching

    def _reap(self) -> None:
        for place in self.roster.manned:
            ended = reap(place.pid)
            if ended is not None:
                self._bury(place, ended)
        if not self._keeper.empty and (ended := reap(self._keeper.pid)) is not None:
            emit("keeper_ended", pid=ended.pid, how=str(ended))
            self._deaths.tell_again()
            self._keeper.emptied(bad=True)
        if self._pid == 1:
            reap_strangers(self._ours())

    def _ours(self) -> set[int]:
        checking = self._renewal.pid if self._renewal else 0
        return {*(place.pid for place in self.roster.manned), self._keeper.pid, checking}

    def _bury(self, place: Place, ended: Ended) -> None:
        bad, useful = self._casualties.bury(place, ended)
        self._misconfigured = self._misconfigured or (ended.status == MISCONFIGURED and not useful)
        self.roster.buried(place, bad=bad, useful=useful)
        if self._exit_on_complete and not bad and ended.status != SPENT:
            self._completed.add(place.index)

    def _line(self, index: int) -> Running:
        return self.slate.entry(index).read()

    def _end_keeper(self) -> None:
        """Last, so that the deaths of the workers are still reported."""
        if self._keeper.empty:
            return
        self._tell(self._keeper.pid, signal.SIGTERM)
        deadline = clock.monotonic() + LAST_GRACE
        while reap(self._keeper.pid) is None:
            if clock.monotonic() > deadline:
                self._tell(self._keeper.pid, signal.SIGKILL)
            self._bell.wait(0.05)
