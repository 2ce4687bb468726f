"""Keys that the client makes, so that storing a job twice is harmless: UUIDv7 as 32 hex digits."""

from __future__ import annotations

import os
import time
from uuid import UUID

#: Characters (ASCII alone) that the column holds.
KEY_LENGTH = 64


def new_key() -> str:
    """A key that grows with time (48 bits of milliseconds), the rest random; unique over forks."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return f"{value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62:032x}"


def key_moment(key: str) -> float:
    """Seconds since 1970 at which `key` was made."""
    return (UUID(key).int >> 80) / 1000
