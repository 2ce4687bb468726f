"""Named events with facts: the only source of log lines, metrics and traces.

Code that does something worth telling calls `emit(name, **facts)`; `bide.log` words the log line,
other subscribers make metrics. A subscriber that raises is reported and never reaches the emitter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

Subscriber = Callable[[str, dict[str, Any]], None]
Wants = Callable[[str], bool]

_subscribers: list[Subscriber] = []
_wants: list[Wants] = []


def emit(name: str, /, **facts: Any) -> None:
    """Tell every subscriber that `name` happened."""
    for subscriber in _subscribers:
        try:
            subscriber(name, facts)
        except Exception:
            logging.getLogger("bide").exception(
                "event subscriber %r failed on %s", subscriber, name
            )


def heard(name: str) -> bool:
    """Whether anybody listens to `name`; what happens for every job asks first."""
    for wants in _wants:  # noqa: SIM110 - any() with a generator costs three times as much
        if wants(name):
            return True
    return False


def subscribe(subscriber: Subscriber, wants: Wants = lambda _: True) -> Callable[[], None]:
    """Call `subscriber(name, facts)` for every event; returns a function that ends it.

    `wants(name)` may say that an event is of no interest at present: then it may not be told.
    """
    _subscribers.append(subscriber)
    _wants.append(wants)

    def unsubscribe() -> None:
        if subscriber in _subscribers:
            place = _subscribers.index(subscriber)
            del _subscribers[place], _wants[place]

    return unsubscribe
