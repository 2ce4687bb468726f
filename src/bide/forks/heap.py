"""The living instances of given classes, found without ever holding an object of a stranger."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from itertools import chain, compress, islice, repeat
from typing import Any


def instances_of(classes: Iterable[type]) -> list[Any]:
    """Walk the garbage collector's objects once, those that gc.freeze() has hidden from it included.

    Instances of subclasses are found too. Only the type of an object is looked at, and of the type
    only its address: asking a stranger anything may wake a lazy proxy. The collector must rest.
    """
    wanted = {object.__hash__(each) for cls in classes for each in _with_subclasses(cls)}
    frozen = gc.get_freeze_count()
    if frozen:
        gc.unfreeze()
    found = _pick(wanted)
    if frozen:
        gc.freeze()
    return found


def _with_subclasses(cls: type) -> Iterator[type]:
    yield cls
    direct: list[type] = type.__subclasses__(cls)
    for each in direct:
        yield from _with_subclasses(each)


def _pick(wanted: set[int]) -> list[Any]:
    """The collector's objects whose type has one of these hashes.

    The list of all objects is made, used and dropped within one call of C, in which no other thread
    runs: tuple(generator) fails in its thread when anybody else holds the unfinished tuple.
    `twice` yields that list two times; the None lets go of the second one inside the call. itertools.tee
    would not do: the list has its first cell, which then keeps all the others.
    """
    twice = chain.from_iterable(map(repeat, map(gc.get_objects, (None,)), (2,)))
    objects = chain(chain.from_iterable(islice(twice, 1)), (None,))
    hashes = map(object.__hash__, map(type, chain.from_iterable(twice)))
    return list(compress(objects, map(wanted.__contains__, hashes)))
