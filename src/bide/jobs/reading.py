"""Arguments from JSON: every tagged object made again, by names that are known and no others."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from bide.errors import DeserializationError, IncompatibleJob, MalformedPayload, UnknownJob
from bide.jobs import hints
from bide.jobs.scalars import BY_TAG
from bide.jobs.writing import MAX_DEPTH, TAG


class Known(Protocol):
    """The classes and records that payloads may reach."""

    def class_named(self, name: str) -> type:
        """A declared class. Raises UnknownJob."""
        ...

    def public_class_named(self, name: str) -> type:
        """A declared class, class of records or enumeration. Raises UnknownJob."""
        ...

    def is_record_class(self, cls: type) -> bool: ...

    def load(self, cls: type, key: tuple[Any, ...], database: str | None) -> Any:
        """The record. Raises RecordNotFound."""
        ...


class _Reference(NamedTuple):
    """A record that is still to be loaded."""

    cls: type
    key: tuple[Any, ...]
    database: str | None


class Reader:
    """Makes values again from what Writer wrote. One Reader per payload: a record that stands in it
    twice is loaded once.

    Raises MalformedPayload for what Writer never writes, UnknownJob for names and kinds that are
    unknown here, RecordNotFound for records that are gone.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._records: dict[tuple[Any, ...], Any] = {}

    def read(self, tree: Any, depth: int = 0) -> Any:
        """The value that the tree of JSON stands for."""
        if not isinstance(tree, dict | list):
            return tree
        if depth > MAX_DEPTH + 2:
            raise MalformedPayload(f"the payload is nested deeper than {MAX_DEPTH} levels")
        if isinstance(tree, list):
            return [self.read(item, depth + 1) for item in tree]
        if TAG in tree:
            return self._read_tagged(tree, depth)
        return {key: self.read(item, depth + 1) for key, item in tree.items()}

    def _read_tagged(self, tree: dict[str, Any], depth: int) -> Any:
        tag = tree[TAG]
        read = _READERS.get(tag) if type(tag) is str else None
        if read is None:
            raise UnknownJob(
                f"the payload holds a value of the kind {tag!r}, which this version does not know"
            )
        try:
            value = read(self, tree, depth)
        except DeserializationError:
            raise
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
            raise MalformedPayload(
                f"a value of the kind {tag!r} cannot be read: {error}"
            ) from error
        return self._record(*value) if isinstance(value, _Reference) else value

    def _record(self, cls: type, key: tuple[Any, ...], database: str | None) -> Any:
        place = (cls, key, database)
        if place not in self._records:
            self._records[place] = self._known.load(cls, key, database)
        return self._records[place]

    def rebuild(self, cls: type, state: Any, depth: int = 0) -> Any:
        """An object of a declared class from its written state.

        Raises IncompatibleJob when the class does not accept the state.
        """
        if type(state) is not dict:
            raise MalformedPayload(f"the state of {cls.__qualname__} is not an object")
        fields = {name: self.read(part, depth + 1) for name, part in state.items()}
        try:
            return hints.rebuild(cls, fields)
        except Exception as error:
            raise IncompatibleJob(
                f"{cls.__qualname__} does not accept the stored state: {error}"
            ) from error

    def read_object(self, tree: dict[str, Any], depth: int) -> Any:
        cls = self._known.class_named(_name(tree))
        if issubclass(cls, enum.Enum) or self._known.is_record_class(cls):
            raise MalformedPayload(f"{cls.__qualname__} has members or rows, it is not made anew")
        return self.rebuild(cls, tree["state"], depth)

    def read_class(self, tree: dict[str, Any], _depth: int) -> type:
        return self._known.public_class_named(_name(tree))

    def read_enum(self, tree: dict[str, Any], _depth: int) -> Any:
        cls = self._enumeration(tree)
        member = tree["member"]
        if member not in cls.__members__:
            raise IncompatibleJob(f"{cls.__qualname__} has no member {member!r}")
        return cls.__members__[member]

    def read_flag(self, tree: dict[str, Any], depth: int) -> Any:
        cls = self._enumeration(tree)
        if not issubclass(cls, enum.Flag):
            raise MalformedPayload(f"{cls.__qualname__} is not a Flag")
        return cls(self.read(tree["value"], depth + 1))

    def _enumeration(self, tree: dict[str, Any]) -> type[enum.Enum]:
        cls = self._known.public_class_named(_name(tree))
        if not issubclass(cls, enum.Enum):
            raise MalformedPayload(f"{cls.__qualname__} is not an Enum")
        return cls

    def read_record(self, tree: dict[str, Any], depth: int) -> _Reference:
        cls = self._known.public_class_named(_name(tree))
        if not self._known.is_record_class(cls):
            raise MalformedPayload(f"{cls.__qualname__} is not a class of records")
        key = tuple(self.read(part, depth + 1) for part in _array(tree["key"]))
        hash(key)
        database = tree.get("database")
        if database is not None and type(database) is not str:
            raise MalformedPayload(f"{database!r} is not the name of a database")
        return _Reference(cls, key, database)

    def read_dict(self, tree: dict[str, Any], depth: int) -> dict[Any, Any]:
        return {
            self.read(key, depth + 1): self.read(item, depth + 1)
            for key, item in _array(tree["value"])
        }


Read = Callable[[Reader, dict[str, Any], int], Any]


def _name(tree: dict[str, Any]) -> str:
    name = tree["class"]
    if type(name) is not str:
        raise MalformedPayload(f"{name!r} is not the name of a class")
    return name


def _array(stored: Any) -> list[Any]:
    if type(stored) is not list:
        raise MalformedPayload(f"a list was expected, not {type(stored).__name__}")
    return stored


def _collection(cls: Callable[[Any], Any]) -> Read:
    return lambda reader, tree, depth: cls(
        reader.read(item, depth + 1) for item in _array(tree["value"])
    )


def _scalar(load: Callable[[Any], Any]) -> Read:
    return lambda _reader, tree, _depth: load(tree["value"])


_READERS: dict[str, Read] = {
    **{tag: _scalar(scalar.load) for tag, scalar in BY_TAG.items()},
    "tuple": _collection(tuple),
    "set": _collection(set),
    "frozenset": _collection(frozenset),
    "dict": Reader.read_dict,
    "object": Reader.read_object,
    "class": Reader.read_class,
    "enum": Reader.read_enum,
    "flag": Reader.read_flag,
    "record": Reader.read_record,
}
