"""Records as arguments and targets, enqueued in one transaction and performed by a worker elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event, orm

import bide
from lending import an_engine

DAY = dt.date(2026, 1, 2)


class Base(orm.DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    number: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    text: orm.Mapped[str] = orm.mapped_column(sa.String(50))
    hidden: orm.Mapped[bool] = orm.mapped_column(default=False)

    def tell(self, heard: str) -> None:
        HEARD.append(f"{heard} {self.text}")


class Price(Base):
    __tablename__ = "prices"
    product: orm.Mapped[str] = orm.mapped_column(sa.String(20), primary_key=True)
    day: orm.Mapped[dt.date] = orm.mapped_column(primary_key=True)
    cents: orm.Mapped[int]


HEARD: list[str] = []


@pytest.fixture(autouse=True)
def heard() -> list[str]:
    HEARD.clear()
    return HEARD


class Visible(orm.Session):
    """Sessions of an application that hides what was softly deleted."""


@event.listens_for(Visible, "do_orm_execute")
def hide(state: orm.ORMExecuteState) -> None:
    if state.is_select:
        shown = orm.with_loader_criteria(Order, Order.hidden.is_(False))
        state.statement = state.statement.options(shown)


@pytest.fixture(params=["sessions of the application", "sessions of Bide"])
def sessions(
    request: pytest.FixtureRequest, app: bide.App, database_url: str
) -> Iterator[orm.sessionmaker[Any]]:
    with an_engine(database_url) as engine:
        Base.metadata.create_all(engine)
        sessions = orm.sessionmaker(engine, class_=Visible)
        for record in (Order, Price):
            app.register(record)
        if request.param == "sessions of the application":
            app.sessions = sessions
        yield sessions


def test_a_job_sees_its_record_as_it_is_when_it_runs(
    app: bide.App, sessions: Any, heard: list[str]
) -> None:
    """DJ-067, DJ-101: enqueued in the transaction that wrote the record, changed afterwards."""

    @app.job
    def read(order: Order) -> None:
        heard.append(f"read {order.text}")

    with sessions() as session:
        order = Order(number=7, text="before")
        session.add(order)
        session.flush()
        read.using(session=session).delay(order)
        bide.delay(order, session=session).tell("told")
        session.commit()
        order.text = "after"
        session.commit()
    assert app.worker().work_off() == (2, 0)
    assert heard == ["read after", "told after"]


def test_a_payload_that_is_read_outside_of_its_attempt_holds_no_session(
    app: bide.App, sessions: Any
) -> None:
    """A page of jobs, or a callback behind the attempt, must not keep a connection until it is collected."""
    in_callbacks: list[tuple[str, bool]] = []

    @app.job(max_attempts=1)
    def fail(order: Order) -> None:
        raise ValueError(orm.object_session(order) is not None)

    def look(worker: Any, job: Any) -> None:
        record = job.reload().payload_object.args[0]
        in_callbacks.append((record.text, orm.object_session(record) is not None))

    app.lifecycle.after("failure", look)
    with sessions() as session:
        order = Order(number=7, text="before")
        session.add(order)
        session.flush()
        job = fail.using(session=session).delay(order)
        session.commit()
    record = app.find(job.id or 0).payload_object.args[0]
    assert (record.text, orm.object_session(record)) == ("before", None)
    assert app.worker().work_off() == (0, 1)
    assert (job.reload().last_error or "").startswith("True")
    assert in_callbacks == [("before", False)]


def test_a_default_filter_hides_no_record_from_its_job(
    app: bide.App, sessions: Any, heard: list[str]
) -> None:
    """DJ-102."""
    with sessions() as session:
        order = Order(number=7, text="softly deleted", hidden=True)
        session.add(order)
        session.flush()
        bide.delay(order, session=session).tell("told")
        session.commit()
        assert session.scalars(sa.select(Order)).all() == []
    assert app.worker().work_off() == (1, 0)
    assert heard == ["told softly deleted"]


def test_a_key_of_two_columns_finds_its_record(
    app: bide.App, sessions: Any, heard: list[str]
) -> None:
    """DJ-101."""

    @app.job
    def show(price: Price) -> None:
        heard.append(f"{price.product} {price.day} {price.cents}")

    with sessions() as session:
        price = Price(product="bread", day=DAY, cents=350)
        session.add_all([price, Price(product="bread", day=DAY.replace(day=3), cents=1)])
        session.flush()
        show.using(session=session).delay(price)
        session.commit()
    assert app.worker().work_off() == (1, 0)
    assert heard == ["bread 2026-01-02 350"]


def test_a_job_whose_record_is_gone_fails_at_once_and_is_kept_with_the_reason(
    app: bide.App, sessions: Any, heard: list[str]
) -> None:
    """DJ-068."""
    with sessions() as session:
        order = Order(number=7, text="short-lived")
        session.add(order)
        session.flush()
        job = bide.delay(order, session=session).tell("told")
        session.commit()
        session.delete(order)
        session.commit()
    assert app.worker().work_off() == (0, 1)
    assert heard == []
    assert job.reload().state == "failed"
    assert "Order with primary key 7 has no row any more" in (job.last_error or "")
    with pytest.raises(bide.DeserializationError, match="no row any more"):
        job.payload_object  # noqa: B018 - reading it is the test
