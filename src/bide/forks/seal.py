"""The net: in a child, every inherited connection becomes a dead end under the same number."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Iterable

from bide.forks import sqlite_files
from bide.forks.descriptors import SEALED, Descriptor, Kind, scan

Speech = Callable[[Descriptor], bytes]


def seal(
    dead: int,
    before: dict[int, Descriptor] | None = None,
    keep: Collection[str] = (),
    speech: Speech = lambda _: b"",
) -> list[Descriptor]:
    """Put the dead end `dead` over every inherited connection of this process; returns what was sealed.

    To be called in a child before any other code. `before` is the parent's last scan, `keep` the
    identities of what the child may use, `speech` the bytes that a dead end says when it is read.
    Reads see the end and writes fail, at once and in this process alone. No number is closed: the
    next connection would get it, and the old object would speak into it (queue.md 7.4).
    """
    files = []
    sealed = []
    for each in scan(before, aside=dead).values():
        if each.kind in SEALED and not (keep and each.identity in keep):
            sealed.append(each)
            if each.kind is Kind.SQLITE:
                files.append(each)
            else:
                _cover(each, dead, speech)
    if files:
        _cover_files(files)
    return sealed


def _cover(each: Descriptor, dead: int, speech: Speech) -> None:
    words = speech(each)
    if not words:
        os.dup2(dead, each.fd, inheritable=False)
        return
    speaking = dead_end(words)
    os.dup2(speaking, each.fd, inheritable=False)
    os.close(speaking)


def _cover_files(files: list[Descriptor]) -> None:
    unreadable = sqlite_files.unreadable()
    sqlite_files.detach_shared_memory(files)
    for each in files:
        os.dup2(unreadable, each.fd, inheritable=False)
    os.close(unreadable)


def dead_end(words: bytes = b"") -> int:
    """A socket whose other end is gone, after having said `words`: a server that went away.

    The caller closes it, which ends no connection.
    """
    dead, other = socket.socketpair()
    with other:
        if words:
            other.sendall(words)
        # A child that another thread forked just now has a copy of it, and closing would end nothing.
        other.shutdown(socket.SHUT_RDWR)
    return dead.detach()


def postgresql_error(message: str) -> bytes:
    """A complete FATAL error message of PostgreSQL's wire protocol, which libpq shows as it is."""
    fields = {b"S": "FATAL", b"V": "FATAL", b"C": "57P01", b"M": message}
    body = b"".join(key + value.encode() + b"\0" for key, value in fields.items()) + b"\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


def described(sealed: Iterable[Descriptor]) -> list[str]:
    """Each sealed descriptor in a few words, for logs and errors."""
    return [f"fd {each.fd} {each.kind.value} {each.peer}".rstrip() for each in sealed]
