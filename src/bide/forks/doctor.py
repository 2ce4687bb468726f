"""The part of `bide doctor` about forks: what would go wrong if this process forked now."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from bide.forks import threads, trace
from bide.forks.audit import Connection, audit
from bide.forks.descriptors import SEALED, Kind, identity_of, listing
from bide.forks.findings import ERROR, OK, WARNING, Finding
from bide.forks.known import KEPT, RENEWED

#: Descriptors that a worker needs besides what it inherits and its database connections.
_ROOM = 100


def examine(open_now: list[Connection] | None = None, *, each_needs: int = 0) -> list[Finding]:
    """Every finding about forks. Opens nothing and says nothing to any peer.

    `open_now`: the answer of audit(), where it is known already. `each_needs`: the database
    connections that each child will open.
    """
    open_now = audit() if open_now is None else open_now
    return [
        *connections(open_now),
        *other_threads(threads.other_threads()),
        descriptor_limit(each_needs),
        *devices(),
        start_method(),
    ]


def connections(open_now: list[Connection]) -> list[Finding]:
    """One finding for each connection that a fork would cut, share or leak."""
    found = [finding for each in open_now for finding in _about(each)]
    return found or [Finding(OK, "connections", "no connection is open: nothing can cross a fork")]


def _about(each: Connection) -> list[Finding]:
    name = f"fd {each.fd} {each.library or each.service or each.kind}"
    pool = f", in a pool of {each.pool}" if each.pool else ""
    place = f", opened at {each.opened_at}" if each.opened_at else ""
    level, advice = _judged(each)
    text = f"{each.kind} -> {each.peer or 'nowhere'}{pool}{place}: {each.fate}"
    found = [Finding(level, name, text, advice)]
    if each.survives_exec:
        advice = f"os.set_inheritable({each.fd}, False) after connecting"
        found.append(Finding(WARNING, name, "is handed on to programs that are executed", advice))
    return found


def _judged(each: Connection) -> tuple[str, str]:
    is_sealed = each.kind in {kind.value for kind in SEALED}
    if each.inherited or not is_sealed or each.fate == RENEWED or each.fate.startswith(KEPT):
        return OK, ""
    if each.kind == Kind.VIRGIN.value:
        return WARNING, "connect it after the fork"
    if each.kind == Kind.EPOLL.value:
        return WARNING, "start the event loop after the fork, say with asyncio.run()"
    if each.kind == Kind.SQLITE.value:
        return ERROR, f"open the SQLite file after the fork only; {_how(each)}"
    return ERROR, _how(each)


def _how(each: Connection) -> str:
    advice = "let each process open its own: bide.forks.Owned(make).get()"
    return advice if each.opened_at else f"{advice}; {trace.VARIABLE}=1 shows who opened it"


def other_threads(others: list[threads.OtherThread]) -> list[Finding]:
    """A finding for each thread that would not exist in a child; an error where it may hold locks."""
    advice = "start threads after the fork: a lock taken by one stays taken in the child for ever"
    found = [
        Finding(ERROR if each.locks else WARNING, "threads", f"thread {each} is alive", advice)
        for each in others
    ]
    return found or [Finding(OK, "threads", "no other thread is alive")]


def descriptor_limit(each_needs: int = 0) -> Finding:
    """Whether a child can open `each_needs` connections beside what it inherits."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    in_use = len(listing())
    needed = in_use + each_needs + _ROOM
    text = f"{in_use} of {soft} descriptors are in use; a worker needs room for about {needed}"
    if soft >= needed:
        return Finding(OK, "file limit", text)
    return Finding(ERROR, "file limit", text, f"raise the limit: ulimit -n {max(needed, 4096)}")


def devices() -> list[Finding]:
    """A warning where a GPU is open: its driver's state does not survive a fork."""
    names = {identity_of(fd) for fd in listing()}
    return [
        Finding(WARNING, "devices", f"{name} is open", "use the GPU in the child only")
        for name in sorted(names)
        if name.startswith("/dev/nvidia")
    ]


def start_method(platform: str = sys.platform) -> Finding:
    """How children should be started on this system, and why."""
    if platform == "darwin":
        return Finding(
            OK,
            "start method",
            "spawn: macOS aborts forked children that use its system libraries (names, TLS, "
            "Objective-C); so each worker imports the application anew and shares no memory",
        )
    if not Path("/proc/self/fd").exists():
        text = "without /proc each descriptor is classified anew, and SQLite files are not covered"
        return Finding(WARNING, "start method", text, "close SQLite files before a fork")
    return Finding(OK, "start method", "fork")
