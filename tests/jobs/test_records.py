"""Records travel by class and primary key, and the job sees the row as it is then."""

from __future__ import annotations

import json
import uuid
import warnings
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from bide import errors
from bide.jobs.payload import MethodCall, Payloads
from bide.jobs.records import Records, SQLAlchemyRecords
from bide.jobs.registry import Registry


class Base(orm.DeclarativeBase):
    pass


class Story(Base):
    __tablename__ = "stories"
    story_id: orm.Mapped[int] = orm.mapped_column("id", primary_key=True)
    text: orm.Mapped[str]
    deleted: orm.Mapped[bool] = orm.mapped_column(default=False)

    def tell(self, times: int = 1) -> str:
        return self.text * times

    @classmethod
    def count(cls) -> str:
        return cls.__tablename__

    def __repr__(self) -> str:
        return f"Story({self.text!r})"


class Line(Base):
    __tablename__ = "lines"
    order: orm.Mapped[uuid.UUID] = orm.mapped_column(primary_key=True)
    number: orm.Mapped[int] = orm.mapped_column(primary_key=True)


class Animal(Base):
    __tablename__ = "animals"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    kind: orm.Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}  # noqa: RUF012


class Dog(Animal):
    __tablename__ = "dogs"
    id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("animals.id"), primary_key=True)
    barks: orm.Mapped[bool]
    __mapper_args__ = {"polymorphic_identity": "dog"}  # noqa: RUF012


class Word(orm.MappedAsDataclass, Base):
    __tablename__ = "words"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    letters: orm.Mapped[str] = orm.mapped_column(default="")


