"""What the checks of a database measure against."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bide.db.engine import Database
from bide.forks.findings import Finding


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned, and from when on a hold-up is worth telling.

    `old`: seconds for which a snapshot may be held; `dead_rows`: how many may lie in our tables
    (with a million of them PostgreSQL's claims fall from 2,400 to 15 a second).
    """

    processes: int = 1
    connections_each: int = 3
    old: float = 60.0
    dead_rows: int = 100_000


Check = Callable[[Database, Plan], Iterable[Finding]]
