"""What SQLAlchemy imports at once is loaded when it is used: a command line that never awaits has no asyncio.

asyncio with what that imports, and hashlib, are 7 MB of a worker's memory and a fifth of the time that
it takes to start. Only the import statements of the few modules named here are concerned: they get a
stand-in. Everybody else, and the application first of all, imports the real modules as ever.

SQLAlchemy 2.0 uses asyncio while it is imported, so that it is loaded there.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Final

#: Who imports what for parts of itself that only some programs use.
SPARED: Final = {
    "sqlalchemy.util.compat": ("asyncio", "hashlib"),
    "sqlalchemy.util.concurrency": ("asyncio",),
    "sqlalchemy.util.queue": ("asyncio",),
    "sqlalchemy.connectors.asyncio": ("asyncio",),
    "sqlalchemy.dialects.sqlite.aiosqlite": ("asyncio",),
}


def spare() -> None:
    """From now on in this process; what has been imported already stays as it is."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _StandIn(ModuleType):
    """For a module, which is imported when this is asked for something of it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


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


def _importing(spared: Sequence[str]) -> Callable[..., Any]:
    def import_(name: str, *how: Any, **named: Any) -> Any:
        if name not in spared or name in sys.modules:
            return builtins.__import__(name, *how, **named)
        return (_Asyncio if name == "asyncio" else _StandIn)(name)

    return import_
