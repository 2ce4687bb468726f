"""Jobs of SQLAlchemy's sessions: stored with them, from their events, and after their commit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event, orm
from sqlalchemy.ext.asyncio import AsyncSession

import bide
from bide.contrib.sqlalchemy import AsyncEnqueue, Enqueue, enqueue_after_commit
from lending import an_async_engine, an_engine, kind_of, stored

ASYNC_DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}


class Base(orm.DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "contrib_orders"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)


@pytest.fixture
def app(database_url: str) -> Iterator[bide.App]:
    app = bide.App(database_url)
    app.migrate()
    yield app
    app.close()


@pytest.fixture
def ran() -> list[Any]:
    return []


@pytest.fixture
def receipt(app: bide.App, ran: list[Any]) -> Any:
    @app.job(name="receipt")
    def receipt(order: Order | int) -> None:
        ran.append(order.id if isinstance(order, Order) else order)

    return receipt


@pytest.fixture
def session(app: bide.App, database_url: str) -> Iterator[orm.Session]:
    with an_engine(database_url) as engine:
        Base.metadata.create_all(engine)
        with orm.Session(engine) as session:
            yield session


def test_enqueue_stores_in_the_sessions_transaction(
    app: bide.App, session: orm.Session, receipt: Any
) -> None:
    enqueue = Enqueue(session)
    enqueue(receipt, 1)
    session.rollback()
    job = enqueue(receipt.using(queue="slow", priority=3), 2)
    session.commit()
    assert stored(app) == [job.id]
    assert (job.reload().queue, job.priority) == ("slow", 3)


def test_a_record_travels_by_its_key_and_is_loaded_by_the_application_s_sessions(
    app: bide.App, session: orm.Session, receipt: Any, ran: list[Any]
) -> None:
    made: list[orm.Session] = []

    class Own(orm.Session):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    app.sessions = orm.sessionmaker(session.get_bind(), class_=Own)
    order = Order(id=7)
    session.add(order)
    session.flush()
    Enqueue(session)(receipt, order)
    session.commit()
    assert app.worker().work_off() == (1, 0)
    assert (ran, len(made)) == ([7], 1)


@pytest.mark.parametrize(
    "name", ["before_flush", "after_flush", "after_flush_postexec", "before_commit"]
)
def test_events_inside_the_transaction_store_with_it(
    app: bide.App, session: orm.Session, receipt: Any, name: str
) -> None:
    @event.listens_for(session, name)
    def enqueue(session: orm.Session, *_: Any) -> None:
        if not session.info.setdefault("told", False):
            session.info["told"] = True
            Enqueue(session)(receipt, 1)

    for ending, number in ((session.rollback, 0), (session.commit, 1)):
        session.info.clear()
        session.add(Order())
        session.flush()
        if name == "before_commit" and ending == session.rollback:
            continue
        ending()
        assert len(stored(app)) == number


def test_after_commit_stores_on_a_connection_of_our_own(
    app: bide.App, session: orm.Session, receipt: Any
) -> None:
    @event.listens_for(session, "after_commit")
    def enqueue(session: orm.Session) -> None:
        receipt.delay(1)

    session.add(Order())
    session.rollback()
    session.add(Order())
    session.commit()
    assert len(stored(app)) == 1


def test_nested_transactions_decide_for_what_was_stored_in_them(
    app: bide.App, session: orm.Session, receipt: Any, ran: list[Any]
) -> None:
    enqueue = Enqueue(session)
    session.add(Order())
    session.flush()
    enqueue(receipt, 1)
    undone = session.begin_nested()
    enqueue(receipt, 2)
    with session.begin_nested():
        enqueue(receipt, 3)
    undone.rollback()
    with session.begin_nested():
        enqueue(receipt, 4)
    session.commit()
    assert app.worker().work_off() == (2, 0)
    assert ran == [1, 4]


async def test_an_async_session_stores_with_its_transaction_and_its_events(
    app: bide.App, session: orm.Session, database_url: str, receipt: Any
) -> None:
    driver = ASYNC_DRIVERS.get(kind_of(database_url))
    if driver is None:
        pytest.skip("no driver of MySQL for event loops is lent")
    session.close()
    async with (
        an_async_engine(database_url, driver) as engine,
        AsyncSession(engine) as asynchronous,
    ):
        enqueue = AsyncEnqueue(asynchronous)

        @event.listens_for(asynchronous.sync_session, "after_flush")
        def flushed(session: orm.Session, _: Any) -> None:
            for order in session.new:
                Enqueue(session)(receipt, order)

        asynchronous.add(Order(id=1))
        await enqueue(receipt, 1)
        await asynchronous.rollback()
        assert stored(app) == []
        asynchronous.add(Order(id=2))
        async with asynchronous.begin_nested():
            await enqueue(receipt.using(queue="slow"), 2)
        await asynchronous.commit()
    assert len(stored(app)) == 2


# enqueue_after_commit


def test_calls_are_stored_after_the_commit_and_only_then(
    app: bide.App, session: orm.Session, receipt: Any, ran: list[Any]
) -> None:
    enqueue_after_commit(app, session, receipt.bind(1), receipt.bind(2))
    session.add(Order())
    session.flush()
    assert stored(app) == []
    session.commit()
    assert len(stored(app)) == 2
    session.add(Order())
    session.commit()
    assert app.worker().work_off() == (2, 0)
    assert ran == [1, 2]


def test_calls_are_forgotten_with_their_transaction_or_savepoint(
    app: bide.App, session: orm.Session, receipt: Any, ran: list[Any]
) -> None:
    enqueue_after_commit(app, session, receipt.bind(1))
    session.add(Order())
    session.rollback()

    session.add(Order())
    with session.begin_nested():
        enqueue_after_commit(app, session, receipt.bind(2))
        undone = session.begin_nested()
        enqueue_after_commit(app, session, receipt.bind(3))
        undone.rollback()
        undone = session.begin_nested()
        with session.begin_nested():
            enqueue_after_commit(app, session, receipt.bind(4))
        undone.rollback()
    assert stored(app) == []
    session.commit()
    app.worker().work_off()
    assert ran == [2]


def test_a_scoped_session_is_the_session_that_it_stands_for(
    app: bide.App, session: orm.Session, receipt: Any
) -> None:
    scoped = orm.scoped_session(orm.sessionmaker(session.get_bind()))
    enqueue_after_commit(app, scoped, receipt.bind(1))
    scoped.execute(sa.select(1))
    scoped.commit()
    scoped.remove()
    assert len(stored(app)) == 1


def test_what_cannot_tell_of_its_commit_is_refused(
    app: bide.App, session: orm.Session, receipt: Any
) -> None:
    with pytest.raises(bide.WrongConnection, match="cannot tell when it commits"):
        enqueue_after_commit(app, session.connection(), receipt.bind(1))
