"""Drivers of MySQL that can send a statement now and fetch its answer when it has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from bide.db.connection import Connection, Row

#: The number of «a query» in the protocol.
_QUERY: Final = 3


class Apart(Protocol):
    """How a driver does it. Between the two nothing else may be asked of the connection."""

    #: What its connections must have.
    needs: tuple[str, ...]

    def send(self, raw: Any, text: str) -> None: ...

    def answer(self, raw: Any) -> Sequence[Row]:
        """The rows of what was sent, all of them; it waits until they are there."""
        ...


class PyMySQL:
    """PyMySQL, which has it for its own use."""

    needs: tuple[str, ...] = ("_execute_command", "_read_query_result")

    def send(self, raw: Any, text: str) -> None:
        raw._execute_command(_QUERY, text)

    def answer(self, raw: Any) -> Sequence[Row]:
        raw._read_query_result()
        return raw._result.rows or ()


class MySQLClient:
    """mysqlclient, of which other threads may ask nothing meanwhile, not even its descriptor."""

    needs: tuple[str, ...] = ("send_query", "read_query_result", "store_result", "fileno")

    def send(self, raw: Any, text: str) -> None:
        raw.send_query(text.encode(raw.encoding))

    def answer(self, raw: Any) -> Sequence[Row]:
        raw.read_query_result()
        result = raw.store_result()
        return () if result is None else result.fetch_row(0)  # all of them


_WAYS: Final[tuple[Apart, ...]] = (PyMySQL(), MySQLClient())


def way_of(connection: Connection) -> Apart | None:
    """How the driver of `connection` does it; None: it cannot, or is too old."""
    if not hasattr(connection.cursor, "mogrify"):  # of mysqlclient since 2.2
        return None
    raw = connection.raw
    return next((way for way in _WAYS if all(hasattr(raw, name) for name in way.needs)), None)
