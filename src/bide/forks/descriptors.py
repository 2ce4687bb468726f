"""What the descriptors of this process are: listed and classified without a word to any peer."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import stat
import sys
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path


class Kind(Enum):
    """What a descriptor is, as far as a fork is concerned."""

    CLIENT = "client"  # connected, connecting or closing
    ACCEPTED = "accepted"  # the server's end of a unix connection
    VIRGIN = "virgin"  # a stream socket that a thread may have been about to connect
    EPOLL = "event loop"  # epoll sets and io_uring are shared with the parent
    SQLITE = "sqlite"
    PAIR = "pair"
    LISTENER = "listener"
    BOUND = "bound"
    DATAGRAM = "datagram"
    PIPE = "pipe"
    FILE = "file"
    OTHER = "other"

    __hash__ = object.__hash__  # Enum's is Python code, which every fork runs for every descriptor


SEALED = frozenset({Kind.CLIENT, Kind.ACCEPTED, Kind.VIRGIN, Kind.EPOLL, Kind.SQLITE})
REPORTED = SEALED | {Kind.PAIR, Kind.LISTENER, Kind.BOUND, Kind.DATAGRAM}
_CHANGING = frozenset({Kind.VIRGIN, Kind.BOUND, Kind.FILE})


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One open descriptor; `identity` stays the same over a fork and differs when it is reused.

    `inode` is that of a socket which stays what it is, 0 for everything else.
    """

    fd: int
    kind: Kind
    identity: str
    family: str = ""
    peer: str = ""
    inode: int = 0


def listing() -> list[int]:
    """The open descriptors: /proc/self/fd, else /dev/fd, else each number up to the limit."""
    for directory in ("/proc/self/fd", "/dev/fd"):
        with contextlib.suppress(OSError):
            names = os.listdir(directory)  # noqa: PTH208 - no Path objects between fork and seal
            return sorted(int(name) for name in names)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return [fd for fd in range(soft) if _is_open(fd)]


def scan(
    known: dict[int, Descriptor] | None = None, aside: int | None = None
) -> dict[int, Descriptor]:
    """Every descriptor from 3 on but `aside`, classified; `known` is an earlier scan whose answers
    still hold.

    A socket's inode never returns, so that a client seen before the fork needs no second look.
    """
    found = {}
    for fd, before in (known or {}).items():
        if _is_the_same(fd, before):
            found[fd] = before
        elif (identity := identity_of(fd)) and (described := describe(fd, identity)):
            found[fd] = described
    if len(found) + (aside is not None) == _count():
        return found
    for fd in listing():
        if (
            fd >= 3
            and fd != aside
            and fd not in found
            and (described := describe(fd, identity_of(fd)))
        ):
            found[fd] = described
    return dict(sorted(found.items()))


def _is_the_same(fd: int, before: Descriptor) -> bool:
    # Few steps, and no new words: each page that a new child writes to is copied for it.
    if before.inode:
        try:
            facts = os.fstat(fd)
        except OSError:
            return False
        return facts.st_ino == before.inode and stat.S_ISSOCK(facts.st_mode)
    return before.kind not in _CHANGING and identity_of(fd) == before.identity != ""


def _count() -> int:
    """How many descriptors from 3 on are open, where the kernel tells (Linux 6.2); else -1.

    Listing them makes the kernel build an entry for each, which costs a new process 5 microseconds apiece.
    """
    try:
        size = os.stat("/proc/self/fd").st_size  # noqa: PTH116 - no Path objects there
    except OSError:
        return -1
    return size - sum(map(_is_open, range(3))) if size else -1


def identity_of(fd: int) -> str:
    """What /proc says that the descriptor is ("socket:[123]", a path); empty where there is none."""
    try:
        facts = os.fstat(fd)
        if stat.S_ISSOCK(facts.st_mode):  # the same words, for a third of the time
            return f"socket:[{facts.st_ino}]" if sys.platform == "linux" else ""
        return os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115 - no Path objects there
    except OSError:
        return ""


