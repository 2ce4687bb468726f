"""What assertions about stored jobs say when they fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

import bide
from bide.testing import assert_enqueued, assert_not_enqueued, enqueued
from lending import an_engine


class Base(orm.DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "testing_orders"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)


@pytest.fixture
def welcome(app: bide.App) -> Any:
    @app.job(name="welcome", queue="mail")
    def welcome(*args: Any, **kwargs: Any) -> None: ...

    return welcome


def said(*args: Any, **options: Any) -> list[str]:
    with pytest.raises(AssertionError) as failed:
        assert_enqueued(*args, **options)
    return str(failed.value).splitlines()


def test_each_stored_job_says_in_what_it_differs(app: bide.App, welcome: Any) -> None:
    job = welcome.using(priority=5).delay(1, "Ada", gross=True)
    lines = said(welcome, args=[1, "Bob"], kwargs={"net": 1}, queue="slow", priority=5)
    wanted = "welcome.<locals>.welcome(1, 'Bob', net=1) queue='slow' priority=5"
    assert lines == [
        f"at least one of {wanted} wanted, 0 found. Stored are:",
        f"  {job.id}: welcome(1, 'Ada', gross=True) queue='mail' priority=5",
        "      queue: wanted 'slow', is 'mail'",
        "      argument 2: wanted 'Bob', is 'Ada'",
        "      gross: wanted absent, is True",
        "      net: wanted 1, is absent",
    ]


def test_missing_and_additional_arguments_are_named(app: bide.App, welcome: Any) -> None:
    welcome.delay(1)
    assert said(welcome, args=[1, 2])[2:] == ["      argument 2: wanted 2, is absent"]
    assert said(welcome, args=[])[2:] == ["      argument 1: wanted absent, is 1"]


def test_jobs_of_other_names_are_listed_without_differences(app: bide.App, welcome: Any) -> None:
    app.job(len, name="other").delay("a")
    assert said(welcome)[1:] == ["  1: other('a') queue='default' priority=0"]


def test_nothing_stored_is_said_so(app: bide.App, welcome: Any) -> None:
    assert said(welcome, count=2) == [
        "2 of welcome.<locals>.welcome(...) wanted, 0 found. Nothing is stored."
    ]


def test_a_column_that_no_job_has_is_a_mistake_of_the_test(app: bide.App, welcome: Any) -> None:
    with pytest.raises(TypeError, match="a Job has no 'quue'; it has "):
        assert_not_enqueued(welcome, quue="mail")


def test_job_objects_are_compared_and_shown(app: bide.App) -> None:
    @app.job
    @dataclass
    class Letter:
        text: str

        def perform(self) -> None: ...

    app.enqueue(Letter("hi"))
    assert assert_enqueued(Letter("hi")).queue == "default"
    lines = said(Letter("ho"))
    assert "Letter(text='ho')" in lines[0]
    assert "Letter(text='hi')" in lines[1]


def test_records_are_equal_when_their_keys_are(app: bide.App, welcome: Any, tmp_path: Any) -> None:
    with an_engine(f"sqlite:///{tmp_path}/bide.db") as engine:
        Base.metadata.create_all(engine)
        app.register(Order)
        app.sessions = orm.sessionmaker(engine)
        with orm.Session(engine) as session:
            one, two = Order(id=1), Order(id=2)
            session.add_all([one, two])
            session.commit()
            welcome.delay(one)
            assert_enqueued(welcome, args=[session.get_one(Order, 1)])
            assert_not_enqueued(welcome, args=[two])
            assert_not_enqueued(welcome, args=[Order()])
            assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 2


def test_a_job_whose_function_is_gone_is_listed_all_the_same(app: bide.App, welcome: Any) -> None:
    welcome.delay(1)
    app.registry.functions.clear()
    lines = said(app.job(len, name="other"))
    assert "welcome (unloadable: " in lines[1]
    assert len(enqueued(app)) == 1
