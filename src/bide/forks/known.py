"""The libraries whose connections, pools and clients are known, and the objects of theirs alive."""

from __future__ import annotations

import socket
import sys
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bide.forks import heap, pools
from bide.forks.descriptors import Descriptor

NEVER = -1
Fate = str
RENEWED: Fate = "renewed: this process opens its own at the next use"
REFUSED: Fate = "refused: each use raises an error that names who opened it"
CLOSED: Fate = "closed in the child: each use fails"
SEALED: Fate = "sealed: each use fails at once"
LEFT: Fate = "left as it is: both processes can use it"
KEPT: Fate = "kept, as asked"


@dataclass(frozen=True, slots=True)
class Known:
    """One class of one library: what it talks to, its descriptor, what a child does with it.

    `lying_in` are the drivers' connections that a pool of it holds idle; one that is `unused` may stay as
    it is, unless a thread that is gone was using it: each thing that a child does costs it pages.
    """

    library: str
    module: str
    name: str
    service: str = ""
    fileno: Callable[[Any], int] | None = None
    renew: Callable[[Any], None] | None = None
    fate: Fate = REFUSED
    holds_connection: bool = True
    lying_in: Callable[[Any], Iterable[Any]] | None = None
    unused: Callable[[Any], bool] | None = None

    def find_class(self) -> type | None:
        """The class, where its module has been imported by somebody."""
        module = sys.modules.get(self.module)
        found = vars(module).get(self.name) if module else None
        return found if isinstance(found, type) else None


def _pool(
    library: str,
    module: str,
    name: str,
    renew: Callable[[Any], None] | None,
    lying_in: Callable[[Any], Iterable[Any]] | None = None,
    unused: Callable[[Any], bool] | None = None,
) -> Known:
    return Known(
        *(library, module, name),
        renew=renew,
        fate=RENEWED,
        holds_connection=False,
        lying_in=lying_in,
        unused=unused,
    )


def _checked_in(record: Any) -> Iterable[Any]:
    return () if record.fairy_ref else (record.driver_connection,)


def _redis_writer(connection: Any) -> int:
    return int(connection._writer.get_extra_info("socket").fileno())


def _asyncpg_transport(connection: Any) -> int:
    return int(connection._transport.get_extra_info("socket").fileno())


KNOWN = (
    Known(
        "psycopg", "psycopg._connection_base", "BaseConnection", "postgresql", lambda c: c.fileno()
    ),
    Known("psycopg2", "psycopg2.extensions", "connection", "postgresql", lambda c: c.fileno()),
    Known(
        "asyncpg",
        "asyncpg.pool",
        "Pool",
        "postgresql",
        lambda pool: _asyncpg_transport(pool._holders[0]._con),
        holds_connection=False,
    ),
    Known("asyncpg", "asyncpg.connection", "Connection", "postgresql", _asyncpg_transport),
    Known("pg8000", "pg8000.core", "CoreConnection", "postgresql", lambda c: c._usock.fileno()),
    Known("PyMySQL", "pymysql.connections", "Connection", "mysql", lambda c: c._sock.fileno()),
    Known("mysqlclient", "MySQLdb.connections", "Connection", "mysql", lambda c: c.fileno()),
    Known("mariadb", "mariadb.connections", "Connection", "mysql", lambda c: c._get_socket()),
    Known(
        "mysql-connector",
        "mysql.connector.connection",
        "MySQLConnection",
        "mysql",
        lambda c: c._socket.sock.fileno(),
    ),
    Known(
        "redis-py",
        "redis.connection",
        "AbstractConnection",
        "redis",
        lambda c: c._sock.fileno(),
        pools.renew_redis_connection,
        RENEWED,
    ),
    Known(
        "redis-py (asyncio)",
        "redis.asyncio.connection",
        "AbstractConnection",
        "redis",
        _redis_writer,
        pools.renew_async_redis_connection,
        RENEWED,
    ),
    Known(
        "asyncio",
        "asyncio.base_events",
        "BaseEventLoop",
        "event loop",
        lambda loop: loop._selector.fileno(),
    ),
    Known("sqlite3", "sqlite3", "Cursor", "sqlite", renew=pools.close_sqlite, fate=CLOSED),
    Known("sqlite3", "sqlite3", "Connection", "sqlite", renew=pools.close_sqlite, fate=CLOSED),
    _pool(
        *("psycopg_pool", "psycopg_pool.pool", "ConnectionPool", pools.renew_psycopg_pool),
        lambda pool: pool._pool,
    ),
    _pool(
        "psycopg_pool",
        "psycopg_pool.pool_async",
        "AsyncConnectionPool",
        pools.renew_async_psycopg_pool,
    ),
    _pool("redis-py", "redis.connection", "ConnectionPool", pools.renew_redis_pool),
    _pool(
        "redis-py (asyncio)", "redis.asyncio.connection", "ConnectionPool", pools.renew_redis_pool
    ),
    _pool("SQLAlchemy", "sqlalchemy.orm.session", "Session", pools.invalidate_session),
    _pool("SQLAlchemy", "sqlalchemy.pool.base", "_ConnectionRecord", None, _checked_in),
    _pool(
        *("SQLAlchemy", "sqlalchemy.engine.base", "Engine", pools.renew_engine),
        unused=pools.never_connected,
    ),
    _pool(
        *("Django", "django.db.backends.base.base", "BaseDatabaseWrapper", pools.renew_django),
        lambda wrapper: (wrapper.connection,),
    ),
)
_PLAIN_SOCKET = Known("socket", "socket", "socket", fileno=socket.socket.fileno, fate=SEALED)