def describe(fd: int, identity: str = "") -> Descriptor | None:
    """Classify one descriptor; None when it is not open (any more)."""
    if identity.startswith("pipe:"):
        return Descriptor(fd, Kind.PIPE, identity)
    if identity.startswith("anon_inode:"):
        shared = "eventpoll" in identity or "io_uring" in identity
        return Descriptor(fd, Kind.EPOLL if shared else Kind.OTHER, identity)
    try:
        facts = os.fstat(fd)
    except OSError:
        return None
    if stat.S_ISSOCK(facts.st_mode):
        found = _socket(fd, identity)
        steady = identity != "" and found.kind not in _CHANGING
        return replace(found, inode=facts.st_ino) if steady else found
    mode = facts.st_mode
    if stat.S_ISREG(mode):
        kind = Kind.SQLITE if _is_sqlite(fd, identity) else Kind.FILE
        return Descriptor(fd, kind, identity, peer=identity)
    return Descriptor(fd, Kind.PIPE if stat.S_ISFIFO(mode) else Kind.OTHER, identity)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _socket(fd: int, identity: str) -> Descriptor:
    try:
        borrowed = socket.socket(fileno=fd)
    except OSError:
        return Descriptor(fd, Kind.OTHER, identity)
    try:
        family = _family(borrowed)
        if borrowed.type not in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            return Descriptor(fd, Kind.DATAGRAM, identity, family, _words(_peer(borrowed)))
        if borrowed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return Descriptor(fd, Kind.LISTENER, identity, family, _words(borrowed.getsockname()))
        return _stream(borrowed, identity, family)
    except OSError:
        return Descriptor(fd, Kind.CLIENT, identity)
    finally:
        borrowed.detach()


def _stream(borrowed: socket.socket, identity: str, family: str) -> Descriptor:
    fd, local, peer = borrowed.fileno(), borrowed.getsockname(), _peer(borrowed)
    if family == "unix":
        kind = _unix_kind(local, peer)
        return Descriptor(fd, kind, identity, family, _words(peer) or _words(local))
    if peer is None and not _tcp_is_under_way(borrowed):
        is_bound = isinstance(local, tuple) and len(local) > 1 and local[1] != 0
        kind = Kind.BOUND if is_bound else Kind.VIRGIN
        return Descriptor(fd, kind, identity, family, _words(local) if is_bound else "")
    return Descriptor(fd, Kind.CLIENT, identity, family, _words(peer))


def _unix_kind(local: object, peer: object) -> Kind:
    if peer is None:
        return Kind.BOUND if local else Kind.VIRGIN
    if peer:
        return Kind.CLIENT
    return Kind.ACCEPTED if local else Kind.PAIR


def _peer(borrowed: socket.socket) -> object:
    try:
        return borrowed.getpeername()
    except OSError as error:
        if error.errno not in (errno.ENOTCONN, errno.EINVAL):
            raise
        return None


def _tcp_is_under_way(borrowed: socket.socket) -> bool:
    """Connecting or closing: neither has a peer's name, both may still carry bytes."""
    if not hasattr(socket, "TCP_INFO"):
        return False
    state = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state not in (7, 10)  # TCP_CLOSE, TCP_LISTEN


def _family(borrowed: socket.socket) -> str:
    if borrowed.family == socket.AF_UNIX:
        return "unix"
    if borrowed.family in (socket.AF_INET, socket.AF_INET6):
        return "tcp" if borrowed.type == socket.SOCK_STREAM else "udp"
    return str(getattr(borrowed.family, "name", borrowed.family))


def _words(address: object) -> str:
    if isinstance(address, tuple) and len(address) >= 2:
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        return f"{host}:{address[1]}"
    if isinstance(address, bytes):
        return "@" + address.decode(errors="replace").lstrip("\0")
    return str(address) if address else ""


_MAGIC = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"\xd9\xd5\x05\xf9")


def _is_sqlite(fd: int, path: str) -> bool:
    # Opening the file to look at it would, at its close, drop this process' POSIX locks on it.
    try:
        head = os.pread(fd, 16, 0)
    except OSError:
        return path.endswith(("-wal", "-shm", "-journal")) and _has_database(path)
    if head.startswith(_MAGIC):
        return True
    return path.endswith(("-wal", "-shm", "-journal")) and _has_database(path)


def _has_database(path: str) -> bool:
    return Path(path.rsplit("-", 1)[0]).exists()
