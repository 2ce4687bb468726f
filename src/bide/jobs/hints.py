"""Annotations at work: values made to fit them, and the classes they mention."""

from __future__ import annotations

import collections
import collections.abc as abc
import enum
import functools
import inspect
import pathlib
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from bide.jobs import shapes

Convert = Callable[[Any], Any]

#: Classes whose values msgspec reads from the plain text or number that JSON has for them.
_FROM_PLAIN = (datetime, date, time, timedelta, Decimal, UUID, bytes, bytearray)
#: Classes that are Python's own: annotations that mention them declare nothing.
_BUILT_IN = frozenset({object, str, int, float, bool, complex, type(None), *_FROM_PLAIN})
_ARRAYS = (list, tuple, set, frozenset, collections.deque)


def of(target: Any) -> dict[str, Any]:
    """The resolved annotations of a function or class; those that cannot be resolved are left out."""
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception:  # noqa: BLE001 - annotations are text that may say anything
        return _one_by_one(target)


def _one_by_one(target: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for owner in reversed(getattr(target, "__mro__", (target,))):
        module = inspect.getmodule(owner)
        for name, hint in getattr(owner, "__annotations__", {}).items():
            holder = types.SimpleNamespace(__annotations__={name: hint})
            try:
                found |= typing.get_type_hints(holder, vars(module), include_extras=True)
            except Exception:  # noqa: BLE001 - as above
                found.pop(name, None)
    return found


def mentioned(targets: Iterable[Any]) -> set[type]:
    """The classes in the annotations of `targets`, and in the annotations of those classes."""
    found: set[type] = set()
    waiting = [hint for target in targets for hint in _hints_at(target)]
    while waiting:
        hint = waiting.pop()
        waiting.extend(_parts(hint))
        if _is_own_class(hint) and hint not in found:
            found.add(hint)
            if shapes.is_data(hint):
                waiting.extend(of(hint).values())
    return found


def _hints_at(target: Any) -> Iterator[Any]:
    if isinstance(target, type):
        yield from of(target).values()
        yield from of(vars(target).get("__init__")).values()
    else:
        yield from of(inspect.unwrap(target)).values()


def _parts(hint: Any) -> Iterator[Any]:
    if typing.get_origin(hint) is typing.Literal:
        return
    if typing.get_origin(hint) is not None:
        yield typing.get_origin(hint)
    yield from typing.get_args(hint)
    for attribute in ("__supertype__", "__value__"):
        if not isinstance(hint, type) and hasattr(hint, attribute):
            yield getattr(hint, attribute)
    if typing.is_typeddict(hint):
        yield from of(hint).values()


def _is_own_class(hint: Any) -> bool:
    return (
        isinstance(hint, type)
        and hint not in _BUILT_IN
        and hint.__module__ not in {"builtins", "typing", "collections", "collections.abc", "types"}
        and (shapes.is_data(hint) or issubclass(hint, enum.Enum))
    )


def converter(hint: Any) -> Convert | None:
    """A function that returns a value as `hint` wants it; None when any value will do.

    A value that fits is returned as it is, what JSON has instead of it (a list for a set, text for
    a date, an object for a dataclass) is made into it. The function raises TypeError or ValueError
    for a value that does not fit.
    """
    if hint is None or hint is type(None):
        return _none
    origin = typing.get_origin(hint) or hint
    args = typing.get_args(hint)
    if origin is typing.Annotated:
        return converter(args[0])
    if origin in (typing.Union, types.UnionType):
        return _union(args)
    if origin is typing.Literal:
        return functools.partial(_literal, args)
    if typing.is_typeddict(origin):
        return _typed_dict(origin)
    if isinstance(origin, type):
        return _of_class(origin, args)
    return _of_name(origin)


def plain_type(convert: Convert | None) -> type | None:
    """The class whose instances a converter returns as they are; None when it has no such class."""
    if isinstance(convert, functools.partial) and convert.func is _instance:
        return convert.args[0]  # type: ignore[no-any-return]
    return None


def _of_name(hint: Any) -> Convert | None:
    if isinstance(hint, typing.NewType):
        return converter(hint.__supertype__)
    if hasattr(hint, "__value__"):
        return lambda value: apply(converter(hint.__value__), value)
    return None


def _of_class(cls: type, args: tuple[Any, ...]) -> Convert | None:
    if cls in (object, type, Any) or getattr(cls, "_is_protocol", False):
        return None
    if cls is tuple:
        return _tuple(args)
    if cls in (dict, abc.Mapping, abc.MutableMapping):
        return _mapping(args)
    if cls in _ARRAYS or cls in (abc.Sequence, abc.MutableSequence, abc.Collection, abc.Set):
        return _array(cls, args)
    if cls.__module__ == "collections.abc":
        return None
    return functools.partial(_instance, cls)


def apply(convert: Convert | None, value: Any) -> Any:
    """The value as the converter wants it; as it is when there is none."""
    return value if convert is None else convert(value)


def _none(value: Any) -> None:
    if value is not None:
        raise _mismatch("None", value)


def _literal(choices: tuple[Any, ...], value: Any) -> Any:
    for choice in choices:
        if value == choice and type(value) is type(choice):
            return value
        if isinstance(choice, enum.Enum) and value == choice.value:
            return choice
    raise _mismatch(f"one of {', '.join(map(repr, choices))}", value)


def _union(args: tuple[Any, ...]) -> Convert | None:
    converters = [converter(arg) for arg in args]
    if None in converters:
        return None
    classes = tuple(origin for arg in args if isinstance(origin := _runtime_class(arg), type))
    ready: list[Convert] = [convert for convert in converters if convert is not None]

    def convert_union(value: Any) -> Any:
        if type(value) in classes and type(value) not in (list, dict, tuple, set, frozenset):
            return value
        for convert in ready:
            try:
                return convert(value)
            except (TypeError, ValueError):
                continue
        raise _mismatch(" | ".join(map(_name, args)), value)

    return convert_union


def _runtime_class(hint: Any) -> Any:
    return type(None) if hint is None else typing.get_origin(hint) or hint


def _array(cls: type, args: tuple[Any, ...]) -> Convert:
    item = converter(args[0]) if args else None

    def convert_array(value: Any) -> Any:
        if not isinstance(value, _ARRAYS):
            raise _mismatch(_name(cls), value)
        wanted: Any = cls if cls in _ARRAYS else type(value)
        if item is not None:
            return wanted(map(item, value))
        return value if isinstance(value, wanted) else wanted(value)

    return convert_array


def _tuple(args: tuple[Any, ...]) -> Convert:
    if not args or args[-1] is Ellipsis:
        return _array(tuple, args)
    items = [converter(arg) for arg in args if arg != ()]

    def convert_tuple(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(items):
            raise _mismatch(f"a tuple of {len(items)}", value)
        return tuple(apply(item, part) for item, part in zip(items, value, strict=True))

    return convert_tuple


def _mapping(args: tuple[Any, ...]) -> Convert:
    key, item = map(converter, args) if args else (None, None)
    from_text = args and args[0] in (int, float)

    def convert_key(value: Any) -> Any:
        return args[0](value) if from_text and type(value) is str else apply(key, value)

    def convert_mapping(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _mismatch("a dict", value)
        if key is None and item is None:
            return value
        return {convert_key(name): apply(item, part) for name, part in value.items()}

    return convert_mapping


def _typed_dict(cls: Any) -> Convert:
    hints = of(cls)
    required = {name for name, hint in hints.items() if _is_required(cls, name, hint)}
    members = {name: converter(_unmarked(hint)) for name, hint in hints.items()}

    def convert_typed_dict(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(cls.__name__, value)
        if missing := required - value.keys():
            raise TypeError(f"{cls.__name__} lacks {', '.join(map(repr, sorted(missing)))}")
        return {name: apply(members.get(name), part) for name, part in value.items()}

    return convert_typed_dict


def _is_required(cls: Any, name: str, hint: Any) -> bool:
    """The marks are looked for in the hint, since the class does not see those written as text."""
    if typing.get_origin(hint) in (typing.Required, typing.NotRequired):
        return typing.get_origin(hint) is typing.Required
    return name in cls.__required_keys__


def _unmarked(hint: Any) -> Any:
    """The hint inside Required[...], NotRequired[...] and the like."""
    origin = typing.get_origin(hint)
    marks = (typing.Required, typing.NotRequired, typing.Annotated)
    return _unmarked(typing.get_args(hint)[0]) if origin in marks else hint


def _instance(cls: Any, value: Any) -> Any:
    if isinstance(value, cls):
        return value
    if cls is float and type(value) is int:
        return float(value)
    if cls in _FROM_PLAIN:
        return msgspec.convert(value, cls)
    if issubclass(cls, enum.Enum):
        return cls(value)
    if issubclass(cls, pathlib.PurePath) and isinstance(value, str):
        return cls(value)
    if isinstance(value, dict) and shapes.is_data(cls):
        return rebuild(cls, value)
    raise _mismatch(_name(cls), value)


def rebuild(cls: type, state: dict[str, Any]) -> Any:
    """An instance from its state, each field first made to fit its annotation."""
    convert = fields(cls)
    return shapes.make(
        cls, {name: apply(convert.get(name), value) for name, value in state.items()}
    )


@functools.lru_cache(maxsize=4096)
def fields(cls: type) -> dict[str, Convert | None]:
    """The converters of the fields of a class, by name; none for classes that validate themselves."""
    if shapes.validates(cls):
        return {}
    return {
        name: converter(or_none(_unmarked(hint), _default(cls, name)))
        for name, hint in of(cls).items()
    }


def _default(cls: type, name: str) -> Any:
    field = getattr(cls, "__dataclass_fields__", {}).get(name)
    return getattr(cls, name, inspect.Parameter.empty) if field is None else field.default


def or_none(hint: Any, default: Any) -> Any:
    """`name: str = None` says that None is welcome."""
    return hint | None if default is None and isinstance(hint, type) else hint


def _mismatch(wanted: str, value: Any) -> TypeError:
    return TypeError(f"expected {wanted}, got {type(value).__qualname__}")


def _name(hint: Any) -> str:
    return "None" if hint is type(None) else getattr(hint, "__qualname__", None) or str(hint)
