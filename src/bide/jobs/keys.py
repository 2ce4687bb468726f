"""Keys that the client makes, so that storing a job twice is harmless: UUIDv7 as 32 hex digits."""

from __future__ import annotations

import os
import time
from typing import Final
from uuid import UUID

#: Characters (ASCII alone) that the column holds.
KEY_LENGTH = 64


def new_key() -> str:
    """A key that grows with time (48 bits of milliseconds), the rest random; unique over forks."""
    return new_keys(1)[0]


def new_keys(count: int) -> list[str]:
    """Several at once; the system is asked for chance once."""
    random, version = os.urandom(10 * count).hex(), f"{time.time_ns() // 1_000_000:012x}7"
    return [
        f"{version}{random[at : at + 3]}{_VARIANT[random[at + 3]]}{random[at + 4 : at + 19]}"
        for at in range(0, 20 * count, 20)
    ]


#: The hex digit that says how the rest is to be read, by two random bits of another one.
_VARIANT: Final = {f"{digit:x}": "89ab"[digit % 4] for digit in range(16)}


def key_moment(key: str) -> float:
    """Seconds since 1970 at which `key` was made."""
    return (UUID(key).int >> 80) / 1000
