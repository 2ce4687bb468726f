"""Help for tests: of applications that use Bide, and contracts for other stores and backends."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bide.testing.jobs import assert_enqueued, assert_not_enqueued, clear, drain, enqueued, inline
from bide.testing.time import FrozenTime, frozen_time

if TYPE_CHECKING:
    from bide.testing.backend_contract import BackendContract
    from bide.testing.store_contract import StoreContract

__all__ = [
    "BackendContract",
    "FrozenTime",
    "StoreContract",
    "assert_enqueued",
    "assert_not_enqueued",
    "clear",
    "drain",
    "enqueued",
    "frozen_time",
    "inline",
]

#: The contracts bring pytest along; tests of applications need not load them.
_CONTRACTS = {
    "BackendContract": "bide.testing.backend_contract",
    "StoreContract": "bide.testing.store_contract",
}


def __getattr__(name: str) -> Any:
    """Import a contract at its first use."""
    home = _CONTRACTS.get(name)
    if home is None:
        raise AttributeError(f"module 'bide.testing' has no attribute {name!r}")
    return getattr(import_module(home), name)
