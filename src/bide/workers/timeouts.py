"""Ending a job that runs too long: WorkerTimeout raised inside it, which `except Exception` cannot swallow."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import get_ident
from types import FrameType
from typing import Any, Final, TypeVar

from bide import clock
from bide.errors import WorkerStop, WorkerTimeout
from bide.workers.signals import handler_of

A = TypeVar("A")
B = TypeVar("B")

#: Seconds for which an alarm that was found armed is believed to be.
BELIEVED: Final = 0.01
#: Seconds until an alarm rings again that rang where nothing may be raised.
_A_MOMENT: Final = 0.001
_SIGALRM: Final = int(signal.SIGALRM)


class Deadline:
    """Limits what one thread does. In the main thread by SIGALRM, which ends blocking calls too;
    elsewhere by an exception set from a timer thread, which is raised at the next bytecode."""

    def __init__(self) -> None:
        self._alarm = Alarm()
        self._outermost = _Limit(self._alarm)
        self._bomb: ThreadBomb | None = None
        self._main_thread: int | None = None

    def limit(self, seconds: float) -> AbstractContextManager[None]:
        """Raise WorkerTimeout in the body after `seconds` (fractions count, DJ-524).

        A body that swallows it has timed out all the same: it is raised again at the end (DJ-523).
        What a body makes of a WorkerStop is a WorkerStop.
        """
        here = get_ident()
        if here != self._main_thread:
            self._main_thread = threading.main_thread().ident
            if here != self._main_thread:
                return self._by_bomb(WorkerTimeout(seconds))
        limit = self._outermost if self._alarm.holds is None else _Limit(self._alarm)
        limit.seconds = seconds
        return limit

    def within(
        self, seconds: float, now: float, body: Callable[[A, B], object], first: A, second: B
    ) -> None:
        """Call `body` under that limit, which began at the (monotonic) moment."""
        alarm, limit = self._alarm, self._outermost
        if alarm.holds is not None or get_ident() != self._main_thread:
            with self.limit(seconds):
                body(first, second)
            return
        limit.seconds, limit.until = seconds, now + seconds
        try:
            # As a limit is entered; an alarm that rings meanwhile rings again in the body.
            alarm.wish, alarm.holds = None, limit
            late = now >= alarm.believed_until or alarm.rings_at > limit.until
            if late or handler_of(_SIGALRM) is not alarm.handler:
                alarm.arm(limit.until)
            body(first, second)
        except BaseException as caught:
            raised, alarm.holds, limit.raised = limit.raised, None, None
            _raise_right(caught, raised)
            raise
        alarm.holds = None
        if limit.raised is not None:
            raised, limit.raised = limit.raised, None
            raise raised

    def cut(self, error: BaseException) -> None:
        """Raise `error` in the limited body now, from another thread; nothing happens outside a body."""
        bomb = self._bomb
        if bomb is not None:
            bomb.go_off(error)
        else:
            self._alarm.cut(error)

    def look(self) -> None:
        """From another thread: end the body if it is over its limit and no alarm has rung, because
        the job that ran before took the alarm away."""
        self._alarm.look()

    def disarm(self) -> None:
        """Stop the timer, when the worker ends."""
        self._alarm.disarm()

    @contextmanager
    def _by_bomb(self, error: WorkerTimeout) -> Iterator[None]:
        outer, bomb = self._bomb, ThreadBomb(get_ident())
        self._bomb = bomb
        timer = threading.Timer(error.seconds, bomb.go_off, (error,))
        timer.daemon = True
        timer.start()
        try:
            yield
        except BaseException as caught:
            bomb.defuse()
            _raise_right(caught, bomb.error)
            raise
        finally:
            timer.cancel()
            self._bomb = outer
            bomb.defuse()
        if bomb.error is not None:
            raise bomb.error


class Alarm:
    """SIGALRM in the main thread. Limits may be nested: a job may work off other jobs.

    Only the main thread writes `holds`; `cut` leaves its wish, which nobody hears who is not inside a
    body. `rings_at` is when it rings, as far as we know, and `believed_until` (both monotonic) until
    when that is believed without asking the system. `handler` is one object, by which it is known again.
    """

    def __init__(self) -> None:
        self.holds: _Limit | None = None
        self.wish: BaseException | None = None
        self.rings_at = self.believed_until = 0.0
        self.handler = self._rang
        self._earlier: tuple[Any, float] | None = None

    def cut(self, error: BaseException) -> None:
        """Raise `error` in the innermost body; from another thread."""
        self.wish = error
        if self.holds is not None:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    def look(self) -> None:
        """Ring if the body is over its limit; from another thread."""
        limit = self.holds
        late = limit is not None and limit.raised is None and clock.monotonic() > limit.until + 0.1
        if late and handler_of(_SIGALRM) is self.handler:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    def disarm(self) -> None:
        """Stop the timer, and give the signal back to whoever had it. Nothing is limited any more, also
        where Ctrl-C cut short what would have said so."""
        self.believed_until, self.holds = 0.0, None
        if self._earlier is None:
            return
        (handler, rings_at), self._earlier = self._earlier, None
        left = max(rings_at - clock.monotonic(), 1e-6) if rings_at else 0.0
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler if handler is not None else signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, left)

    def arm(self, until: float) -> None:
        """One timer serves many jobs: it is only set when it would ring too late for this one.

        Jobs may have used the alarm for themselves, so both timer and handler are looked at; the timer,
        which costs a system call, from time to time.
        """
        now = clock.monotonic()
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        handler = handler_of(signal.SIGALRM)
        self.believed_until = now + BELIEVED
        if self._earlier is None:
            self._earlier = (handler, now + left if left else 0.0)
        elif 0 < left <= until - now and handler is self.handler:
            self.rings_at = now + left
            return
        self.rings_at = max(until, now + 1e-6)
        signal.signal(signal.SIGALRM, self.handler)
        signal.setitimer(signal.ITIMER_REAL, self.rings_at - now)

    def _rang(self, _signum: int, frame: FrameType | None) -> None:
        now, limit = clock.monotonic(), self.holds
        self.believed_until = 0.0
        if limit is None or limit.raised is not None:
            return
        if self.wish is None and now < limit.until:
            self.arm(limit.until)
            return
        if _is_at_the_edge_of(limit, frame):
            self.arm(now + _A_MOMENT)
            return
        limit.raised, self.wish = self.wish or WorkerTimeout(limit.seconds), None
        raise limit.raised


class _Limit:
    """One body: until when, and what was raised in it. May hold again when it is over."""

    __slots__ = ("_alarm", "_outer", "raised", "seconds", "until")

    def __init__(self, alarm: Alarm) -> None:
        self._alarm = alarm
        self._outer: _Limit | None = None
        self.seconds = self.until = 0.0
        self.raised: BaseException | None = None

    def __enter__(self) -> None:
        alarm, now = self._alarm, clock.monotonic()
        self.raised, self.until = None, now + self.seconds
        # An alarm that rings from here on finds this limit, complete.
        self._outer, alarm.wish, alarm.holds = alarm.holds, None, self
        late = now >= alarm.believed_until or alarm.rings_at > self.until
        if late or handler_of(_SIGALRM) is not alarm.handler:
            alarm.arm(self.until)

    def __exit__(self, kind: object, caught: BaseException | None, trace: object) -> None:
        outer = self._alarm.holds = self._outer
        if outer is not None:
            self._alarm.arm(outer.until)
        raised = self.raised
        if caught is None and raised is None:
            return
        self.raised = None  # and with it what its frames hold
        if caught is not None:
            _raise_right(caught, raised)
        elif raised is not None:
            raise raised


_EDGES: Final = {_Limit.__enter__.__code__, _Limit.__exit__.__code__}
_WITHIN: Final = Deadline.within.__code__


def _is_at_the_edge_of(limit: _Limit, frame: FrameType | None) -> bool:
    """Whether it is just being entered or left: it would hold for ever if that were cut short.

    `within` is at work itself where it has not just called its body.
    """
    called = None
    while frame is not None:
        code = frame.f_code
        if code in _EDGES and frame.f_locals["self"] is limit:
            return True
        if code is _WITHIN and frame.f_locals.get("limit") is limit:
            return called is not getattr(frame.f_locals["body"], "__code__", called)
        called, frame = code, frame.f_back
    return False


def _raise_right(caught: BaseException, sent: BaseException | None) -> None:
    """Raise what was sent into the body where that counts; otherwise `caught` is to be raised on.

    A thread is sent a class, which arrives as an object of its own; a stop remains one whatever the
    body made of it.
    """
    if sent is None or caught is sent:
        return
    if type(caught) is type(sent):
        raise sent.with_traceback(caught.__traceback__) from None
    if isinstance(sent, WorkerStop):
        raise sent


class ThreadBomb:
    """Raises an exception in another thread, at most once and never after `defuse`."""

    def __init__(self, thread_id: int) -> None:
        self._thread_id = thread_id
        self._lock = threading.Lock()
        self._armed = True
        #: What was raised there, None while nothing was.
        self.error: BaseException | None = None

    def go_off(self, error: BaseException) -> None:
        """Raise an exception of that type there, unless defused."""
        with self._lock:
            if self._armed:
                self.error, self._armed = error, False
                _raise_in(self._thread_id, type(error))

    def defuse(self) -> None:
        """From now on nothing is raised; an exception on its way is taken back."""
        with self._lock:
            self._armed = False
            if self.error is not None:
                _raise_in(self._thread_id, None)


def _raise_in(thread_id: int, error: type[BaseException] | None) -> None:
    target = ctypes.py_object(error) if error is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), target)
