"""The only os.fork: makes child processes that inherit no connection, and says how they ended."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, NoReturn

from bide.errors import NotMigrated, SettingsError
from bide.events import emit
from bide.forks import guard

#: Signals that a child starts with in their original meaning.
_PARENTS_OWN = (
    signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGTSTP, signal.SIGUSR1,
    signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU, signal.SIGQUIT,
)  # fmt: skip

#: Exit status of a child whose main raised.
CRASHED = 70
#: The status of a child whose settings or tables do not let it work, however often it is started (EX_CONFIG).
MISCONFIGURED = 78
#: The status of a worker that has done its share and is to be replaced (EX_TEMPFAIL).
SPENT = 75

_first_in_children: list[Callable[[], None]] = []


def first_in_children(action: Callable[[], None]) -> None:
    """Have every child call `action` first: closing what is its parent's alone, such as a locked file."""
    _first_in_children.append(action)


class Ended(NamedTuple):
    """How a child ended: by `signal` (0: none) or with `status`; `peak` is its peak memory in bytes."""

    pid: int
    status: int
    signal: int
    peak: int

    def __str__(self) -> str:
        how = (
            f"killed by {signal_name(self.signal)}" if self.signal else f"exit status {self.status}"
        )
        return f"{how}, peak memory {self.peak / 1e6:.0f} MB"


def fork_child(main: Callable[[], int | None]) -> int:
    """Run `main` in a child that leaves with the status it returns; the child's process id.

    The fence of bide.forks stands around the fork whether or not the program asked for it.
    """
    guard.before_fork(freeze=True, for_good=True)
    # What arrives before the child has its own handlers must wait for them.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _PARENTS_OWN)
    try:
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        guard.after_fork_in_parent()
        raise
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        guard.after_fork_in_parent()
        return pid
    status = CRASHED
    try:
        guard.after_fork_in_child()
        _take_own_signals()
        while _first_in_children:
            _first_in_children.pop()()
        status = main() or 0
    except SystemExit as error:
        status = _status_of(error)
    except (SettingsError, NotMigrated) as error:
        status = MISCONFIGURED
        sys.stderr.write(f"{error}\n")
    except BaseException as error:  # noqa: BLE001 - a child ends here whatever happened
        emit("child_crashed", error=error)
        traceback.print_exc()
    finally:
        _leave(status)


def spawn_child(command: Sequence[str], environment: Mapping[str, str], fds: Iterable[int]) -> int:
    """Run `command` in a process of its own that inherits nothing but `fds`; its process id."""
    given = [fd for fd in fds if not os.get_inheritable(fd)]
    try:
        for fd in given:
            os.set_inheritable(fd, True)
        return os.posix_spawn(
            command[0], list(command), environment, setsigmask=[], setsigdef=_PARENTS_OWN
        )
    finally:
        for fd in given:
            os.set_inheritable(fd, False)


class Lineage:
    """How many forks (`births`) lie between the start of the program and this process.

    Asking the system for the process id would cost a call per job.
    """

    def __init__(self) -> None:
        self.births = 0
        os.register_at_fork(after_in_child=self._born)

    def _born(self) -> None:
        self.births += 1


#: Of this process.
lineage = Lineage()


def leave_stray(error: BaseException | None) -> NoReturn:
    """End a child that a job has forked and let run out of the job: it is no worker."""
    if isinstance(error, SystemExit):
        _leave(_status_of(error))
    if error is not None:
        traceback.print_exception(error)
    _leave(int(error is not None))


def _status_of(error: SystemExit) -> int:
    return error.code if isinstance(error.code, int) else int(error.code is not None)


def _take_own_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _PARENTS_OWN:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PARENTS_OWN)


def _leave(status: int) -> NoReturn:
    """Without the parent's atexit functions and buffered output, which are not this child's."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    os._exit(status)


def reap(pid: int) -> Ended | None:
    """How the child ended, None while it lives. A child that others waited for counts as ended."""
    try:
        gone, status, usage = os.wait4(pid, os.WNOHANG)
    except ChildProcessError:
        return Ended(pid, 0, 0, 0)
    if not gone:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    peak = usage.ru_maxrss * unit
    if os.WIFSIGNALED(status):
        return Ended(pid, 0, os.WTERMSIG(status), peak)
    return Ended(pid, os.waitstatus_to_exitcode(status), 0, peak)


def reap_strangers(ours: Collection[int]) -> None:
    """As process 1: end what other processes left behind, but none of `ours`, which are awaited."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in ours:
            return
        os.waitpid(ended.si_pid, 0)


def signal_name(number: int) -> str:
    """SIGKILL for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
