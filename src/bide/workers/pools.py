"""Pools of workers as the command line names them: `mail,tasks:2`, `*:1` (queue.md 6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bide.errors import SettingsError
from bide.jobs.names import problem_with
from bide.jobs.store import Wanted
from bide.workers.roster import Crew

EXAMPLE = "e.g. --pool mail,tasks:2 --pool '*:1'"
#: No fleet has more processes: a number above it is a slip, and a host that forks for minutes.
MOST = 1000


def crews_of(
    pools: Sequence[str],
    *,
    number: int = 1,
    queues: Iterable[str] | None = None,
    min_priority: int | None = None,
    max_priority: int | None = None,
) -> list[Crew]:
    """The crews of a fleet: the pools, or `number` workers for `queues`.

    Raises SettingsError for a pool that the original would have misread in silence (DJ-566 to
    DJ-568), for pools together with a number or queues, and for more than MOST workers.
    """
    if pools and (number != 1 or queues is not None):
        raise SettingsError(
            f"--pool excludes -n and --queues: write both into the pools, {EXAMPLE}"
        )
    named = [_pool(pool) for pool in pools] or [(tuple(queues) if queues else None, number)]
    if (total := sum(count for _, count in named)) > MOST:
        raise SettingsError(
            f"{total} worker processes are more than the {MOST} that a fleet may have; many jobs at a "
            "time in few processes: -n 8 --concurrency 100"
        )
    return [Crew(Wanted(names, (), min_priority, max_priority), count) for names, count in named]


def _pool(text: str) -> tuple[tuple[str, ...] | None, int]:
    left, *counts = text.split(":")
    if len(counts) > 1:
        raise SettingsError(f"pool {text!r} has more than one ':'; {EXAMPLE}")
    return _names(text, left), _count(text, counts[0] if counts else "")


def _names(text: str, left: str) -> tuple[str, ...] | None:
    """`*`, or nothing, means every queue (DJ-145)."""
    names = tuple(name.strip() for name in left.split(","))
    if names in (("*",), ("",)):
        return None
    if "*" in names:
        raise SettingsError(f"pool {text!r}: '*' means every queue and stands alone; {EXAMPLE}")
    if not all(names):
        raise SettingsError(f"pool {text!r} has an empty queue name; {EXAMPLE}")
    return names


def _count(text: str, count: str) -> int:
    """Nothing means one (DJ-146)."""
    if not count.strip():
        return 1
    if not count.strip().isdecimal() or int(count) < 1:
        raise SettingsError(f"pool {text!r}: {count!r} is no number of workers; {EXAMPLE}")
    return int(count)


def queue_names(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """Queues as a worker wants them; no name at all means every queue."""
    if names is None:
        return None
    named = (names,) if isinstance(names, str) else tuple(names)
    if isinstance(names, str) or not all(isinstance(name, str) for name in named):
        raise SettingsError(f"queues={names!r} must be a list of names, e.g. ['mail', 'billing']")
    for name in named:
        if problem := problem_with(name):
            raise SettingsError(f"queue {name[:40]!r} {problem}")
    return named or None
