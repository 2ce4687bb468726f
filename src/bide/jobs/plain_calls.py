"""Calls of functions with plain arguments, written as payloads without a look at how they are nested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from bide.jobs.names import storable
from bide.jobs.registry import Declared
from bide.jobs.signatures import Signature

#: Of the format of payloads.
VERSION: Final = 1
_NO_KEYWORDS: Final = b',"kwargs":{}}'
#: What JSON has and everybody reads alike.
AS_IT_IS: Final = frozenset({bool, type(None)})


class Written(NamedTuple):
    """What all calls of one function have in common: its name for people, how its payload begins, what it
    takes."""

    name: str
    begin: bytes
    signature: Signature

    @classmethod
    def of(cls, declared: Declared, signature: Signature) -> Written:
        """For a declared function."""
        envelope = msgspec.json.encode({"v": VERSION, "job": declared.name, "args": []})
        return cls(storable(declared.label), envelope.removesuffix(b"[]}"), signature)

    def plainly(self, args: Sequence[Any]) -> bytes | None:
        """The payload of a call with exactly these; None where they must be looked at or fitted."""
        if not (self.signature.takes_exactly(args) and _is_stored_as_it_is(args)):
            return None
        return self.begin + msgspec.json.encode(args) + _NO_KEYWORDS


def _is_stored_as_it_is(values: Sequence[Any]) -> bool:
    """Whether JSON has all of these, and every reader of JSON makes the same of them."""
    for value in values:
        kind = type(value)
        if kind is int:
            if not -(2**63) <= value < 2**63:
                return False
        elif not (value.isascii() if kind is str else kind in AS_IT_IS):
            return False
    return True
