"""What became of the connections that a child inherited, worded when somebody asks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

from bide.forks import census, known, trace
from bide.forks.census import Census
from bide.forks.descriptors import Descriptor


@dataclass(frozen=True, slots=True)
class Crossing:
    """What became of one connection that this process inherited."""

    descriptor: Descriptor
    service: str
    library: str
    opened_at: str
    fate: str
    reason: str

    def __str__(self) -> str:
        words = (self.library or self.service or "unknown", self.descriptor.kind.value)
        place = f", opened at {self.opened_at}" if self.opened_at else ""
        return (
            f"fd {self.descriptor.fd} {' '.join(words)} -> {self.descriptor.peer}{place}: "
            f"{self.fate}"
        )


class Crossings(Sequence[Crossing]):
    """The crossings of one fork; most children never read them, so that they cost nothing till then."""

    def __init__(
        self, sealed: Sequence[Descriptor], counted: Census, parent: int, fates: Mapping[str, str]
    ) -> None:
        self._sealed, self._parent, self._fates = sealed, parent, fates
        self._libraries = counted.libraries
        self._child = os.getpid()

    def __len__(self) -> int:
        return len(self._sealed)

    @overload
    def __getitem__(self, index: int) -> Crossing: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Crossing]: ...
    def __getitem__(self, index: int | slice) -> Crossing | Sequence[Crossing]:
        return self._worded[index]

    @cached_property
    def _worded(self) -> list[Crossing]:
        return [self._word(each) for each in self._sealed]

    def _word(self, descriptor: Descriptor) -> Crossing:
        opening = trace.opening_of(descriptor.identity)
        return Crossing(
            descriptor,
            census.service_of(descriptor, self._libraries),
            census.library_of(descriptor, self._libraries),
            opening.place if opening else "",
            self._fates.get(descriptor.identity, known.SEALED),
            census.reason(descriptor, self._parent, self._child),
        )
