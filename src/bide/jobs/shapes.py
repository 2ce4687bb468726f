"""What an object consists of: its state by field, for every usual kind of class, and back again."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import msgspec

State = dict[str, Any]


def is_data(cls: type) -> bool:
    """Whether the class lists its fields: dataclass, msgspec, pydantic, attrs or NamedTuple."""
    return _kind(cls) is not _PLAIN


def validates(cls: type) -> bool:
    """Whether the class makes its fields fit by itself."""
    return _kind(cls) is _PYDANTIC


def state_of(value: Any) -> State:
    """The value of every field; of a plain object every attribute, cached properties left out.

    Raises TypeError when such an object cannot be made again (it extends a built-in type).
    """
    cls: type = type(value)
    return _kind(cls).state(value)


def make(cls: type, state: State) -> Any:
    """An instance with that state, made without __init__ where the class allows it.

    What the class does not know is ignored, what is missing takes its default (`queue.md DJ-340`).
    A dataclass' __post_init__ runs if it takes nothing. Raises TypeError for a missing field, and
    whatever a validating class raises.
    """
    return _kind(cls).make(cls, state)


@dataclasses.dataclass(frozen=True)
class _Kind:
    state: Callable[[Any], State]
    make: Callable[[Any, State], Any]


@functools.lru_cache(maxsize=4096)
def _kind(cls: type) -> _Kind:
    if issubclass(cls, msgspec.Struct):
        return _STRUCT
    if hasattr(cls, "__pydantic_fields__") and hasattr(cls, "model_validate"):
        return _PYDANTIC
    if hasattr(cls, "__attrs_attrs__"):
        return _ATTRS
    if dataclasses.is_dataclass(cls):
        return _DATACLASS
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return _NAMED_TUPLE
    return _PLAIN


def _attributes(value: Any, names: Any) -> State:
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def _missing(cls: type, name: str) -> TypeError:
    return TypeError(
        f"{cls.__qualname__} has a field {name!r} without default, and none was stored"
    )


def _dataclass_state(value: Any) -> State:
    return _attributes(value, (field.name for field in dataclasses.fields(value)))


def _make_dataclass(cls: Any, state: State) -> Any:
    made = object.__new__(cls)
    for field in dataclasses.fields(cls):
        if field.name in state:
            value = state[field.name]
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        elif field.init:
            raise _missing(cls, field.name)
        else:
            continue
        object.__setattr__(made, field.name, value)
    if hasattr(cls, "__post_init__") and not _has_init_only(cls):
        made.__post_init__()
    return made


def _has_init_only(cls: type) -> bool:
    fields: dict[str, Any] = cls.__dict__.get("__dataclass_fields__", {})
    return any(
        getattr(field, "_field_type", None) is dataclasses._FIELD_INITVAR  # type: ignore[attr-defined]
        for field in fields.values()
    )


def _struct_state(value: Any) -> State:
    return {
        name: stored
        for name, stored in _attributes(value, value.__struct_fields__).items()
        if stored is not msgspec.UNSET
    }


def _make_struct(cls: Any, state: State) -> Any:
    return cls(**{name: state[name] for name in cls.__struct_fields__ if name in state})


def _attrs_state(value: Any) -> State:
    return _attributes(value, (field.name for field in type(value).__attrs_attrs__))


def _make_attrs(cls: Any, state: State) -> Any:
    known = [field for field in cls.__attrs_attrs__ if field.name in state]
    made = cls(**{field.alias: state[field.name] for field in known if field.init})
    for field in known:
        if not field.init:
            object.__setattr__(made, field.name, state[field.name])
    return made


def _pydantic_state(value: Any) -> State:
    return _attributes(value, type(value).__pydantic_fields__) | (value.model_extra or {})


def _make_pydantic(cls: Any, state: State) -> Any:
    return cls.model_validate(state, by_alias=False, by_name=True)


def _named_tuple_state(value: Any) -> State:
    return dict(zip(value._fields, value, strict=True))


def _make_named_tuple(cls: Any, state: State) -> Any:
    return cls(**{name: state[name] for name in cls._fields if name in state})


def _plain_state(value: Any) -> State:
    cls = type(value)
    object.__new__(cls)
    held = {
        name: stored
        for name, stored in getattr(value, "__dict__", {}).items()
        if not isinstance(getattr(cls, name, None), functools.cached_property)
    }
    return _attributes(value, _slots(cls)) | held


def _make_plain(cls: Any, state: State) -> Any:
    made = object.__new__(cls)
    slots = _slots(cls)
    for name in slots & state.keys():
        object.__setattr__(made, name, state[name])
    if hasattr(made, "__dict__"):
        made.__dict__.update({name: v for name, v in state.items() if name not in slots})
    return made


def _slots(cls: type) -> set[str]:
    found: set[str] = set()
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        found.update((slots,) if isinstance(slots, str) else slots)
    return found - {"__dict__", "__weakref__"}


_STRUCT = _Kind(_struct_state, _make_struct)
_PYDANTIC = _Kind(_pydantic_state, _make_pydantic)
_ATTRS = _Kind(_attrs_state, _make_attrs)
_DATACLASS = _Kind(_dataclass_state, _make_dataclass)
_NAMED_TUPLE = _Kind(_named_tuple_state, _make_named_tuple)
_PLAIN = _Kind(_plain_state, _make_plain)
