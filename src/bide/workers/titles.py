"""What `ps` shows for each process of a fleet, where the library setproctitle is installed."""

from __future__ import annotations

_name = ""


def named(name: str) -> None:
    """Name this process and its children `name`, e.g. `shop/bide.7` (DJ-579)."""
    global _name  # noqa: PLW0603 - one title per process
    _name = name
    role("")


def role(words: str) -> None:
    """Say what this process is, e.g. `worker 2`; without a name nothing changes."""
    if not _name:
        return
    try:
        from setproctitle import setproctitle
    except ImportError:
        return
    setproctitle(f"{_name}: {words}" if words else _name)
