"""Every supported type comes back equal and of its own type, annotated or not."""

from __future__ import annotations

import dataclasses
import enum
import math
import pathlib
import typing
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bide import errors
from bide.jobs.payload import Payloads
from bide.jobs.registry import Registry


class Colour(enum.Enum):
    RED = (255, 0, 0)
    GREEN = (0, 255, 0)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Word(enum.StrEnum):
    YES = "yes"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass(frozen=True)
class Address:
    street: str
    since: date | None = None


@dataclasses.dataclass(slots=True)
class Person:
    name: str
    homes: list[Address]
    level: Level = Level.LOW


class Point(msgspec.Struct):
    x: int
    y: Decimal = Decimal(0)


class Box(pydantic.BaseModel):
    size: int = pydantic.Field(alias="Size")
    made: datetime


class Pair(typing.NamedTuple):
    left: int
    right: str = "r"


class Options(typing.TypedDict, total=False):
    when: typing.Required[datetime]
    tags: set[str]


UserId = typing.NewType("UserId", int)


class SafeText(str):
    __slots__ = ()


def anything(value, *more, **others):
    return value


REGISTRY = Registry()
ANYTHING = REGISTRY.register_function(anything)
for cls in (Address, Person, Point, Box, Pair):
    REGISTRY.register_class(cls)
PAYLOADS = Payloads(REGISTRY)


def kept(value):
    return PAYLOADS.decode(PAYLOADS.encode(anything, [value]).payload).perform()


def trip(hint):
    """A trip through a job whose parameter has that annotation."""

    def job(value):
        return value

    job.__annotations__["value"] = hint
    registry = Registry()
    registry.register_function(job)
    payloads = Payloads(registry)
    return lambda value: payloads.decode(payloads.encode(job, [value]).payload).perform()


def annotated(hint, value):
    """The value after such a trip."""
    return trip(hint)(value)