def job(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def read(story: Story, others: list[Story] | None = None) -> str:
    return story.text


@dataclass
class Reading:
    story: Story
    by_name: dict[str, list[Story]]

    def perform(self) -> str:
        return self.story.text


@pytest.fixture
def session():
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        yield session
    engine.dispose()


class Filtered(orm.Session):
    """A session that shows no deleted stories, as soft deletion is done."""


@sa.event.listens_for(Filtered, "do_orm_execute")
def hide_deleted(state: orm.ORMExecuteState) -> None:
    if state.is_select:
        state.statement = state.statement.options(
            orm.with_loader_criteria(Story, Story.deleted.is_(False), include_aliases=True)
        )


@pytest.fixture
def payloads(session) -> Payloads:
    registry = Registry()
    registry.register_function(job)
    registry.register_function(read)
    registry.register_class(Reading)
    return Payloads(registry, Records([SQLAlchemyRecords(lambda: Filtered(session.bind))]))


def saved(session, record):
    session.add(record)
    session.commit()
    return record


def test_only_class_and_key_are_stored(payloads, session) -> None:
    """DJ-339, DJ-555."""
    story = saved(session, Story(text="once upon"))
    stored = payloads.encode(MethodCall(story, "tell"), [2])
    assert stored.name == "Story#tell"
    assert json.loads(stored.payload)["of"] == {
        "$bide": "record",
        "class": f"{__name__}.Story",
        "key": [1],
    }


def test_the_row_is_seen_as_it_is_when_the_job_runs(payloads, session) -> None:
    """DJ-067."""
    story = saved(session, Story(text="a"))
    stored = payloads.encode(MethodCall(story, "tell"), [3])
    story.text = "b"
    session.commit()
    assert payloads.decode(stored.payload).perform() == "bbb"


def test_records_stand_anywhere_in_arguments_and_fields(payloads, session) -> None:
    """DJ-341."""
    story = saved(session, Story(text="a"))
    payload = payloads.decode(
        payloads.encode(job, [story, (1, {"x": [story]})], {"s": story}).payload
    )
    (first, (_, inside)), kwargs = payload.perform()
    assert isinstance(first, Story)
    assert first is inside["x"][0] is kwargs["s"]
    assert first is not story
    back = payloads.decode(payloads.encode(Reading(story, {"x": [story]})).payload)
    assert back.object.by_name["x"][0].text == back.perform() == "a"
    assert payloads.decode(payloads.encode(read, [story, [story]]).payload).perform() == "a"


def test_classes_of_records_have_methods_to_delay(payloads) -> None:
    stored = payloads.encode(MethodCall(Story, "count"))
    assert stored.name == "Story.count"
    assert payloads.decode(stored.payload).perform() == "stories"


def test_keys_of_several_columns_and_of_other_types_survive(payloads, session) -> None:
    """DJ-101."""
    line = saved(session, Line(order=uuid.uuid4(), number=3))
    (back,), _ = payloads.decode(payloads.encode(job, [line]).payload).perform()
    assert (back.order, back.number) == (line.order, 3)


def test_a_record_of_a_joined_subclass_comes_back_whole(payloads, session) -> None:
    dog = saved(session, Dog(barks=True))
    for asked in (dog, session.get(Animal, dog.id)):
        (back,), _ = payloads.decode(payloads.encode(job, [asked]).payload).perform()
        assert type(back) is Dog
        assert back.barks is True


def test_a_record_that_is_a_dataclass_is_still_a_record(payloads, session) -> None:
    word = saved(session, Word(id=5, letters="x"))
    text = payloads.encode(job, [word]).payload
    assert "letters" not in text
    assert payloads.decode(text).args[0].letters == "x"


def test_default_filters_hide_no_record(payloads, session) -> None:
    """DJ-102, DJ-554."""
    story = saved(session, Story(text="gone soft", deleted=True))
    with Filtered(session.bind) as filtered:
        assert filtered.get(Story, story.story_id) is None
    payload = payloads.decode(payloads.encode(read, [story]).payload)
    assert payload.perform() == "gone soft"


def test_a_record_that_is_gone_is_named(payloads, session) -> None:
    """DJ-068."""
    story = saved(session, Story(text="a"))
    stored = payloads.encode(MethodCall(story, "tell"))
    session.delete(story)
    session.commit()
    with pytest.raises(errors.RecordNotFound, match="Story with primary key 1"):
        payloads.decode(stored.payload)


def test_a_record_without_a_row_is_refused(payloads, session) -> None:
    """DJ-065, DJ-336, DJ-552."""
    new = Story(text="new")
    with pytest.raises(
        errors.UnsavedRecord, match=r"Story#tell.*the target: Story\('new'\).*flush"
    ):
        payloads.encode(MethodCall(new, "tell"))
    session.add(new)
    with pytest.raises(errors.UnsavedRecord, match=r"job.*args\[0\]\['x'\]: Story\('new'\)"):
        payloads.encode(job, [{"x": new}])
    session.flush()
    assert payloads.encode(job, [new])


@pytest.mark.parametrize("moment", ["marked", "flushed", "committed"])
def test_a_deleted_record_is_refused(payloads, session, moment) -> None:
    """DJ-066."""
    story = saved(session, Story(text="old"))
    session.delete(story)
    if moment != "marked":
        session.flush()
    if moment == "committed":
        session.commit()
    with pytest.raises(errors.UnsavedRecord, match=r"deleted|no row"):
        payloads.encode(MethodCall(story, "tell"))


def test_changes_that_nobody_will_save_are_warned_of(payloads, session) -> None:
    """DJ-551."""
    story = saved(session, Story(text="a"))
    session.refresh(story)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        story.text = "b"
        payloads.encode(MethodCall(story, "tell"))
    session.expunge(story)
    with pytest.warns(RuntimeWarning, match="changes to text are not saved"):
        payloads.encode(MethodCall(story, "tell"))


def test_closing_a_payload_gives_the_connection_back(session) -> None:
    closed = []

    class Watched(orm.Session):
        def close(self) -> None:
            closed.append(self)
            super().close()

    registry = Registry()
    registry.register_function(read)
    payloads = Payloads(registry, Records([SQLAlchemyRecords(lambda: Watched(session.bind))]))
    text = payloads.encode(read, [saved(session, Story(text="a"))]).payload
    payload = payloads.decode(text)
    assert payload.perform() == "a"
    assert not closed
    payload.close()
    assert len(closed) == 1
    with pytest.raises(errors.RecordNotFound):
        payloads.decode(text.replace('"key":[1]', '"key":[99]'))
    assert len(closed) == 2


@pytest.mark.parametrize(
    "reference",
    [
        {"key": [1, 2]},
        {"key": []},
        {"key": [[1]]},
        {"key": 1},
        {"key": [1], "database": 5},
        {"class": 5},
        {"class": f"{__name__}.Reading"},
        {"class": "sqlalchemy.orm.Session"},
    ],
)
def test_a_forged_reference_is_no_record(payloads, reference) -> None:
    record = {"$bide": "record", "class": f"{__name__}.Story", "key": [1], **reference}
    text = json.dumps({"v": 1, "job": f"{__name__}.job", "args": [record]})
    with pytest.raises(errors.DeserializationError):
        payloads.decode(text)


@pytest.mark.parametrize(
    "method", ["text", "metadata", "registry", "__init__", "query", "__table__"]
)
def test_attributes_of_records_are_no_methods(payloads, session, method) -> None:
    story = saved(session, Story(text="a"))
    of = json.loads(payloads.encode(MethodCall(story, "tell")).payload)["of"]
    text = json.dumps({"v": 1, "method": method, "of": of})
    with pytest.raises(errors.IncompatibleJob, match=method):
        payloads.decode(text)
