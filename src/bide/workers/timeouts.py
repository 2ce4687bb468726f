"""Ending a job that runs too long: WorkerTimeout raised inside it, which `except Exception` cannot swallow."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from bide import clock
from bide.errors import WorkerStop, WorkerTimeout


class Deadline:
    """Limits what one thread does. In the main thread by SIGALRM, which ends blocking calls too;
    elsewhere by an exception set from a timer thread, which is raised at the next bytecode."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._alarm_at: float | None = None
        self._error: BaseException = WorkerTimeout()
        self._raised = False
        self._bomb: ThreadBomb | None = None

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Raise WorkerTimeout in the body after `seconds` (fractions count, DJ-524).

        A body that swallows it has timed out all the same: it is raised again at the end (DJ-523).
        """
        error = WorkerTimeout(seconds)
        by_alarm = threading.current_thread() is threading.main_thread()
        with self._by_alarm(seconds, error) if by_alarm else self._by_timer(seconds, error):
            yield
        if self._raised:
            raise self._error

    def cut(self, error: BaseException) -> None:
        """Raise `error` in the limited body now, from another thread; nothing happens outside a body."""
        if self._bomb is not None:
            self._error = error
            self._bomb.go_off(type(error))
        elif self._until is not None:
            self._error, self._until = error, 0.0
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    def disarm(self) -> None:
        """Stop the timer, when the worker ends."""
        if self._alarm_at is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._alarm_at = None

    @contextmanager
    def _by_alarm(self, seconds: float, error: BaseException) -> Iterator[None]:
        self._raised, self._error = False, error
        self._until = clock.monotonic() + seconds
        self._arm(self._until)
        try:
            yield
        finally:
            self._until = None

    def _arm(self, until: float) -> None:
        """One timer serves many jobs: it is only set when it would ring too late for this one."""
        if self._alarm_at is not None and self._alarm_at <= until:
            return
        signal.signal(signal.SIGALRM, self._rang)
        self._alarm_at = until
        signal.setitimer(signal.ITIMER_REAL, max(until - clock.monotonic(), 1e-6))

    def _rang(self, _signum: int, _frame: FrameType | None) -> None:
        now, until = clock.monotonic(), self._until
        if self._alarm_at is not None and self._alarm_at <= now:
            self._alarm_at = None
        if until is None:
            return
        if now < until:
            self._arm(until)
            return
        self._until, self._raised = None, True
        raise self._error

    @contextmanager
    def _by_timer(self, seconds: float, error: BaseException) -> Iterator[None]:
        self._raised, self._error = False, error
        self._bomb = bomb = ThreadBomb(threading.get_ident())
        timer = threading.Timer(seconds, bomb.go_off, (WorkerTimeout,))
        timer.daemon = True
        timer.start()
        try:
            yield
        except (WorkerTimeout, WorkerStop):
            if not bomb.went_off:
                raise
        finally:
            timer.cancel()
            self._bomb = None
            bomb.defuse()
            self._raised = bomb.went_off


class ThreadBomb:
    """Raises an exception in another thread, at most once and never after `defuse`."""

    def __init__(self, thread_id: int) -> None:
        self._thread_id = thread_id
        self._lock = threading.Lock()
        self._armed = True
        self.went_off = False

    def go_off(self, error: type[BaseException]) -> None:
        """Raise `error` there, unless defused."""
        with self._lock:
            if self._armed:
                self.went_off, self._armed = True, False
                _raise_in(self._thread_id, error)

    def defuse(self) -> None:
        """From now on nothing is raised; an exception on its way is taken back."""
        with self._lock:
            self._armed = False
            if self.went_off:
                _raise_in(self._thread_id, None)


def _raise_in(thread_id: int, error: type[BaseException] | None) -> None:
    target = ctypes.py_object(error) if error is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), target)
