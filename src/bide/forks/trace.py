"""Who opened a connection: process, file and line, recorded when asked."""

from __future__ import annotations

import functools
import importlib.util
import os
import socket
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from bide.forks.descriptors import identity_of

VARIABLE = "BIDE_TRACE_CONNECTIONS"


@dataclass(frozen=True, slots=True)
class Opening:
    """The moment at which a connection was opened."""

    pid: int
    place: str


_openings: dict[str, Opening] = {}
_tracing = False
_hooked = False
_OUR_OWN = str(Path(__file__).parent)
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


def trace_connections() -> None:
    """Record from now on where each connection is opened, for audit(), errors and the doctor.

    Pure-Python drivers are seen through Python's audit events; psycopg2, psycopg, mysqlclient and
    the MariaDB connector through a thin wrap around what makes their connections.
    """
    global _tracing, _hooked  # noqa: PLW0603 - one per process: audit hooks cannot be removed
    _tracing = True
    if _hooked:
        return
    _hooked = True
    sys.addaudithook(_heard)
    for name, wrap in _C_DRIVERS.items():
        if module := sys.modules.get(name):
            wrap(module)
    sys.meta_path.insert(0, _AfterImport())


def stop_tracing() -> None:
    """Record nothing more; what was recorded stays."""
    global _tracing  # noqa: PLW0603 - see trace_connections
    _tracing = False


def wanted_by_environment() -> bool:
    """Whether BIDE_TRACE_CONNECTIONS asks for tracing."""
    return os.environ.get(VARIABLE, "").lower() not in ("", "0", "no", "off", "false")


def opening_of(identity: str) -> Opening | None:
    """Where the connection of that identity was opened; None when it was not traced."""
    return _openings.get(identity)


def record(identity: str) -> None:
    """Note that the running code opened the connection of that identity."""
    if identity and identity not in _openings:
        if len(_openings) > 10_000:
            _openings.clear()
        _openings[identity] = Opening(os.getpid(), place_of(sys._getframe(1)))


def place_of(frame: FrameType | None) -> str:
    """`file:line in function` of the innermost frame that is the application's."""
    fallback = ""
    while frame:
        code = frame.f_code
        if not _is_ours_or_importlib(code):
            place = f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"
            if not _is_library(code.co_filename):
                return place
            fallback = fallback or place
        frame = frame.f_back
    return fallback


def _is_ours_or_importlib(code: CodeType) -> bool:
    return code.co_filename.startswith((_OUR_OWN, "<frozen"))


def _is_library(filename: str) -> bool:
    return "site-packages" in filename or filename.startswith(_LIBRARIES)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if not _tracing:
        return
    if event == "socket.connect" and arguments[0].type != socket.SOCK_DGRAM:
        record(identity_of(arguments[0].fileno()))
    elif event == "sqlite3.connect" and arguments[0] != ":memory:":
        record(os.path.realpath(os.fsdecode(arguments[0])))


def _fileno(connection: Any) -> int:
    return int(connection.fileno())


def _record_of(connection: Any, number: Callable[[Any], int] = _fileno) -> None:
    if not _tracing:
        return
    try:
        record(identity_of(number(connection)))
    except Exception:  # noqa: BLE001 - tracing must never break a connect
        return


def _wrap_psycopg2(module: Any) -> None:
    plain: Callable[..., Any] = module._connect
    base = module.extensions.connection
    # A subclass made here can refuse its users after a fork; the C class itself cannot.
    traced = type("connection", (base,), {"__module__": "psycopg2.extensions"})

    @functools.wraps(plain)
    def connect(dsn: str, connection_factory: Any = None, **options: Any) -> Any:
        connection = plain(dsn, connection_factory=connection_factory or traced, **options)
        _record_of(connection)
        return connection

    module._connect = connect


def _wrap_init(cls: type, number: Callable[[Any], int] = _fileno) -> None:
    plain: Callable[..., None] = vars(cls)["__init__"]

    @functools.wraps(plain)
    def initialise(self: Any, *args: Any, **options: Any) -> None:
        plain(self, *args, **options)
        _record_of(self, number)

    cls.__init__ = initialise  # type: ignore[misc]


_C_DRIVERS: dict[str, Callable[[ModuleType], None]] = {
    "psycopg2": _wrap_psycopg2,
    "psycopg._connection_base": lambda module: _wrap_init(module.BaseConnection),
    "MySQLdb.connections": lambda module: _wrap_init(module.Connection),
    "mariadb.connections": lambda module: _wrap_init(
        module.Connection, lambda made: made._get_socket()
    ),
}


class _AfterImport:
    """Wraps a C driver once it has been imported by somebody else."""

    def __init__(self) -> None:
        self.looking = False

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        wrap = _C_DRIVERS.get(name)
        if wrap is None or self.looking:
            return None
        self.looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.looking = False
        if spec and spec.loader:
            self._wrap_loader(spec.loader, wrap)
        return spec

    def _wrap_loader(self, loader: Any, wrap: Callable[[ModuleType], None]) -> None:
        plain = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            plain(module)
            wrap(module)

        loader.exec_module = exec_module


if wanted_by_environment():
    trace_connections()