class Living:
    """The objects of known libraries that were alive at one moment, held weakly where possible."""

    def __init__(self, objects: Iterable[tuple[Known, Any]]) -> None:
        self._found = [(known, _reference(value)) for known, value in objects]

    def __iter__(self) -> Any:
        for known, reference in self._found:
            value = reference()
            if value is not None:
                yield known, value

    @property
    def can_be_kept(self) -> bool:
        """Whether nothing here is kept alive by being listed."""
        return all(isinstance(reference, weakref.ref) for _, reference in self._found)


def _reference(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


def find_living(*, sockets: bool = False) -> Living:
    """Walk the heap once for the objects of the known libraries."""
    wanted = {found: known for known in KNOWN if (found := known.find_class())}
    if sockets:
        wanted[socket.socket] = _PLAIN_SOCKET
    living = []
    for value in heap.instances_of(wanted):
        known = _known_for(type(value), wanted)
        if known is not None:
            living.append((known, value))
    order = (*KNOWN, _PLAIN_SOCKET)
    return Living(sorted(living, key=lambda pair: order.index(pair[0])))


def _known_for(cls: type, wanted: dict[type, Known]) -> Known | None:
    for base in type.__getattribute__(cls, "__mro__"):
        if base in wanted:
            return wanted[base]
    return None


def holders(living: Living) -> dict[int, tuple[Known, Any]]:
    """Who holds which descriptor; a driver's object before the plain socket inside it."""
    held: dict[int, tuple[Known, Any]] = {}
    for known, value in living:
        fd = number_of(known, value)
        if fd != NEVER:
            held.setdefault(fd, (known, value))
    return held


def pooled(living: Living) -> dict[int, str]:
    """The library in whose pool a driver's connection lies idle, by the connection's id().

    asyncpg's connections belong to an event loop, which no pool can renew.
    """
    found = {}
    for known, value in living:
        for each in _lying_in(known, value):
            if not type(each).__module__.startswith("asyncpg"):
                found[id(each)] = known.library
    return found


def _lying_in(known: Known, value: Any) -> list[Any]:
    try:
        return list(known.lying_in(value)) if known.lying_in else []
    except Exception:  # noqa: BLE001 - a closed pool has its own way of saying so
        return []


def number_of(known: Known, value: Any) -> int:
    """The descriptor of a known connection; -1 where it has none, or none any more."""
    if known.fileno is None:
        return NEVER
    try:
        return int(known.fileno(value))
    except Exception:  # noqa: BLE001 - a closed connection has its own way of saying so
        return NEVER


_PORTS = {
    "5432": "postgresql",
    "6432": "postgresql (pgbouncer)",
    "3306": "mysql",
    "6379": "redis",
    "27017": "mongodb",
    "5672": "amqp",
    "11211": "memcached",
    "9200": "elasticsearch",
    "9092": "kafka",
    "25": "smtp",
    "587": "smtp",
    "80": "http",
    "443": "https",
}
_PATHS = {
    ".s.PGSQL.": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "redis": "redis",
    "/dev/log": "syslog",
    "journal": "systemd journal",
    "docker": "docker",
}


def service_of(descriptor: Descriptor) -> str:
    """The well-known service behind a peer's port or path; empty where it is none."""
    if descriptor.family == "unix":
        return next((name for part, name in _PATHS.items() if part in descriptor.peer), "")
    return _PORTS.get(descriptor.peer.rpartition(":")[2], "")
