"""Calls written as payloads, and the live payload of a job that was not read from the database."""

from __future__ import annotations

from typing import Any

from bide.jobs import signatures
from bide.jobs.brought_back import Payload
from bide.jobs.declare import JobFunction
from bide.jobs.enqueue import Call, Prepared
from bide.jobs.payload import MethodCall, Payloads
from bide.jobs.registry import Registry


class Encoder:
    """Between the calls that users make and the payload column."""

    def __init__(self, payloads: Payloads, registry: Registry) -> None:
        self._payloads, self._registry = payloads, registry
        self.decode = payloads.decode
        self.write_result, self.read_result = payloads.write_result, payloads.read_result

    def encode(self, call: Call) -> Prepared:
        """Raises EnqueueError in one of its kinds for what cannot be stored."""
        encoded = self._payloads.encode(_target(call), call.args, call.kwargs)
        live = self.live(call) if encoded.function is None else None
        return Prepared(encoded.name, encoded.payload, live, encoded.function)

    def live(self, call: Call) -> Payload:
        """The payload on the very objects that were passed (DJ-019)."""
        target, args, kwargs = _target(call), list(call.args), dict(call.kwargs or {})
        if isinstance(target, MethodCall):
            return _method(target, args, kwargs)
        declared = self._registry.declared(target)
        if declared is not None and not isinstance(target, type):
            return Payload(target, args, kwargs, None, declared)
        declared = declared or self._registry.declared(type(target))
        return Payload(target.perform, [], {}, target, declared)


def _target(call: Call) -> Any:
    return call.target.original if isinstance(call.target, JobFunction) else call.target


def _method(call: MethodCall, args: list[Any], kwargs: dict[str, Any]) -> Payload:
    receiver = call.target
    if receiver is None:
        return Payload(lambda *_, **__: None, args, kwargs)
    cls = receiver if isinstance(receiver, type) else type(receiver)
    hooked = receiver if getattr(cls, "delayed_hooks", False) is True else None
    return Payload(signatures.bind_method(receiver, call.method), args, kwargs, hooked)
