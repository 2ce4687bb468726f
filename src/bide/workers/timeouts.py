"""Ending a job that runs too long: WorkerTimeout raised inside it, which `except Exception` cannot swallow."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from bide import clock
from bide.errors import WorkerStop, WorkerTimeout


class Deadline:
    """Limits what one thread does. In the main thread by SIGALRM, which ends blocking calls too;
    elsewhere by an exception set from a timer thread, which is raised at the next bytecode."""

    def __init__(self) -> None:
        self._alarm = Alarm()
        self._bomb: ThreadBomb | None = None

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Raise WorkerTimeout in the body after `seconds` (fractions count, DJ-524).

        A body that swallows it has timed out all the same: it is raised again at the end (DJ-523).
        What a body makes of a WorkerStop is a WorkerStop.
        """
        error = WorkerTimeout(seconds)
        by_alarm = threading.current_thread() is threading.main_thread()
        with self._alarm.limit(error) if by_alarm else self._by_bomb(error):
            yield

    def cut(self, error: BaseException) -> None:
        """Raise `error` in the limited body now, from another thread; nothing happens outside a body."""
        bomb = self._bomb
        if bomb is not None:
            bomb.go_off(error)
        else:
            self._alarm.cut(error)

    def disarm(self) -> None:
        """Stop the timer, when the worker ends."""
        self._alarm.disarm()

    @contextmanager
    def _by_bomb(self, error: WorkerTimeout) -> Iterator[None]:
        outer, bomb = self._bomb, ThreadBomb(threading.get_ident())
        self._bomb = bomb
        timer = threading.Timer(error.seconds, bomb.go_off, (error,))
        timer.daemon = True
        timer.start()
        try:
            yield
        except BaseException as caught:  # noqa: BLE001 - raised again, as what counts
            bomb.defuse()
            _raise_right(caught, bomb.error)
        finally:
            timer.cancel()
            self._bomb = outer
            bomb.defuse()
        if bomb.error is not None:
            raise bomb.error


class Alarm:
    """SIGALRM in the main thread. Limits may be nested: a job may work off other jobs.

    Only the main thread writes `_limit`; `cut` leaves its wish in `_cut`, which nobody hears who is
    not inside a body.
    """

    def __init__(self) -> None:
        self._limit: _Limit | None = None
        self._cut: BaseException | None = None
        self._earlier: tuple[Any, float] | None = None

    @contextmanager
    def limit(self, error: WorkerTimeout) -> Iterator[None]:
        """Raise `error` in the body when its seconds are over."""
        outer, limit = self._limit, _Limit(clock.monotonic() + error.seconds, error)
        self._cut, self._limit = None, limit
        self._arm(limit.until)
        try:
            yield
        except BaseException as caught:  # noqa: BLE001 - raised again, as what counts
            self._limit = outer
            _raise_right(caught, limit.raised)
        finally:
            self._limit = outer
            if outer is not None:
                self._arm(outer.until)
        if limit.raised is not None:
            raise limit.raised

    def cut(self, error: BaseException) -> None:
        """Raise `error` in the innermost body; from another thread."""
        self._cut = error
        if self._limit is not None:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    def disarm(self) -> None:
        """Stop the timer, and give the signal back to whoever had it."""
        if self._earlier is None:
            return
        (handler, rings_at), self._earlier = self._earlier, None
        left = max(rings_at - clock.monotonic(), 1e-6) if rings_at else 0.0
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler if handler is not None else signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, left)

    def _arm(self, until: float) -> None:
        """One timer serves many jobs: it is only set when it would ring too late for this one.

        Jobs may have used the alarm for themselves, so both timer and handler are looked at.
        """
        now = clock.monotonic()
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        handler = signal.getsignal(signal.SIGALRM)
        if self._earlier is None:
            self._earlier = (handler, now + left if left else 0.0)
        elif 0 < left <= until - now and handler == self._rang:
            return
        signal.signal(signal.SIGALRM, self._rang)
        signal.setitimer(signal.ITIMER_REAL, max(until - now, 1e-6))

    def _rang(self, _signum: int, _frame: FrameType | None) -> None:
        now, limit = clock.monotonic(), self._limit
        if limit is None or limit.raised is not None:
            return
        if self._cut is None and now < limit.until:
            self._arm(limit.until)
            return
        limit.raised, self._cut = self._cut or limit.error, None
        raise limit.raised


class _Limit:
    """One body: until when, and what was raised in it."""

    __slots__ = ("error", "raised", "until")

    def __init__(self, until: float, error: BaseException) -> None:
        self.until, self.error = until, error
        self.raised: BaseException | None = None


def _raise_right(caught: BaseException, sent: BaseException | None) -> NoReturn:
    """Raise what counts: `caught`, or what was sent into the body where that is what came out of it.

    A thread is sent a class, which arrives as an object of its own; a stop remains one whatever the
    body made of it.
    """
    if sent is None or caught is sent:
        raise caught
    if type(caught) is type(sent):
        raise sent.with_traceback(caught.__traceback__) from None
    raise sent if isinstance(sent, WorkerStop) else caught


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
