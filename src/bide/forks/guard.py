"""The fence around every fork: seal the wire, make known libraries forget, then go on."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bide import events
from bide.errors import ForkError
from bide.forks import census, known, owned, pools, refusal, streams, threads, trace
from bide.forks.census import Census
from bide.forks.crossings import Crossing, Crossings
from bide.forks.descriptors import SEALED, Descriptor, identity_of
from bide.forks.seal import dead_end, postgresql_error, seal


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of the fence, each of which can be switched off (and then promises nothing)."""

    seal: bool = True
    forget: bool = True
    owned: bool = True


@dataclass(slots=True)
class _Fork:
    """A fork under way in one thread of the parent."""

    parent: int
    census: Census
    alone: bool
    frozen: bool
    handlers: list[Any]
    dead: int | None = None


@dataclass(slots=True)
class _State:
    layers: Layers = field(default_factory=Layers)
    hooked: bool = False
    handled: int = field(default_factory=os.getpid)
    #: By the thread that forks. Threads may do so at once: the first stops the collector, the last one
    #: starts it again.
    forks: dict[int, _Fork | None] = field(default_factory=dict)
    counting: threading.Lock = field(default_factory=threading.Lock)
    collecting: bool = True
    last_census: Census | None = None
    kept: dict[str, str] = field(default_factory=dict)
    crossings: Sequence[Crossing] = ()
    warned: set[tuple[str, ...]] = field(default_factory=set)


_state = _State()


def protect(layers: Layers | None = None) -> None:
    """Put the fence around every fork of this process from now on; calling it again is harmless.

    Covers os.fork, multiprocessing and preloading web servers: whatever uses Python's fork. Call
    it as early as possible, since hooks that other libraries registered before run first. A fork
    made by C code runs no hooks: there only `Owned` holds.
    """
    _state.layers = layers or Layers()
    owned.switch(on=_state.layers.owned)
    if _state.hooked:
        return
    _state.hooked = True
    _state.handled = os.getpid()
    os.register_at_fork(
        before=_before, after_in_parent=after_fork_in_parent, after_in_child=_after_in_child
    )


def keep(connection: object, reason: str) -> None:
    """Let children use this socket (or descriptor number) as it is; `reason` is for the audit."""
    fd = connection if isinstance(connection, int) else connection.fileno()  # type: ignore[attr-defined]
    _state.kept[identity_of(fd) or str(fd)] = reason


def before_fork(*, freeze: bool = False, for_good: bool = False, strict: bool = False) -> None:
    """In the parent: flush, count what is open, stop the collector until the child is sealed.

    `freeze` moves everything out of the collector's sight, so that children share its memory; with
    `for_good` it stays there, since each collection of the parent would take it from them again.
    `strict` raises ForkError instead of forking with other threads or connections open.
    """
    me = threading.get_ident()
    if me in _state.forks:
        return
    threads.end_ours()
    others = threads.other_threads()
    if not strict:
        _warn_of(others)
    streams.flush()
    if freeze and not gc.get_freeze_count():
        gc.collect()
    _stop_collector(me)
    try:
        _count(me, others, freeze=freeze, for_good=for_good)
    except BaseException:
        _start_collector(me)
        raise
    fork = _state.forks[me]
    if strict and fork is not None and (problems := _problems(fork.census, others)):
        after_fork_in_parent()
        raise ForkError("this process must not fork: " + "; ".join(problems))
    if freeze:
        gc.freeze()


def _count(me: int, others: list[threads.OtherThread], *, freeze: bool, for_good: bool) -> None:
    _state.last_census = counted = census.take(_state.last_census)
    handlers = streams.to_renew(files=bool(others))
    dead = _dead_end() if _state.layers.seal else None
    _state.forks[me] = _Fork(
        os.getpid(), counted, not others, freeze and not for_good, handlers, dead
    )


def after_fork_in_parent() -> None:
    """In the parent, once the fork is done (or was given up)."""
    fork = _state.forks.get(threading.get_ident())
    if fork is None:
        return
    dead, fork.dead = (
        fork.dead,
        None,
    )  # before its number can be another's, in a child of another thread
    if dead is not None:
        os.close(dead)
    if fork.frozen:
        gc.unfreeze()
    if not fork.census.living.can_be_kept:
        _state.last_census = None
    _start_collector(threading.get_ident())


@contextlib.contextmanager
def collector_at_rest() -> Iterator[None]:
    """For a walk over the heap without a fork; within one, the collector rests already."""
    me = threading.get_ident()
    if me in _state.forks:
        yield
        return
    _stop_collector(me)
    try:
        yield
    finally:
        _start_collector(me)


def _stop_collector(me: int) -> None:
    with _state.counting:
        if not _state.forks:
            _state.collecting = gc.isenabled()
        _state.forks[me] = None
        gc.disable()


def _start_collector(me: int) -> None:
    with _state.counting:
        del _state.forks[me]
        if _state.collecting and not _state.forks:
            gc.enable()


def after_fork_in_child() -> Sequence[Crossing]:
    """In the child, before anything else: seal, then forget. Returns what was inherited.

    A second call in the same process only returns the same again.
    """
    if _state.handled == os.getpid():
        return _state.crossings
    fork = _state.forks.pop(threading.get_ident(), None)
    _leave_to_parent(_state.forks.values())
    _state.handled, _state.forks, _state.last_census = os.getpid(), {}, None
    _state.counting = threading.Lock()
    if fork is None:
        handlers = streams.to_renew(files=True)
        fork = _Fork(os.getppid(), census.take(), alone=False, frozen=False, handlers=handlers)
    sealed = _seal(fork) if _state.layers.seal else []
    fates = _forget(fork) if _state.layers.forget else {}
    if _state.layers.owned:
        owned.forget_everything_inherited()
    streams.renew(fork.handlers)
    if _state.collecting:
        gc.enable()
    _state.crossings = Crossings(sealed, fork.census, fork.parent, fates)
    if sealed:
        events.emit("forks.sealed", parent=fork.parent, crossings=_state.crossings)
    return _state.crossings


