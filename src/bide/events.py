"""Named events with facts: the only source of log lines, metrics and traces.

Code that does something worth telling calls `emit(name, **facts)`; `bide.log` words the log line,
other subscribers make metrics. A subscriber that raises is reported and never reaches the emitter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf
from typing import Any
from weakref import ref

Subscriber = Callable[[str, dict[str, Any]], None]
Wants = Callable[[str], bool]

_subscribers: list[Subscriber] = []
_wants: list[Wants] = []
_ears: list[ref[Ear]] = []

#: Seconds for which what is heard is believed to be heard on.
BELIEVED = 0.1


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


class Ear:
    """`heard` for one event that happens for every job: asked anew when that may have changed.

    Who subscribes or leaves is known at once; a changed mind (the level of a logger) soon. Until
    `deaf_until` (monotonic) nobody listens: the hot path compares, and asks `hears` only after it.
    """

    __slots__ = ("__weakref__", "_name", "deaf_until")

    def __init__(self, name: str) -> None:
        self._name, self.deaf_until = name, -inf
        _ears.append(ref(self, _ears.remove))

    def hears(self, now: float) -> bool:
        """Whether anybody listens at the (monotonic) moment."""
        if now <= self.deaf_until:
            return False
        # Before asking: who subscribes meanwhile is not overheard.
        self.deaf_until = now + BELIEVED
        if heard(self._name):
            self.deaf_until = -inf
        return self.deaf_until == -inf


def subscribe(subscriber: Subscriber, wants: Wants = lambda _: True) -> Callable[[], None]:
    """Call `subscriber(name, facts)` for every event; returns a function that ends it.

    `wants(name)` may say that an event is of no interest at present: then it may not be told.
    """
    _subscribers.append(subscriber)
    _wants.append(wants)
    _changed()

    def unsubscribe() -> None:
        if subscriber in _subscribers:
            place = _subscribers.index(subscriber)
            del _subscribers[place], _wants[place]
            _changed()

    return unsubscribe


def _changed() -> None:
    for one in tuple(_ears):  # others may go meanwhile
        if (ear := one()) is not None:
            ear.deaf_until = -inf
