"""Named events with facts: the only source of log lines, metrics and traces.

Code that does something worth telling calls `emit(name, **facts)`; `bide.log` words the log line,
other subscribers make metrics. A subscriber that raises is reported and never reaches the emitter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

Subscriber = Callable[[str, dict[str, Any]], None]

_subscribers: list[Subscriber] = []


def emit(name: str, /, **facts: Any) -> None:
    """Tell every subscriber that `name` happened."""
    for subscriber in _subscribers:
        try:
            subscriber(name, facts)
        except Exception:
            logging.getLogger("bide").exception(
                "event subscriber %r failed on %s", subscriber, name
            )


def subscribe(subscriber: Subscriber) -> Callable[[], None]:
    """Call `subscriber(name, facts)` for every event; returns a function that ends it."""
    _subscribers.append(subscriber)

    def unsubscribe() -> None:
        if subscriber in _subscribers:
            _subscribers.remove(subscriber)

    return unsubscribe
