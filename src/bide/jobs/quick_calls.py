"""The payloads of most jobs, read in a third of the time: a function and its arguments, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from bide.jobs.brought_back import Payload
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
    """Reads payloads: those that begin as the calls of functions do by itself, the others by `any_other`."""

    def __init__(
        self,
        registry: Registry,
        signature: Callable[[Declared], Signature],
        any_other: Callable[[str], Payload],
    ) -> None:
        self._signature, self._any_other = signature, any_other
        self._functions = registry.functions
        self._plans: dict[Declared, _Plan] = {}

    def read(self, text: str) -> Payload:
        """Read the payload column, loading its records.

        Raises DeserializationError in one of its kinds: UnknownJob (IncompatibleJob among them) may
        pass with the next deployment; MalformedPayload and RecordNotFound are final. What a database
        raises while records are loaded comes through as it is.
        """
        if not text.startswith(BEGINNING):
            return self._any_other(text)
        try:
            call = _read(text)
        except _UNREADABLE:
            return self._any_other(text)
        if call.kwargs or call.v != VERSION:
            return self._any_other(text)
        name, args = call.job, call.args
        declared = self._functions.get(name)
        if declared is None:  # importing it may take long, which no limit of the job may count
            return self._any_other(text)
        signature, types, silent = self._plans.get(declared) or self._planned(declared)
        # Plain arguments of the very types that are asked for need no closer look.
        if [*map(type, args)] != types and not signature.takes_exactly(args):
            return self._any_other(text)
        return Payload(declared.target, args, {}, None, declared, silent=silent)

    def _planned(self, declared: Declared) -> _Plan:
        signature = self._signature(declared)
        plan = _Plan(signature, signature.types, _says_nothing(declared.options))
        self._plans[declared] = plan
        return plan


def _says_nothing(options: Any) -> bool:
    return all(getattr(options, name, None) is None for name in ("max_run_time", "keep_result"))
