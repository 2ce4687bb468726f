"""The payloads of most jobs, read in a third of the time: a function and its arguments, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from bide.jobs.plain_calls import VERSION
from bide.jobs.registry import Declared, Registry
from bide.jobs.signatures import Signature

#: What the payload of a function begins with, as it is written.
BEGINNING: Final = '{"v":1,"job":'
_UNREADABLE: Final = (ValueError, TypeError, RecursionError)


class _Call(msgspec.Struct, gc=False):
    """What follows there; that its fields are known is what makes it quick."""

    v: int
    job: str
    args: list[Any]
    kwargs: dict[str, Any]


_read: Final[Callable[[str], _Call]] = msgspec.json.Decoder(_Call).decode


class _Plan(NamedTuple):
    """What the calls of one function have in common. `silent`: its declaration says nothing that is asked
    for each attempt."""

    signature: Signature
    types: list[type | None] | None
    silent: bool


class QuickCalls:
    """Reads payloads that begin as the calls of functions do."""

    def __init__(self, registry: Registry, signature: Callable[[Declared], Signature]) -> None:
        self._registry, self._signature = registry, signature
        self._plans: dict[Declared, _Plan] = {}

    def read(self, text: str) -> tuple[Declared, list[Any], bool] | None:
        """A function, plain arguments of the very types that it asks for, whether it is `silent`; None for
        whatever must be looked at closely. Raises UnknownJob."""
        try:
            call = _read(text)
        except _UNREADABLE:
            return None
        if call.kwargs or call.v != VERSION:
            return None
        name, args = call.job, call.args
        declared = self._registry.functions.get(name) or self._registry.function(name)
        signature, types, silent = self._plans.get(declared) or self._planned(declared)
        if [*map(type, args)] != types and not signature.takes_exactly(args):
            return None
        return declared, args, silent

    def _planned(self, declared: Declared) -> _Plan:
        signature = self._signature(declared)
        plan = _Plan(signature, signature.types, _says_nothing(declared.options))
        self._plans[declared] = plan
        return plan


def _says_nothing(options: Any) -> bool:
    return all(getattr(options, name, None) is None for name in ("max_run_time", "keep_result"))
