"""What SQLAlchemy imports at once is loaded when it is used: a command line that never awaits has no asyncio.

asyncio with what that imports, and hashlib, are 7 MB of a worker's memory and a fifth of the time that
it takes to start; importlib.metadata, which needs e-mail and archives, and the drivers that this program
does not use are 2 more. Only the import statements of the few modules named here are concerned: they get
a stand-in. Everybody else, and the application first of all, imports the real modules as ever.

SQLAlchemy 2.0 uses asyncio while it is imported, so that it is loaded there.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import resolve_name
from types import ModuleType
from typing import Any, Final

_DIALECTS: Final = {
    "sqlite": ("aiosqlite", "pysqlcipher"),
    "mysql": ("aiomysql", "asyncmy", "cymysql", "mariadbconnector", "mysqlconnector", "pyodbc"),
    "postgresql": ("asyncpg", "pg8000", "psycopg2", "psycopg2cffi"),
}
#: Who imports what for parts of itself that only some programs use.
SPARED: Final = {
    "sqlalchemy.util.compat": ("asyncio", "hashlib", "importlib.metadata"),
    "sqlalchemy.util.langhelpers": ("importlib.metadata",),
    "sqlalchemy.util.concurrency": ("asyncio",),
    "sqlalchemy.util.queue": ("asyncio",),
    "sqlalchemy.connectors.asyncio": ("asyncio",),
    "sqlalchemy.dialects.sqlite.aiosqlite": ("asyncio",),
    "msgspec": ("msgspec.inspect", "msgspec.msgpack", "msgspec.toml", "msgspec.yaml"),
    "msgspec._json_schema": ("msgspec.inspect",),
    **{
        f"sqlalchemy.dialects.{kind}": tuple(f"sqlalchemy.dialects.{kind}.{one}" for one in drivers)
        for kind, drivers in _DIALECTS.items()
    },
}


def spare() -> None:
    """From now on in this process; what has been imported already stays as it is."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _StandIn(ModuleType):
    """For a module, which is imported when this is asked for something of it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


class _Package(_StandIn):
    """For a package, where a module that is spared is not imported yet when it is only named."""

    def __init__(self, name: str, spared: Sequence[str]) -> None:
        super().__init__(name)
        self._spared = spared

    def __getattr__(self, name: str) -> Any:
        part = f"{self.__name__}.{name}"
        if part not in self._spared:
            return super().__getattr__(name)
        # One that another thread is importing is waited for: the package does not have it yet.
        return importlib.import_module(part) if part in sys.modules else _StandIn(part)


class _Asyncio(_StandIn):
    """For asyncio: at every error SQLAlchemy asks whether it is a cancellation, and once what to ask that
    of an awaitable. Where nobody has imported asyncio nothing can be cancelled."""

    def __getattr__(self, name: str) -> Any:
        if name == "iscoroutine":
            return lambda value: importlib.import_module("asyncio").iscoroutine(value)
        if self.__name__ not in sys.modules and name in _ERRORS:
            return _ERRORS[name]
        return super().__getattr__(name)


class _NeverRaised(BaseException):
    """What is caught in the place of an exception that does not exist yet."""


_ERRORS: Final = {"TimeoutError": TimeoutError, "CancelledError": _NeverRaised}


class _Finder:
    """Finds the modules of SPARED where they are, and lends them another `import`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in SPARED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        own = {**vars(builtins), "__import__": _importing(SPARED[module.__name__])}
        vars(module)["__builtins__"] = own
        super().exec_module(module)
        _show_parts(module)


def _show_parts(package: ModuleType) -> None:
    """Whoever asks a package for a module of it that was spared gets the real one."""
    name = package.__name__
    parts = [one for one in vars(package) if f"{name}.{one}" in SPARED[name]]
    late = {one for one in parts if type(vars(package)[one]) is _StandIn}
    if not late:
        return

    def find(one: str) -> Any:
        if one not in late:
            raise AttributeError(f"module {name!r} has no attribute {one!r}", name=one, obj=package)
        return importlib.import_module(f"{name}.{one}")

    for one in late:
        delattr(package, one)
    vars(package)["__getattr__"] = find


def _importing(spared: Sequence[str]) -> Callable[..., Any]:
    packages = {name.rpartition(".")[0] for name in spared}

    def import_(
        name: str,
        given: Any = None,
        own: Any = None,
        names: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        whole = resolve_name("." * level + name, given["__package__"]) if level else name
        package = whole.rpartition(".")[0]
        if not package and _is_late(whole, spared):
            return (_Asyncio if whole == "asyncio" else _StandIn)(whole)
        if package and package in packages and not names:  # import package.part
            if not _is_late(whole, spared):
                builtins.__import__(name)
            return _Package(package, spared)
        rest = [one for one in names or () if not _is_late(f"{whole}.{one}", spared)]
        found = builtins.__import__(name, given, own, rest, level)
        return found if len(rest) == len(names or ()) else _Package(whole, spared)

    return import_


def _is_late(name: str, spared: Sequence[str]) -> bool:
    return name in spared and name not in sys.modules
