"""The payload column: a call of a job written as JSON text, and made into that call again.

{"v": 1, "job": "shop.tasks.welcome", "args": [1], "kwargs": {"name": "Ada"}}
{"v": 1, "object": "shop.jobs.Newsletter", "state": {"text": "hi"}}
{"v": 1, "class": "shop.jobs.Cleanup"}
{"v": 1, "method": "invoice", "of": {"$bide": "record", …}, "args": [], "kwargs": {}}
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from bide.errors import (
    EnqueueError,
    IncompatibleJob,
    MalformedPayload,
    NotAJob,
    PayloadTooLarge,
    UnknownJob,
    UnsupportedArgument,
)
from bide.jobs import signatures
from bide.jobs.brought_back import Payload
from bide.jobs.names import name_of_object, storable
from bide.jobs.plain_calls import AS_IT_IS, VERSION, Written
from bide.jobs.quick_calls import QuickCalls
from bide.jobs.reach import Reach, Reached
from bide.jobs.reading import Reader
from bide.jobs.records import Records
from bide.jobs.registry import Declared, Registry
from bide.jobs.writing import TAG, Writer, show

DEFAULT_MAX_SIZE = 1024 * 1024


class MethodCall(NamedTuple):
    """A method to be called later on `target`: a record, a delayable object or class, or None."""

    target: Any
    method: str


class Encoded(NamedTuple):
    """What is stored of a call: `name` for people and lists, `payload` for the worker.

    `function` is its declaration, None for methods and job objects.
    """

    name: str
    payload: str
    function: Declared | None = None


class Payloads:
    """Writes and reads the payload column of one application.

    `max_size` is the largest payload in bytes of UTF-8 (setting `max_payload_size`).
    """

    def __init__(
        self,
        registry: Registry,
        records: Records | None = None,
        *,
        max_size: int = DEFAULT_MAX_SIZE,
    ) -> None:
        self._reach = Reach(registry, records or Records())
        self._registry = registry
        self._writer = Writer(self._reach)
        self._signatures: dict[Declared, signatures.Signature] = {}
        self._written: dict[Declared, Written] = {}
        self._quick = QuickCalls(registry, self._signature, self._any)
        self.max_size = max_size

    def encode(
        self, target: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Encoded:
        """Write a call: of a Declared function (or the function itself), a MethodCall, or a job
        object or class with perform(), which takes no arguments.

        Raises EnqueueError in one of its kinds, naming job, argument and remedy: NotAJob,
        UnsupportedArgument, UnsavedRecord, PayloadTooLarge, or itself for arguments with which the
        call would fail; AttributeError for a method that does not exist.
        """
        kwargs = kwargs or {}
        if isinstance(target, MethodCall):
            name, envelope = self._method(target, args, kwargs)
        elif (declared := _function(self._registry, target)) is not None:
            return self._function(declared, args, kwargs)
        else:
            name, envelope = self._object(target)
        return Encoded(storable(name), self._text(name, envelope))

    def write_result(self, value: Any) -> str:
        """What a job returned as text. Raises EnqueueError in one of its kinds."""
        return self._text("the result", self._writer.write(value))

    def read_result(self, text: str) -> Any:
        """The value of it again; records are loaded. Raises DeserializationError in its kinds."""
        known = Reached(self._reach)
        try:
            return Reader(known).read(msgspec.json.decode(text))
        finally:
            known.close()

    @property
    def decode(self) -> Callable[[str], Payload]:
        """Reads the payload column: `QuickCalls.read`."""
        return self._quick.read

    def _any(self, text: str) -> Payload:
        """Read any payload, as `decode` does."""
        envelope = _envelope(text)
        known = Reached(self._reach)
        try:
            payload = self._payload(envelope, Reader(known))
        except BaseException:
            known.close()
            raise
        payload.close = known.close
        return payload

    def _function(
        self, declared: Declared, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Encoded:
        known = self._written.get(declared)
        if known is None:
            known = self._written[declared] = Written.of(declared, self._signature(declared))
        if not kwargs and (encoded := known.plainly(args)) is not None:
            return Encoded(known.name, self._fitting(declared.label, encoded), declared)
        envelope = {"v": VERSION, "job": declared.name}
        envelope |= self._arguments(declared.label, known.signature, args, kwargs)
        return Encoded(known.name, self._text(declared.label, envelope), declared)

    def _method(
        self, call: MethodCall, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        target, method = call
        name = _method_name(target, method)
        envelope: dict[str, Any] = {"v": VERSION, "method": method}
        if target is None:
            given = self._arguments(name, None, args, kwargs)
        else:
            cls = target if isinstance(target, type) else type(target)
            self._check_delayable(name, cls)
            self._registry.mention(signatures.bind_method(target, method))
            given = self._arguments(name, signatures.of_method(cls, method), args, kwargs)
        envelope |= {"of": self._write(name, "the target", target)} | given
        self._warn_of_changes(name, target)
        return name, envelope

    def _check_delayable(self, name: str, cls: type) -> None:
        if not self._reach.is_delayable(cls):
            raise NotAJob(
                f"{name} cannot be delayed: {cls.__qualname__} is neither a class of records nor "
                "declared; declare it with @app.delayable"
            )

    def _warn_of_changes(self, name: str, target: Any) -> None:
        adapter = self._reach.records.adapter(type(target))
        changes = adapter.unsaved_changes(target) if adapter is not None else []
        if changes:
            warnings.warn(
                f"{name} will run on the record as it is stored: the changes to "
                f"{', '.join(changes)} are not saved",
                RuntimeWarning,
                stacklevel=4,
            )

    def _object(self, target: Any) -> tuple[str, dict[str, Any]]:
        cls = target if isinstance(target, type) else type(target)
        declared = self._registry.declared(cls)
        if inspect.isroutine(target):
            raise NotAJob(f"{show(target)} was never declared a job; declare it with @app.job")
        if not callable(getattr(target, "perform", None)):
            raise NotAJob(f"{show(target)} is not a job: it has no perform()")
        if declared is None:
            raise NotAJob(f"{cls.__qualname__} was never declared a job; declare it with @app.job")
        name = name_of_object(target, declared)
        if target is cls:
            signatures.bind_method(cls, "perform")
            return name, {"v": VERSION, "class": declared.name}
        return name, {
            "v": VERSION,
            "object": declared.name,
            "state": self._named(name, "", lambda: self._writer.state(target)),
        }

    def _arguments(
        self,
        name: str,
        signature: signatures.Signature | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> dict[str, Any]:
        if signature is not None:
            try:
                signature.check(args, kwargs)
                args, kwargs = signature.fit(args, kwargs)
            except UnsupportedArgument as error:
                raise _refused(name, error.path, error) from None
            except TypeError as error:
                raise EnqueueError(f"{name} cannot be enqueued: {error}") from None
        return {
            "args": [self._write(name, f"args[{i}]", value) for i, value in enumerate(args)],
            "kwargs": {key: self._write(name, key, value) for key, value in kwargs.items()},
        }

    def _write(self, name: str, place: str, value: Any) -> Any:
        if type(value) in AS_IT_IS or (type(value) is str and value.isascii()):
            return value
        return self._named(name, place, lambda: self._writer.write(value))

    def _named(self, name: str, place: str, write: Callable[[], Any]) -> Any:
        try:
            return write()
        except EnqueueError as error:
            path = place + error.path if place else error.path.lstrip(".")
            raise _refused(name, path, error) from None

    def _text(self, name: str, envelope: Any) -> str:
        return self._fitting(name, msgspec.json.encode(envelope))

    def _fitting(self, name: str, encoded: bytes) -> str:
        if len(encoded) > self.max_size:
            raise PayloadTooLarge(
                f"{name} cannot be stored: its payload has {len(encoded):,} bytes, and "
                f"max_payload_size is {self.max_size:,}; store the data elsewhere and pass its key"
            )
        return encoded.decode()

    def _signature(self, declared: Declared) -> signatures.Signature:
        known = self._signatures.get(declared)
        if known is None:
            known = self._signatures[declared] = signatures.of_function(_callable(declared))
        return known

    def _payload(self, envelope: dict[str, Any], reader: Reader) -> Payload:
        if "job" in envelope:
            declared = self._registry.function(_text_of(envelope, "job"))
            function = _callable(declared)
            args, kwargs = _read_arguments(
                reader, signatures.of_function(function), envelope, declared.name
            )
            return Payload(function, args, kwargs, declared=declared)
        if "object" in envelope:
            declared = self._registry.job_class(_text_of(envelope, "object"))
            job = reader.rebuild(_class(declared), envelope.get("state"))
            return Payload(_perform_of(job, declared), [], {}, job, declared)
        if "class" in envelope:
            declared = self._registry.job_class(_text_of(envelope, "class"))
            cls = _class(declared)
            return Payload(_perform_of(cls, declared), [], {}, cls, declared)
        if "method" in envelope:
            return self._method_payload(envelope, reader)
        raise MalformedPayload("the payload names no job, object, class or method")

    def _method_payload(self, envelope: dict[str, Any], reader: Reader) -> Payload:
        target, method = reader.read(envelope.get("of")), _text_of(envelope, "method")
        if target is None:
            return Payload(_do_nothing, [], {})
        cls = target if isinstance(target, type) else type(target)
        if not self._reach.is_delayable(cls):
            raise UnknownJob(f"methods of {cls.__qualname__} cannot be delayed in this process")
        try:
            call = signatures.bind_method(target, method)
            self._registry.mention(call)
            signature = signatures.of_method(cls, method)
        except (AttributeError, TypeError, ValueError) as error:
            raise IncompatibleJob(f"{cls.__qualname__} cannot do {method!r}: {error}") from error
        args, kwargs = _read_arguments(reader, signature, envelope, _method_name(target, method))
        hooked = target if getattr(cls, "delayed_hooks", False) is True else None
        return Payload(call, args, kwargs, hooked)


#: Of any payload; the function of msgspec makes a decoder for each.
_read_any = msgspec.json.Decoder().decode


def _function(registry: Registry, target: Any) -> Declared | None:
    declared = target if isinstance(target, Declared) else registry.declared(target)
    return None if declared is None or isinstance(declared.target, type) else declared


def _callable(declared: Declared) -> Callable[..., Any]:
    return declared.target


def _class(declared: Declared) -> type:
    if not isinstance(declared.target, type):
        raise MalformedPayload(f"{declared.name} is a function, not a class")
    return declared.target


def _refused(name: str, path: str, error: EnqueueError) -> EnqueueError:
    refused = type(error)(f"{name} cannot be enqueued: {path}: {error}")
    refused.path = path
    return refused


def _method_name(target: Any, method: str) -> str:
    if isinstance(target, type):
        return f"{target.__qualname__}.{method}"
    return f"{type(target).__qualname__}#{method}"


def _envelope(text: str) -> dict[str, Any]:
    try:
        envelope = _read_any(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedPayload(f"the payload is not JSON: {error}") from error
    if type(envelope) is not dict or type(envelope.get("v")) is not int:
        raise MalformedPayload("the payload is JSON, but not a payload of Bide")
    if envelope["v"] != VERSION:
        raise UnknownJob(
            f"the payload was stored in version {envelope['v']} of its format; this is {VERSION}"
        )
    return envelope


def _text_of(envelope: dict[str, Any], key: str) -> str:
    value = envelope[key]
    if type(value) is not str:
        raise MalformedPayload(f"{key!r} of the payload is not text")
    return value


def _read_arguments(
    reader: Reader, signature: signatures.Signature, envelope: dict[str, Any], name: str
) -> tuple[list[Any], dict[str, Any]]:
    stored_args, stored_kwargs = envelope.get("args", []), envelope.get("kwargs", {})
    if type(stored_args) is not list or type(stored_kwargs) is not dict or TAG in stored_kwargs:
        raise MalformedPayload(f"the arguments of {name} are not a list and an object")
    args = [reader.read(value) for value in stored_args]
    kwargs = {key: reader.read(value) for key, value in stored_kwargs.items()}
    try:
        signature.check(args, kwargs)
        return signature.fit(args, kwargs)
    except Exception as error:
        raise IncompatibleJob(f"{name} does not take the stored arguments: {error}") from error


def _perform_of(job: Any, declared: Declared) -> Callable[[], Any]:
    perform: Callable[[], Any] | None = getattr(job, "perform", None)
    if not callable(perform):
        raise IncompatibleJob(f"{declared.name} has no perform() any more")
    return perform


def _do_nothing() -> None:
    """A method of nothing (`queue.md DJ-161`)."""
