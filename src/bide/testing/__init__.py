"""Help for tests: of applications that use Bide, and contracts for other stores and backends."""

from bide.testing.jobs import assert_enqueued, assert_not_enqueued, clear, drain, enqueued, inline
from bide.testing.time import FrozenTime, frozen_time

__all__ = [
    "FrozenTime",
    "assert_enqueued",
    "assert_not_enqueued",
    "clear",
    "drain",
    "enqueued",
    "frozen_time",
    "inline",
]
