"""Violence at random, from a thread: kills, stops and goes on, as the story asks for."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil


class Storm:
    """Does one of `deeds` every `interval` seconds until it is over; counts what it did."""

    def __init__(self, interval: float, *deeds: Callable[[], str | None], seed: int = 0) -> None:
        self._interval, self._deeds = interval, deeds
        self.random = random.Random(seed or None)
        self.did: Counter[str] = Counter()
        self.errors: list[BaseException] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._rage, name="storm")

    @contextmanager
    def raging(self) -> Iterator[Storm]:
        """The storm lasts as long as the body; what failed in it is raised at its end."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()
        if self.errors:
            raise self.errors[0]

    def _rage(self) -> None:
        while not self._over.wait(self._interval * self.random.uniform(0.5, 1.5)):
            try:
                deed = self.random.choice(self._deeds)
                self.did[deed() or "nothing"] += 1
            except psutil.NoSuchProcess:
                self.did["too late"] += 1
            except BaseException as error:  # noqa: BLE001 - raised again in the test
                self.errors.append(error)
                return
