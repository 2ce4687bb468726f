"""A handle that another process made: any use raises an error that says who made it, and where."""

from __future__ import annotations

import contextlib
from typing import Any

from bide.errors import ForkError
from bide.forks.owned import keep_for_ever

_SILENT = ("close", "terminate", "disconnect", "expire_connections")
_reasons: dict[int, str] = {}
_classes: dict[type, type] = {}


def refuse(handle: Any, reason: str) -> bool:
    """Let every later use of `handle` raise ForkError(reason); False where its class forbids that.

    Closing and finalising do nothing: no goodbye is said on the parent's wire.
    """
    cls = type(handle)
    if cls.__name__.startswith(_PREFIX):
        return True
    try:
        handle.__class__ = _refusing(cls)
    except TypeError:
        return False
    _reasons[id(handle)] = reason
    keep_for_ever(handle)
    return True


_PREFIX = "Inherited"


def _refusing(cls: type) -> type:
    if cls in _classes:
        return _classes[cls]
    members: dict[str, Any] = {
        "__slots__": (),
        "__module__": cls.__module__,
        "__getattribute__": _refuse_attribute,
        "__del__": _nothing,
        "__exit__": _nothing,
        "__enter__": _refuse_use,
    }
    made: type = type(cls)(_PREFIX + cls.__name__, (cls,), members)
    _classes[cls] = made
    return made


def _refuse_attribute(self: Any, name: str) -> Any:
    if name in _SILENT:
        return _nothing
    if name.startswith("__") and name.endswith("__"):
        return object.__getattribute__(self, name)
    raise ForkError(_reasons.get(id(self), "this handle was made by another process"))


def _refuse_use(self: Any) -> Any:
    _refuse_attribute(self, "use")


def _nothing(*_: Any, **__: Any) -> None:
    return None


def close_quietly(handle: Any) -> None:
    """Close a handle whose wire is sealed already; what it says about that is of no interest."""
    with contextlib.suppress(Exception):
        handle.close()
