"""What this process holds before a fork: its descriptors, and the known objects behind them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bide.forks import known, trace
from bide.forks.descriptors import SEALED, Descriptor, Kind, scan
from bide.forks.known import Known, Living


@dataclass(frozen=True, slots=True)
class Census:
    """One count; `libraries`, `pooled` and `encrypted` go by the identity of the descriptor.

    `pooled` names the library in whose pool a connection lies idle: a child makes the pool anew.
    `told` are the numbers of those that can be told something, found before the fork: a child has
    no time for it.
    """

    descriptors: dict[int, Descriptor]
    living: Living
    libraries: dict[str, Known]
    pooled: dict[str, str]
    encrypted: frozenset[str]
    mark: tuple[object, ...]
    told: frozenset[int] = frozenset()

    def service(self, descriptor: Descriptor) -> str:
        """Whom the descriptor talks to: by its holder's class, else by port or path."""
        return service_of(descriptor, self.libraries)

    def library(self, descriptor: Descriptor) -> str:
        """The library that holds the descriptor; empty where none is known."""
        return library_of(descriptor, self.libraries)

    def can_be_told(self, descriptor: Descriptor) -> bool:
        """Whether the library on this descriptor understands PostgreSQL's words, unencrypted."""
        if not self.service(descriptor).startswith("postgresql"):
            return False
        library = self.library(descriptor)
        return library in ("", "psycopg", "psycopg2") and (
            descriptor.identity not in self.encrypted
        )


def service_of(descriptor: Descriptor, libraries: Mapping[str, Known]) -> str:
    """Whom the descriptor talks to, with the libraries of a count."""
    holder = libraries.get(descriptor.identity)
    return (holder.service if holder else "") or known.service_of(descriptor)


def library_of(descriptor: Descriptor, libraries: Mapping[str, Known]) -> str:
    """The library that holds the descriptor, of those of a count; empty where none is known."""
    holder = libraries.get(descriptor.identity)
    return holder.library if holder else ""


def take(before: Census | None = None, *, sockets: bool = False) -> Census:
    """Count; the walk over the heap is saved while connections and threads are those of `before`."""
    descriptors = scan(before.descriptors if before else None)
    mark = (
        *(each.identity or each.fd for each in descriptors.values() if each.kind in SEALED),
        *sorted(thread.ident or 0 for thread in threading.enumerate()),
    )
    if before and before.mark == mark and before.living.can_be_kept and not sockets:
        return replace(before, descriptors=descriptors, mark=mark)
    living = known.find_living(sockets=sockets)
    libraries, pooled, encrypted = {}, {}, set()
    pools = known.pooled(living)
    for fd, (holder, value) in known.holders(living).items():
        if fd in descriptors:
            identity = descriptors[fd].identity
            libraries[identity] = holder
            if id(value) in pools:
                pooled[identity] = pools[id(value)]
            if _is_encrypted(holder, value):
                encrypted.add(identity)
    found = Census(descriptors, living, libraries, pooled, frozenset(encrypted), mark)
    sealed = (each for each in descriptors.values() if each.kind in SEALED)
    return replace(found, told=frozenset(each.fd for each in sealed if found.can_be_told(each)))


def _is_encrypted(holder: Known, connection: Any) -> bool:
    try:
        if holder.library == "psycopg":
            return bool(connection.pgconn.ssl_in_use)
        return holder.library == "psycopg2" and bool(connection.info.ssl_in_use)
    except Exception:  # noqa: BLE001 - a connection that is gone has no encryption
        return False


def reason(descriptor: Descriptor | None, opener: int, user: int) -> str:
    """The sentence for whoever uses an inherited connection: who opened it, where, what to do."""
    if descriptor and descriptor.kind is Kind.EPOLL:
        return (
            f"this event loop was made by process {opener}, before the fork; "
            f"process {user} must start its own, say with asyncio.run()"
        )
    peer = f" to {descriptor.peer}" if descriptor and descriptor.peer else ""
    opening = trace.opening_of(descriptor.identity) if descriptor else None
    if opening:
        where, opener, hint = f" at {opening.place}", opening.pid, ""
    else:
        where, hint = "", f" (set {trace.VARIABLE}=1 to be told where)"
    return (
        f"this connection{peer} was opened by process {opener}{where}, before the fork; "
        f"process {user} must open its own{hint}"
    )
