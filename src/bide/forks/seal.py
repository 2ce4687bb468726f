"""The net: in a child, every inherited connection becomes a dead end under the same number."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Iterable

from bide.forks import sqlite_files
from bide.forks.descriptors import SEALED, Descriptor, Kind, scan

Speech = Callable[[Descriptor], bytes]


def seal(
    before: dict[int, Descriptor] | None = None,
    keep: Collection[str] = (),
    speech: Speech = lambda _: b"",
) -> list[Descriptor]:
    """Put a dead end over every inherited connection of this process; returns what was sealed.

    To be called in a child before any other code. `before` is the parent's last scan, `keep` the
    identities of what the child may use, `speech` the bytes that a dead end says when it is read.
    Reads see the end and writes fail, at once and in this process alone. No number is closed: the
    next connection would get it, and the old object would speak into it (queue.md 7.4).
    """
    sealed = [
        each for each in scan(before).values() if each.kind in SEALED and each.identity not in keep
    ]
    if not sealed:
        return sealed
    dead, unreadable = _dead_end(), sqlite_files.unreadable()
    try:
        sqlite_files.detach_shared_memory(each for each in sealed if each.kind is Kind.SQLITE)
        for each in sealed:
            _cover(each, dead, unreadable, speech)
    finally:
        dead.close()
        os.close(unreadable)
    return sealed


def _cover(each: Descriptor, dead: socket.socket, unreadable: int, speech: Speech) -> None:
    if each.kind is Kind.SQLITE:
        os.dup2(unreadable, each.fd, inheritable=False)
    elif words := speech(each):
        with _dead_end(words) as speaking:
            os.dup2(speaking.fileno(), each.fd, inheritable=False)
    else:
        os.dup2(dead.fileno(), each.fd, inheritable=False)


def _dead_end(words: bytes = b"") -> socket.socket:
    """A socket whose other end is gone, after having said `words`: a server that went away."""
    dead, other = socket.socketpair()
    with other:
        if words:
            other.sendall(words)
    return dead


def postgresql_error(message: str) -> bytes:
    """A complete FATAL error message of PostgreSQL's wire protocol, which libpq shows as it is."""
    fields = {b"S": "FATAL", b"V": "FATAL", b"C": "57P01", b"M": message}
    body = b"".join(key + value.encode() + b"\0" for key, value in fields.items()) + b"\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


def described(sealed: Iterable[Descriptor]) -> list[str]:
    """Each sealed descriptor in a few words, for logs and errors."""
    return [f"fd {each.fd} {each.kind.value} {each.peer}".rstrip() for each in sealed]
