"""SQLite's files over a fork: made unusable in the child, without dropping the parent's locks."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
from collections.abc import Iterable
from pathlib import Path

from bide.forks.descriptors import Descriptor

_MAP_FIXED, _MAP_ANONYMOUS = 0x10, 0x20


def unreadable() -> int:
    """A descriptor on which read, write and lock all fail; the caller closes it.

    On Linux a path-only one (a write-only /dev/null would accept commits and lose them); elsewhere
    a socket, which refuses locks and positions.
    """
    if hasattr(os, "O_PATH"):
        return os.open("/", os.O_PATH | os.O_CLOEXEC)
    end, other = socket.socketpair()
    other.close()
    return end.detach()


def detach_shared_memory(files: Iterable[Descriptor]) -> None:
    """Replace the mappings of the WAL index by private copies: the parent's stays its own."""
    indexes = {each.identity for each in files if each.identity.endswith("-shm")}
    if not indexes:
        return
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, *_, path = line.split(maxsplit=5)
        if path in indexes and rights[3] == "s":
            start, end = (int(part, 16) for part in span.split("-"))
            _copy_in_place(start, end - start)


def _copy_in_place(start: int, length: int) -> None:
    content = ctypes.string_at(start, length)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    flags = mmap.MAP_PRIVATE | _MAP_FIXED | _MAP_ANONYMOUS
    mapped = libc.mmap(start, length, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
    if mapped != start:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    ctypes.memmove(start, content, length)
