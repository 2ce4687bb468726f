"""Arguments to JSON: what JSON lacks is written as a tagged object, `{"$bide": kind, …}`."""

from __future__ import annotations

import enum
import io
import math
import reprlib
import types
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from bide.errors import EnqueueError, UnsupportedArgument
from bide.jobs import hints, shapes
from bide.jobs.scalars import SCALARS

TAG = "$bide"
#: How deep values may be nested, when they are stored and when they come back.
MAX_DEPTH = 64
#: The whole numbers that every reader of JSON can be trusted with.
_JSON_INTEGERS = range(-(2**63), 2**63)


class Names(Protocol):
    """What classes are called in payloads; None for a class that may not travel."""

    def name_of(self, cls: type) -> str | None: ...

    def public_name_of(self, cls: type) -> str | None:
        """The same for classes that need no declaration: records and enumerations."""
        ...

    def reference(self, value: Any) -> dict[str, Any] | None:
        """What stands for a record (`class`, `key`, …); None when the value is no record.

        Raises UnsavedRecord.
        """
        ...


class Writer:
    """Turns values into what JSON has, so that Reader makes them again, equal and of the same type.

    Of subclasses of text, numbers and moments (marked-up text, other libraries' floats) the value
    travels and the subclass does not. Raises UnsupportedArgument or UnsavedRecord, whose `path`
    leads from the value given to the one that was refused.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def write(self, value: Any, depth: int = 0) -> Any:
        """A tree of dict, list, str, int, float, bool and None that stands for the value."""
        if depth > MAX_DEPTH:
            raise UnsupportedArgument(
                f"is nested deeper than {MAX_DEPTH} levels, or contains itself; "
                "store it elsewhere and pass its key"
            )
        write = _WRITERS.get(type(value))
        return self._write_other(value, depth) if write is None else write(self, value, depth)

    def state(self, value: Any, depth: int = 0) -> dict[str, Any]:
        """The fields of an object by name, each written."""
        try:
            held = shapes.state_of(value)
        except TypeError as error:
            raise UnsupportedArgument(f"{show(value)} cannot be taken apart: {error}") from None
        cls: type = type(value)
        fields = hints.fields(cls)
        return {
            name: self._field(name, fields.get(name), part, depth) for name, part in held.items()
        }

    def _field(self, name: str, convert: hints.Convert | None, value: Any, depth: int) -> Any:
        try:
            fitted = hints.apply(convert, value)
        except (TypeError, ValueError) as error:
            refused = UnsupportedArgument(f"{error}; give the field what its annotation says")
            refused.path = f".{name}"
            raise refused from None
        return self.part(f".{name}", fitted, depth)

    def part(self, step: str, value: Any, depth: int) -> Any:
        """A value inside another one, to which `step` leads."""
        try:
            return self.write(value, depth + 1)
        except EnqueueError as error:
            error.path = step + error.path
            raise

    def items(self, values: Iterable[Any], depth: int) -> list[Any]:
        """Every value of a sequence, written."""
        return [self.part(f"[{index}]", item, depth) for index, item in enumerate(values)]

    def _write_other(self, value: Any, depth: int) -> Any:
        if isinstance(value, type):
            return self._write_class(value)
        if isinstance(value, enum.Enum):
            return self._write_enum(value, depth)
        reference = self._names.reference(value)
        if reference is not None:
            return {TAG: "record", **reference, "key": self.items(reference["key"], depth)}
        name = self._names.name_of(type(value))
        if name is not None:
            return {TAG: "object", "class": name, "state": self.state(value, depth)}
        for cls, write in _BASES:
            if isinstance(value, cls):
                return write(self, value, depth)
        raise refusal(value)

    def _write_class(self, cls: type) -> dict[str, Any]:
        name = self._names.name_of(cls) or self._names.public_name_of(cls)
        if name is None:
            raise UnsupportedArgument(
                f"the class {cls.__qualname__} was never declared; declare it with app.register"
            )
        return {TAG: "class", "class": name}

    def _write_enum(self, value: enum.Enum, depth: int) -> dict[str, Any]:
        cls = type(value)
        name = self._names.name_of(cls) or self._names.public_name_of(cls)
        if name is None:
            raise UnsupportedArgument(
                f"{value!r} is of a class that cannot be imported; "
                f"move {cls.__qualname__} to the top of its module"
            )
        if isinstance(value, enum.Flag):
            return {TAG: "flag", "class": name, "value": self.part("", value.value, depth)}
        return {TAG: "enum", "class": name, "member": value.name}


Write = Callable[[Writer, Any, int], Any]


def _as_it_is(_writer: Writer, value: Any, _depth: int) -> Any:
    return value


def _write_text(_writer: Writer, value: str, _depth: int) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UnsupportedArgument(
                f"{show(value)} holds half a character (a lone surrogate at {error.start}); "
                "decode it properly, or pass bytes"
            ) from None
    return str.__str__(value)


def _write_int(_writer: Writer, value: int, _depth: int) -> Any:
    value = int.__int__(value)
    if value in _JSON_INTEGERS:
        return value
    try:
        return {TAG: "int", "value": str(value)}
    except ValueError as error:
        raise UnsupportedArgument(f"the number has too many digits ({error})") from None


def _write_float(_writer: Writer, value: float, _depth: int) -> float:
    if not math.isfinite(value):
        raise UnsupportedArgument(
            f"{value} has no place in JSON; pass None, text, or decimal.Decimal('{value}')"
        )
    return float.__float__(value)


def _write_scalar(cls: type) -> Write:
    scalar = SCALARS[cls]

    def write(writer: Writer, value: Any, depth: int) -> dict[str, Any]:
        try:
            stored = scalar.dump(value)
        except (TypeError, ValueError) as error:
            raise UnsupportedArgument(f"{show(value)} is {error}") from None
        return {TAG: scalar.tag, "value": writer.part("", stored, depth)}

    return write


def _write_list(writer: Writer, value: list[Any], depth: int) -> list[Any]:
    return writer.items(value, depth)


def _write_collection(tag: str) -> Write:
    return lambda writer, value, depth: {TAG: tag, "value": writer.items(value, depth)}


def _write_dict(writer: Writer, value: dict[Any, Any], depth: int) -> dict[str, Any]:
    if TAG not in value and all(type(key) is str for key in value):
        return {
            _write_text(writer, key, depth): writer.part(f"[{key!r}]", item, depth)
            for key, item in value.items()
        }
    pairs = [
        [writer.part(f"[{key!r}]", key, depth), writer.part(f"[{key!r}]", item, depth)]
        for key, item in value.items()
    ]
    return {TAG: "dict", "value": pairs}


_WRITERS: dict[type, Write] = {
    **{cls: _write_scalar(cls) for cls in SCALARS},
    type(None): _as_it_is,
    bool: _as_it_is,
    str: _write_text,
    int: _write_int,
    float: _write_float,
    list: _write_list,
    dict: _write_dict,
    tuple: _write_collection("tuple"),
    set: _write_collection("set"),
    frozenset: _write_collection("frozenset"),
}

#: Whose subclasses travel by value.
_BASES: list[tuple[type, Write]] = [
    (cls, _WRITERS[cls]) for cls in (str, int, float, datetime, date, timedelta)
]

_REMEDIES: list[tuple[tuple[type, ...], str]] = [
    ((types.FunctionType, types.BuiltinFunctionType, types.MethodType),
     "is code; pass its name, or make it a job of its own"),
    ((types.ModuleType,), "is a module; pass its name"),
    ((types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType),
     "runs in this process only; pass its values as a list"),
    ((io.IOBase,), "is an open file; pass its path, or its content as bytes"),
    ((memoryview,), "is a view of memory; pass bytes(…)"),
    ((dict,), "would come back as a plain dict; pass dict(…)"),
    ((list, tuple, set, frozenset), "would come back as a plain collection; pass list(…)"),
]  # fmt: skip


def refusal(value: Any) -> UnsupportedArgument:
    """Why a value of such a type cannot travel, and what to do instead."""
    for classes, why in _REMEDIES:
        if isinstance(value, classes):
            return UnsupportedArgument(f"{show(value)} {why}")
    return UnsupportedArgument(
        f"{show(value)} is of the class {type(value).__qualname__}, which was never declared; pass "
        "plain data or a key, declare it with app.register, or name it in the job's annotations"
    )


def show(value: Any) -> str:
    """A short repr that never raises."""
    try:
        return reprlib.repr(value)
    except Exception:  # noqa: BLE001 - as the docstring says
        return f"<{type(value).__qualname__}>"