def _leave_to_parent(forks: Iterable[_Fork | None]) -> None:
    """What other threads of the parent have made for their own forks is not for this child."""
    for other in forks:
        if other is not None and other.dead is not None:
            os.close(other.dead)


def crossings() -> list[Crossing]:
    """The connections that this process inherited, and what became of each."""
    return list(_state.crossings) if _state.handled == os.getpid() else []


def kept() -> dict[str, str]:
    """The identities of the sockets that children may use, with the reasons."""
    return dict(_state.kept)


def explain(error: BaseException) -> None:
    """Add to an error of this process which inherited connections it may come from, once.

    Those of the library that raised it; all of them where the error is the system's.
    """
    library = type(error).__module__.partition(".")[0].lower()
    dead = [each for each in crossings() if each.fate != known.RENEWED]
    its_own = [each for each in dead if library in each.library.lower()]
    for crossing in its_own or (dead if isinstance(error, OSError) else []):
        if crossing.reason not in getattr(error, "__notes__", []):
            error.add_note(crossing.reason)


def _before() -> None:
    if _state.layers.seal or _state.layers.forget:
        before_fork()


def _after_in_child() -> None:
    if not (_state.layers.seal or _state.layers.forget):
        _state.handled = os.getpid()
        return
    try:
        after_fork_in_child()
    except BaseException:  # noqa: BLE001 - an exception here would be printed, and the child go on
        _refuse_to_go_on()


def _refuse_to_go_on() -> NoReturn:
    os.write(2, b"bide: the connections of the parent could not be sealed; this child ends\n")
    with contextlib.suppress(Exception):
        os.write(2, traceback.format_exc().encode())
    os._exit(70)


def _seal(fork: _Fork) -> list[Descriptor]:
    counted = fork.census

    def speech(descriptor: Descriptor) -> bytes:
        was_counted = counted.descriptors.get(descriptor.fd) is descriptor
        if not (descriptor.fd in counted.told if was_counted else counted.can_be_told(descriptor)):
            return b""
        return postgresql_error(census.reason(descriptor, fork.parent, os.getpid()))

    dead = dead_end() if fork.dead is None else fork.dead
    try:
        return seal(dead, fork.census.descriptors, _state.kept, speech)
    finally:
        os.close(dead)


def _dead_end() -> int | None:
    """Made in the parent, which has more time for it; None where no descriptor is left for it."""
    try:
        return dead_end()
    except OSError:
        return None


def _forget(fork: _Fork) -> dict[str, str]:
    """Make the known objects forget; answers by identity what became of each connection."""
    fates = {}
    for holder, value in fork.census.living:
        fd = known.number_of(holder, value)
        descriptor = fork.census.descriptors.get(fd)
        if descriptor and descriptor.identity in _state.kept:
            continue
        if holder.renew is None and holder.lying_in:
            continue
        if fork.alone and _is_unused(holder, value):
            continue
        fate = _forget_one(holder, value, descriptor, fork)
        if descriptor:
            fates[descriptor.identity] = fate
    return fates | dict.fromkeys(fork.census.pooled, known.RENEWED)


def _is_unused(holder: known.Known, value: object) -> bool:
    try:
        return holder.unused is not None and holder.unused(value)
    except Exception:  # noqa: BLE001 - what cannot be asked is renewed
        return False


def _forget_one(
    holder: known.Known, value: object, descriptor: Descriptor | None, fork: _Fork
) -> str:
    may_close = _state.layers.seal and fork.alone
    if holder.renew is pools.close_sqlite and not may_close:
        return known.SEALED
    if holder.renew:
        try:
            holder.renew(value)
        except Exception as error:  # noqa: BLE001 - sealed already; the next one must be renewed too
            events.emit("forks.forget_failed", value=value, error=error)
            return known.SEALED
        return holder.fate
    if holder.holds_connection and descriptor is None:
        return known.LEFT
    if refusal.refuse(value, census.reason(descriptor, fork.parent, os.getpid())):
        return known.REFUSED
    if may_close:
        refusal.close_quietly(value)
        return known.CLOSED
    return known.SEALED


def _warn_of(others: list[threads.OtherThread]) -> None:
    names = tuple(sorted(each.name for each in others))
    if not others or names in _state.warned:
        return
    _state.warned.add(names)
    events.emit("forks.threads", threads=others)
    if sys.version_info >= (3, 12):
        listed = "; ".join(str(each) for each in others)
        warnings.warn(
            f"forking with other threads alive: {listed}. They will not exist in the child, and "
            "a lock that one of them holds stays taken there: fork before starting threads",
            RuntimeWarning,
            stacklevel=3,
        )


def _problems(counted: Census, others: list[threads.OtherThread]) -> list[str]:
    problems = [f"thread {each} would not exist in the child" for each in others]
    for descriptor in counted.descriptors.values():
        if descriptor.kind in SEALED and descriptor.identity not in _state.kept:
            opening = trace.opening_of(descriptor.identity)
            place = f", opened at {opening.place}" if opening else ""
            holder = counted.library(descriptor) or counted.service(descriptor) or "a connection"
            problems.append(
                f"{holder} is open (fd {descriptor.fd} -> {descriptor.peer or 'nowhere'}{place})"
            )
    return problems
