"""Everything that a stored payload can reach: what is declared, records, and enumerations."""

from __future__ import annotations

import enum
import sys
from types import ModuleType
from typing import Any

from bide.errors import UnknownJob
from bide.jobs.records import Loader, RecordKey, Records
from bide.jobs.registry import Registry, import_path


class Reach:
    """Names for classes and classes for names, for one application."""

    def __init__(self, registry: Registry, records: Records) -> None:
        self.registry, self.records = registry, records

    def name_of(self, cls: type) -> str | None:
        """The name of a declared class, or of one that annotations of declared things mention."""
        return self.registry.name_of(cls)

    def public_name_of(self, cls: type) -> str | None:
        """The name of a class of records or an enumeration that can be found again by it."""
        name = import_path(cls)
        return name if self._is_public(cls) and loaded_class(name) is cls else None

    def reference(self, value: Any) -> dict[str, Any] | None:
        """What stands for a record in a payload; None for anything else. Raises UnsavedRecord."""
        cls = type(value)
        adapter = self.records.adapter(cls)
        if adapter is None:
            return None
        key, database = adapter.key_of(value)
        name = self.name_of(cls) or self.public_name_of(cls)
        where = {} if database is None else {"database": database}
        return None if name is None else {"class": name, "key": key, **where}

    def class_named(self, name: str) -> type:
        """Raises UnknownJob for every name that is not declared or mentioned."""
        return self.registry.class_named(name)

    def public_class_named(self, name: str) -> type:
        """The same, also for loaded classes of records and enumerations. Imports only as Registry."""
        try:
            return self.registry.class_named(name)
        except UnknownJob:
            cls = loaded_class(name)
            if cls is None or not self._is_public(cls):
                raise
            return cls

    def is_record_class(self, cls: type) -> bool:
        """Whether there are rows behind the objects of a class."""
        return self.records.adapter(cls) is not None

    def is_delayable(self, cls: type) -> bool:
        """Whether the methods of a class may be delayed."""
        return self.registry.is_delayable(cls) or self.is_record_class(cls)

    def _is_public(self, cls: type) -> bool:
        return issubclass(cls, enum.Enum) or self.is_record_class(cls)


class Reached(Reach):
    """The same for one payload that is being read, with the records it loads."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(reach.registry, reach.records)
        self._loaders: dict[int, Loader] = {}

    def load(self, cls: type, key: tuple[Any, ...], database: str | None) -> Any:
        """The record. Raises RecordNotFound, and whatever its database raises."""
        adapter = self.records.adapter(cls)
        if adapter is None:
            raise UnknownJob(f"records of {cls.__qualname__} cannot be loaded in this process")
        loader = self._loaders.get(id(adapter))
        if loader is None:
            loader = self._loaders[id(adapter)] = adapter.loader()
        return loader.load(cls, RecordKey(key, database))

    def close(self) -> None:
        """Let go of the records."""
        for loader in self._loaders.values():
            loader.close()
        self._loaders.clear()


def loaded_class(name: str) -> type | None:
    """The class of that import path if its module is loaded; nothing is imported or called."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:cut]))
        if isinstance(module, ModuleType):
            found = _inside(module, parts[cut:])
            return found if isinstance(found, type) and import_path(found) == name else None
    return None


def _inside(holder: Any, names: list[str]) -> Any:
    for name in names:
        if not isinstance(holder, ModuleType | type):
            return None
        holder = vars(holder).get(name)
    return holder