def alike(left, right) -> bool:
    """Equal and of equal types, all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, dict):
        return len(left) == len(right) and all(map(alike, left.items(), right.items()))
    if isinstance(left, float):
        return math.copysign(1, left) == math.copysign(1, right) and left == right
    if isinstance(left, Decimal):
        return left.as_tuple() == right.as_tuple()
    return left == right


ZONES = st.sampled_from(
    [None, UTC, timezone(timedelta(hours=-3, minutes=-30)), ZoneInfo("Europe/Berlin")]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.binary(),
    st.binary().map(bytearray),
    st.decimals(),
    st.uuids(),
    st.dates(),
    st.datetimes(timezones=ZONES),
    st.times(),
    st.timedeltas(),
    st.complex_numbers(allow_nan=False, allow_infinity=False),
    st.sampled_from([*Colour, *Level, *Word, Rights.READ | Rights.WRITE, Rights(0)]),
    st.sampled_from([Colour, UTC, ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=2))]),
    st.sampled_from([pathlib.Path("a/b"), pathlib.PurePosixPath("/x")]),
    st.sampled_from([pathlib.PureWindowsPath("C:/x"), Address("Elm"), Point(1, Decimal("1.50"))]),
    st.builds(Person, st.text(), st.lists(st.builds(Address, st.text(), st.dates()))),
    st.builds(Pair, st.integers()),
    st.builds(lambda n, m: Box(Size=n, made=m), st.integers(), st.datetimes(timezones=ZONES)),
)
HASHABLE = st.one_of(st.integers(), st.text(), st.dates(), st.tuples(st.integers(), st.text()))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=4) | st.just("$bide"), inner, max_size=4),
        st.dictionaries(HASHABLE, inner, max_size=4),
        st.sets(HASHABLE, max_size=4),
        st.frozensets(HASHABLE, max_size=4),
    ),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_not_annotated_comes_back_as_it_was(value) -> None:
    """DJ-183, DJ-342."""
    assert alike(kept(value), value)


@given(
    st.text() | st.sampled_from(["--- !ruby/object {", "{[", "'", '{"$bide":', "!!python/x", "\0"])
)
def test_text_that_looks_like_syntax_is_text(text) -> None:
    """DJ-191."""
    assert kept(text) == text


HINTED = [
    (int, st.integers()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (str, st.text()),
    (bool, st.booleans()),
    (bytes, st.binary()),
    (datetime, st.datetimes(timezones=ZONES)),
    (date, st.dates()),
    (time, st.times()),
    (timedelta, st.timedeltas()),
    (Decimal, st.decimals()),
    (uuid.UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (Rights, st.just(Rights.READ | Rights.WRITE)),
    (pathlib.Path, st.just(pathlib.Path("x/y"))),
    (Address, st.builds(Address, st.text(), st.none() | st.dates())),
    (Person, st.builds(Person, st.text(), st.lists(st.builds(Address, st.text())))),
    (Point, st.builds(Point, st.integers(), st.decimals(allow_nan=False))),
    (Box, st.builds(lambda n, m: Box(Size=n, made=m), st.integers(), st.datetimes())),
    (Pair, st.builds(Pair, st.integers())),
    (Options, st.just({"when": datetime(2024, 1, 1, tzinfo=UTC), "tags": {"a"}})),
    (list[Address | Point], st.lists(st.builds(Address, st.text()) | st.builds(Point, st.just(1)))),
    (dict[int, Address], st.dictionaries(st.integers(), st.builds(Address, st.text()))),
    (dict[str, set[date]], st.dictionaries(st.text(), st.sets(st.dates()))),
    (tuple[int, str], st.tuples(st.integers(), st.text())),
    (tuple[date, ...], st.lists(st.dates()).map(tuple)),
    (frozenset[uuid.UUID], st.frozensets(st.uuids())),
    (str | datetime | None, st.none() | st.text() | st.datetimes()),
    (int | Decimal, st.integers() | st.decimals(allow_nan=False)),
    (typing.Literal["a", 1] | None, st.sampled_from(["a", 1, None])),
    (typing.Annotated[int, "seconds"], st.integers()),
    (UserId, st.integers()),
    (typing.Any, st.integers()),
    (object, st.dates()),
]


@pytest.mark.parametrize(("hint", "values"), HINTED, ids=lambda v: str(v)[:30])
def test_what_is_annotated_comes_back_as_its_annotation(hint, values) -> None:
    """DJ-183."""

    travel = trip(hint)

    @settings(max_examples=20)
    @given(values)
    def check(value) -> None:
        assert alike(travel(value), value)

    check()


@pytest.mark.parametrize(
    ("hint", "given_value", "back"),
    [
        (list[int], (1, 2), [1, 2]),
        (set[str], ["a"], {"a"}),
        (float, 1, 1.0),
        (datetime, "2024-01-02T03:04:05+00:00", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (Decimal, "1.50", Decimal("1.50")),
        (Address, {"street": "Elm", "since": "2024-01-02"}, Address("Elm", date(2024, 1, 2))),
        (list[Point], [{"x": 1, "y": "2.5"}], [Point(1, Decimal("2.5"))]),
        (Level, 2, Level.HIGH),
        (Pair | None, Pair(1), Pair(1)),
        (dict[int, str], {"1": "x"}, {1: "x"}),
        (Box, {"size": 1, "made": "2024-01-02T03:04:05Z"},
         Box(Size=1, made=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))),
    ],
)  # fmt: skip
def test_plain_data_becomes_what_the_annotation_says(hint, given_value, back) -> None:
    assert alike(annotated(hint, given_value), back)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, "1"),
        (int, 1.5),
        (str, 1),
        (bool, 1),
        (datetime, 5),
        (list[int], ["a"]),
        (tuple[int, str], (1,)),
        (dict[str, int], {"a": "b"}),
        (Address, {"since": None}),
        (typing.Literal["a"], "b"),
        (int | None, "x"),
        (Options, {"tags": set()}),
        (Level, 7),
    ],
)
def test_what_does_not_fit_the_annotation_is_refused_with_its_name(hint, value) -> None:
    with pytest.raises(errors.UnsupportedArgument, match=r"args\[0\]: .*annotation"):
        annotated(hint, value)


def test_an_argument_whose_default_is_none_may_be_none() -> None:
    def job(value: int = None) -> object:  # noqa: RUF013
        return value

    registry = Registry()
    registry.register_function(job)
    payloads = Payloads(registry)
    assert payloads.decode(payloads.encode(job, [None]).payload).perform() is None


def test_values_of_subclasses_of_scalars_travel_without_the_subclass() -> None:
    assert alike(kept(SafeText("<b>")), "<b>")


def test_classes_that_annotations_mention_need_no_declaration() -> None:
    person = Person("Ada", [Address("Elm", date(2024, 1, 2))], Level.HIGH)
    assert annotated(dict[str, list[Person | None]], {"a": [person]}) == {"a": [person]}
