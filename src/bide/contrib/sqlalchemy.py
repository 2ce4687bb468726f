"""Bide inside applications on SQLAlchemy: jobs of a session, and Bide's tables in their MetaData.

A session is given with `job.using(session=session)`; what is here saves words around it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import MetaData, event
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from bide.app import App
from bide.errors import WrongConnection
from bide.jobs.declare import JobFunction, Using
from bide.jobs.enqueue import Call
from bide.jobs.handle import Job

P = ParamSpec("P")
R = TypeVar("R")

#: Where a session keeps the calls that wait for its commit.
KEY = "bide.calls"


class Enqueue:
    """Stores jobs in one session's transaction: `enqueue(send_receipt, order.id)`.

    For an AsyncSession see AsyncEnqueue. Raises what `delay` raises.
    """

    def __init__(self, session: Any) -> None:
        self.session = session

    def __call__(
        self, job: JobFunction[P, Any, R] | Using[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Job[R]:
        """Store the call; `job.using(queue="slow")` may stand for the job."""
        return job.using(session=self.session).delay(*args, **kwargs)


class AsyncEnqueue:
    """The same for an AsyncSession: `await enqueue(send_receipt, order.id)`."""

    def __init__(self, session: Any) -> None:
        self.session = session

    async def __call__(
        self, job: JobFunction[P, Any, R] | Using[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Job[R]:
        """Store the call; `job.using(queue="slow")` may stand for the job."""
        return await job.using(session=self.session).adelay(*args, **kwargs)


def enqueue_after_commit(app: App, session: Any, *calls: Call) -> None:
    """Store bound calls once the session's transaction has been committed; never if it is not.

    For jobs in another database than the session's. Between the two commits a crash loses the calls;
    where both are one database, `using(session=session)` has no such gap. A savepoint that is rolled
    back takes along what was said in it. Also for an AsyncSession: the storing then blocks its loop.
    """
    sync = getattr(session, "sync_session", session)
    if isinstance(sync, scoped_session):
        sync = sync()
    if not isinstance(sync, Session):
        raise WrongConnection(
            f"{type(session).__qualname__} cannot tell when it commits; give a SQLAlchemy Session"
        )
    if KEY not in sync.info:
        sync.info[KEY] = []
        event.listen(sync, "after_commit", _store)
        event.listen(sync, "after_soft_rollback", _forget)
    sync.info[KEY].append(_Waiting(sync.get_nested_transaction(), app, calls))


class _Waiting(NamedTuple):
    savepoint: SessionTransaction | None
    app: App
    calls: tuple[Call, ...]


def _store(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint: what it did is not there for others yet
    waiting, session.info[KEY] = session.info[KEY], []
    for _, app, calls in waiting:
        app.enqueue_many(calls)


def _forget(session: Session, gone: SessionTransaction) -> None:
    """What was said in the transaction, or in a savepoint inside it."""
    session.info[KEY] = [one for one in session.info[KEY] if not _within(one.savepoint, gone)]


def _within(savepoint: SessionTransaction | None, gone: SessionTransaction) -> bool:
    while savepoint is not None and savepoint is not gone:
        savepoint = savepoint.parent
    return savepoint is gone or gone.parent is None


def include_tables(metadata: MetaData, app: App) -> None:
    """Put Bide's tables into the application's MetaData.

    Alembic's autogenerate then writes a call that brings them up to date, with indexes and triggers,
    whenever they are not, and never proposes to drop anything of theirs. `create_all` and `drop_all`
    make and drop them as `bide migrate` does. Call it after `app.use(i18n)`; again is harmless.
    Raises SettingsError for an App in memory.
    """
    from bide.contrib.metadata import include  # Alembic costs time to import

    include(metadata, app)
