"""Running a statement of ours inside the transaction that the caller holds.

What may be given: SQLAlchemy's Session, Connection, AsyncSession and AsyncConnection; a connection or
cursor of psycopg, PyMySQL, mysqlclient or sqlite3; a connection of asyncpg or aiosqlite; a Django
database alias. Nothing is committed or rolled back here, and no library is imported that is not.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bide.db.connection import Row
from bide.db.failures import translate
from bide.db.lenders import ASYNC_LENDERS, LENDERS, Lender, awaited, known_class
from bide.db.statements import Statement
from bide.errors import WrongConnection


def execute(on: Any, statement: Statement, params: Mapping[str, Any], kind: str) -> list[Row]:
    """Run `statement` on the caller's connection and return its rows.

    `kind` is the kind of database the statement is written for. Raises WrongConnection for what is
    no connection that we know, a closed one, one of another kind, and one that must be awaited;
    the other errors are those of Database.run. Nothing is retried: the transaction is the caller's.
    """
    lender = _lender(on, LENDERS)
    if lender is None:
        raise _unknown(on)
    with _translated(statement):
        wire = lender.open(on)
        _same_kind(on, wire.kind, kind)
        form = statement.form(wire.style)
        rows: list[Row] = wire.run(form.text, form.bind(params))
        return rows


async def aexecute(
    on: Any, statement: Statement, params: Mapping[str, Any], kind: str
) -> list[Row]:
    """The same without blocking the event loop; what `execute` takes is taken here too."""
    lender = _lender(on, ASYNC_LENDERS)
    if lender is None:
        return execute(on, statement, params, kind)
    with _translated(statement):
        wire = lender.open(on)
        if wire.kind is not None:
            _same_kind(on, wire.kind, kind)
        if wire.within is not None:
            rows: list[Row] = await wire.within(lambda held: execute(held, statement, params, kind))
            return rows
        form = statement.form(wire.style)
        return list(await wire.run(form.text, form.bind(params)))


def refuse_async(on: Any) -> None:
    """Raise WrongConnection if `on` belongs to an event loop, so that only `aexecute` can use it."""
    if on is not None and not isinstance(on, str) and _lender(on, ASYNC_LENDERS) is not None:
        raise awaited(_described(on))


def after_commit(on: Any, callback: Callable[[], object]) -> bool:
    """Call `callback` once when the caller's transaction has ended; False where nobody can know.

    SQLAlchemy tells it of sessions (also after a rollback), Django of aliases.
    """
    if isinstance(on, str):
        from django.core.exceptions import SynchronousOnlyOperation
        from django.db import transaction

        try:
            transaction.on_commit(callback, using=on)
        except SynchronousOnlyOperation:  # in an event loop, whose thread is not the alias' own
            return False
        return True
    if known_class(on, "sqlalchemy.ext.asyncio", "async_scoped_session"):
        on = on()
    session = getattr(on, "sync_session", on)
    if known_class(session, "sqlalchemy.orm", "scoped_session"):
        session = session()
    if not known_class(session, "sqlalchemy.orm", "Session"):
        return False
    _after_transaction(session, callback)
    return True


def _after_transaction(session: Any, callback: Callable[[], object]) -> None:
    from sqlalchemy import event

    if "bide.after" not in session.info:
        event.listen(session, "after_transaction_end", _ended)
    session.info.setdefault("bide.after", set()).add(callback)


def _ended(session: Any, transaction: Any) -> None:
    if transaction.parent is not None:
        return  # a savepoint: the rows are not there for others yet
    waiting = session.info["bide.after"]
    while waiting:
        waiting.pop()()


def _lender(on: Any, lenders: tuple[Lender, ...]) -> Lender | None:
    for lender in lenders:
        if lender.module == "django.db":
            known = isinstance(on, str) and lender.module in sys.modules
        else:
            known = any(known_class(on, lender.module, name) for name in lender.classes)
        if known:
            return lender
    return None


@contextlib.contextmanager
def _translated(statement: Statement) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        ours = translate(error, statement.name)
        if ours is None:
            raise
        raise ours from error


def _same_kind(on: Any, found: str | None, wanted: str) -> None:
    if found != wanted:
        raise WrongConnection(
            f"{_described(on)} is a connection to {found}, but the jobs are in {wanted}: give a "
            "connection to the database of the jobs, or enqueue without session="
        )


def _unknown(on: Any) -> WrongConnection:
    if _lender(on, ASYNC_LENDERS) is not None:
        return awaited(_described(on))
    return WrongConnection(
        f"{_described(on)} is no session or connection that Bide can write on; give a SQLAlchemy "
        "Session or Connection, a connection of psycopg, PyMySQL, sqlite3, asyncpg or aiosqlite, or "
        "a Django database alias"
    )


def _described(on: Any) -> str:
    if isinstance(on, str):
        loaded = "django.db" in sys.modules
        return f"{on!r}" if loaded else f"{on!r} (a Django alias, but Django is not loaded)"
    return f"{type(on).__module__}.{type(on).__qualname__}"
