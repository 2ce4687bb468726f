"""Enqueueing from the events of SQLAlchemy's sessions, as far as they let anybody write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event, orm

import bide
from bide.jobs.job import Filter
from lending import an_engine, stored

Declare = Callable[[bide.App], Any]


class Base(orm.DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)

    def invoice(self) -> None: ...


@pytest.fixture
def session(app: bide.App, database_url: str) -> Iterator[orm.Session]:
    with an_engine(database_url) as engine:
        Base.metadata.create_all(engine)
        app.register(Order)
        with orm.Session(engine) as session:
            yield session


def names(app: bide.App) -> list[str]:
    return sorted(row.name for row in app.store.find(Filter()))


def test_a_flush_enqueues_for_the_records_that_it_wrote(
    app: bide.App, session: orm.Session
) -> None:
    @event.listens_for(session, "after_flush")
    def enqueue(session: orm.Session, context: Any) -> None:
        for record in session.new:
            bide.delay(record, session=session).invoice()

    session.add_all([Order(id=1), Order(id=2)])
    session.flush()
    session.rollback()
    assert names(app) == []
    session.add_all([Order(id=3), Order(id=4)])
    session.commit()
    assert names(app) == ["Order#invoice", "Order#invoice"]


def test_before_commit_is_inside_the_transaction(
    app: bide.App, session: orm.Session, note: Declare
) -> None:
    job = note(app)

    @event.listens_for(session, "before_commit")
    def enqueue(session: orm.Session) -> None:
        job.using(session=session).delay("a")

    session.add(Order(id=1))
    with session.begin_nested():
        session.add(Order(id=2))
    session.commit()
    assert stored(app) != []
    assert session.scalars(sa.select(Order.id)).all() == [1, 2]


def test_after_commit_is_too_late_and_the_error_says_so(
    app: bide.App, session: orm.Session, note: Declare
) -> None:
    caught: list[bide.WrongConnection] = []
    job = note(app)

    @event.listens_for(session, "after_commit")
    def enqueue(session: orm.Session) -> None:
        try:
            job.using(session=session).delay("a")
        except bide.WrongConnection as error:
            caught.append(error)
        job.delay("without a session")

    session.add(Order(id=1))
    session.commit()
    assert "before_commit, not after_commit" in str(caught[0])
    assert len(stored(app)) == 1


def test_a_session_that_cannot_run_a_statement_is_refused(
    app: bide.App, session: orm.Session, note: Declare
) -> None:
    job = note(app)
    session.add_all([Order(id=1), Order(id=1)])
    with pytest.raises(sa.exc.SQLAlchemyError):
        session.flush()
    session.rollback()
    unbound = orm.Session()
    manual = orm.Session(session.get_bind(), autobegin=False)
    for on in (unbound, manual):
        with pytest.raises(bide.WrongConnection, match="can run no statement now"):
            job.using(session=on).delay("a")
    with manual.begin():
        job.using(session=manual).delay("a")
    assert len(stored(app)) == 1


def test_a_record_without_a_row_is_refused_naming_what_to_do(
    app: bide.App, session: orm.Session
) -> None:
    """DJ-065, DJ-066."""
    order = Order(id=1)
    with pytest.raises(bide.UnsavedRecord, match="no row yet; add it to a session and flush it"):
        bide.delay(order, session=session).invoice()
    session.add(order)
    session.flush()
    bide.delay(order, session=session).invoice()
    session.delete(order)
    with pytest.raises(bide.UnsavedRecord, match="is deleted"):
        bide.delay(order, session=session).invoice()
    session.rollback()
    assert stored(app) == []


def test_a_session_in_somebody_elses_transaction_leaves_it_to_them(
    app: bide.App, session: orm.Session, note: Declare
) -> None:
    """As test suites do: the session commits, and the connection below rolls everything back."""
    with session.get_bind().connect() as connection:  # type: ignore[union-attr]
        outer = connection.begin()
        connection.execute(sa.insert(Order).values(id=1))  # SQLite's driver begins no sooner
        with orm.Session(connection, join_transaction_mode="create_savepoint") as inner:
            note(app).using(session=inner).delay("a")
            inner.commit()
        assert stored(app) == []
        outer.rollback()
    assert stored(app) == []
