"""The guarantee that no connection crosses a fork; knows neither databases nor jobs."""

from bide.forks.audit import Connection, audit
from bide.forks.crossings import Crossing
from bide.forks.guard import (
    Layers,
    after_fork_in_child,
    after_fork_in_parent,
    before_fork,
    crossings,
    explain,
    keep,
    protect,
)
from bide.forks.owned import Owned
from bide.forks.trace import trace_connections

__all__ = [
    "Connection",
    "Crossing",
    "Layers",
    "Owned",
    "after_fork_in_child",
    "after_fork_in_parent",
    "audit",
    "before_fork",
    "crossings",
    "explain",
    "keep",
    "protect",
    "trace_connections",
]
