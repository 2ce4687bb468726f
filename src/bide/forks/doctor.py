"""The part of `bide doctor` about forks: what would go wrong if this process forked now."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bide.forks import threads, trace
from bide.forks.audit import Connection, audit
from bide.forks.descriptors import SEALED, Kind, identity_of, listing
from bide.forks.known import RENEWED

OK, NOTE, WARNING, WRONG = "ok", "note", "warning", "wrong"
_MANY = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor saw: how bad (ok, note, warning, wrong), what, and what to do."""

    level: str
    subject: str
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


def examine() -> list[Finding]:
    """Every finding about forks, the worst first. Opens nothing and says nothing to any peer."""
    found = [
        *connections(audit()),
        *other_threads(threads.other_threads()),
        *descriptor_limit(len(audit())),
        *devices(),
        start_method(),
    ]
    return sorted(found, key=lambda each: [WRONG, WARNING, NOTE, OK].index(each.level))


def connections(open_now: list[Connection]) -> list[Finding]:
    """One finding for each connection that a fork would cut, share or leak."""
    found = [finding for each in open_now for finding in _about(each)]
    return found or [Finding(OK, "connections", "no connection is open: nothing can cross a fork")]


def _about(each: Connection) -> list[Finding]:
    name = f"fd {each.fd} {each.library or each.service or each.kind}"
    place = f", opened at {each.opened_at}" if each.opened_at else ""
    text = f"{each.kind} -> {each.peer or 'nowhere'}{place}: {each.fate}"
    found = []
    if each.inherited or each.kind not in {kind.value for kind in SEALED}:
        found.append(Finding(NOTE, name, text))
    elif each.kind == Kind.SQLITE.value:
        found.append(Finding(WRONG, name, text, "open the SQLite file after the fork only"))
    elif each.fate == RENEWED:
        found.append(Finding(NOTE, name, text, "open it after the fork to spare the connection"))
    else:
        found.append(Finding(WARNING, name, text, _open_later(each)))
    if each.survives_exec:
        advice = f"os.set_inheritable({each.fd}, False) after connecting"
        found.append(Finding(WARNING, name, "is handed on to programs that are executed", advice))
    return found


def _open_later(each: Connection) -> str:
    advice = "open it in the child: bide.forks.Owned makes one per process"
    return advice if each.opened_at else f"{advice}; {trace.VARIABLE}=1 shows who opened it"


def other_threads(others: list[threads.OtherThread]) -> list[Finding]:
    """One warning for each thread that would not exist in a child."""
    advice = "start threads after the fork: a lock taken by one stays taken in the child for ever"
    return [
        Finding(WRONG if each.locks else WARNING, "threads", f"thread {each} is alive", advice)
        for each in others
    ]


def descriptor_limit(in_use: int) -> list[Finding]:
    """A warning where little room is left for each child's own connections."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft - in_use >= _MANY:
        return []
    text = f"{in_use} of {soft} descriptors are in use"
    return [Finding(WARNING, "limits", text, "raise the limit: ulimit -n 65536")]


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
            WARNING,
            "start method",
            "macOS aborts forked children that touch its system libraries (names, TLS, Objective-C)",
            "start children by spawn, the default here",
        )
    if not Path("/proc/self/fd").exists():
        text = "without /proc each descriptor is classified anew, and SQLite files are not covered"
        return Finding(NOTE, "start method", text, "close SQLite files before a fork")
    return Finding(OK, "start method", "fork")
