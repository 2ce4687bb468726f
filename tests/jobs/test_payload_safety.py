"""A row is not code: whatever the payload column holds, nothing undeclared is reached."""

from __future__ import annotations

import enum
import json
import sys
from dataclasses import dataclass
from typing import Self

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bide import errors
from bide.jobs.brought_back import Payload
from bide.jobs.payload import Payloads
from bide.jobs.registry import Registry
from bide.jobs.scalars import BY_TAG

HERE = __name__
TOUCHED: list[object] = []


class Colour(enum.Enum):
    RED = 1


class Undeclared:
    def __new__(cls, *args: object) -> Self:
        TOUCHED.append(args)
        return super().__new__(cls)

    def perform(self) -> None:
        TOUCHED.append(self)


@dataclass
class Declared:
    x: int = 1
    other: Colour | None = None

    def perform(self) -> None: ...

    def ship(self, fast: bool = False) -> None: ...

    @property
    def touched(self) -> None:
        TOUCHED.append(self)


def job(a: int = 0, *more: object, b: Declared | None = None, **others: object) -> None: ...


@pytest.fixture(autouse=True)
def nothing_touched():
    TOUCHED.clear()
    yield
    assert not TOUCHED


def make() -> Payloads:
    registry = Registry(["bide_no_such_module"])
    registry.register_function(job)
    registry.register_class(Declared)
    registry.register_delayable(Declared)
    return Payloads(registry)


PAYLOADS = make()
NAMES = st.sampled_from(
    [f"{HERE}.{n}" for n in ("job", "Declared", "Undeclared", "Colour", "TOUCHED", "json", "make")]
    + [
        "os.system",
        "subprocess.Popen",
        "builtins.eval",
        "builtins.object",
        "antigravity.x",
        "",
        ".",
    ]
    + ["bide_no_such_module.job", "a." * 500, "sys.modules", "bide.errors.WorkerStop", "enum.Enum"]
)
TAGS = st.sampled_from(
    [
        *BY_TAG,
        "dict",
        "tuple",
        "set",
        "frozenset",
        "object",
        "class",
        "enum",
        "flag",
        "record",
        "new",
    ]
)
KEYS = st.sampled_from(["$bide", "class", "value", "state", "key", "member", "database", "x", "b"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | NAMES
    | st.sampled_from(
        ["RED", "1e999999999", "9" * 4000, "../../etc/passwd", "__class__", "2024-01-01"]
    )
)


def tagged(inner):
    return st.fixed_dictionaries(
        {"$bide": TAGS | LEAVES},
        optional={
            "class": NAMES,
            "value": inner | st.lists(st.lists(inner, max_size=3), max_size=3),
            "state": st.dictionaries(KEYS, inner, max_size=3) | inner,
            "key": st.lists(inner, max_size=2) | inner,
            "member": inner,
        },
    )


TREES = st.recursive(
    LEAVES,
    lambda inner: (
        tagged(inner)
        | st.lists(inner, max_size=3)
        | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)
ENVELOPES = st.fixed_dictionaries(
    {"v": st.just(1) | LEAVES},
    optional={
        "job": NAMES | LEAVES,
        "object": NAMES | LEAVES,
        "class": NAMES,
        "method": st.sampled_from(["ship", "touched", "perform", "__init__", "__class__", "mro"]),
        "of": TREES,
        "args": st.lists(TREES, max_size=3) | TREES,
        "kwargs": st.dictionaries(KEYS, TREES, max_size=3) | TREES,
        "state": st.dictionaries(KEYS, TREES, max_size=3) | TREES,
    },
)


def read(text: str) -> None:
    """Either a call of something declared comes back, or a DeserializationError; nothing else."""
    before = set(sys.modules)
    try:
        payload = PAYLOADS.decode(text)
    except errors.DeserializationError:
        pass
    else:
        assert isinstance(payload, Payload)
        called = getattr(payload.call, "__func__", payload.call)
        owner = getattr(called, "__qualname__", "").split(".")[0]
        assert called is job or owner in {"Declared", "_do_nothing"}
    new = {
        name for name in set(sys.modules) - before if not name.startswith(("encodings", "tzdata"))
    }
    assert not new


@settings(max_examples=400)
@given(ENVELOPES)
@example(
    {"v": 1, "job": f"{HERE}.job", "args": [{"$bide": "class", "class": f"{HERE}.Undeclared"}]}
)
@example({"v": 1, "object": f"{HERE}.Undeclared", "state": {}})
@example(
    {
        "v": 1,
        "method": "touched",
        "of": {"$bide": "object", "class": f"{HERE}.Declared", "state": {}},
    }
)
@example(
    {
        "v": 1,
        "job": f"{HERE}.job",
        "kwargs": {"b": {"$bide": "object", "class": f"{HERE}.Colour", "state": {}}},
    }
)
def test_a_forged_envelope_reaches_nothing_undeclared(envelope) -> None:
    """DJ-027, DJ-028, DJ-029, DJ-518, DJ-520."""
    read(json.dumps(envelope))


@settings(max_examples=200)
@given(
    st.text()
    | st.recursive(LEAVES, lambda i: st.lists(i) | st.dictionaries(KEYS, i)).map(json.dumps)
)
@example("")
@example("7")
@example("null")
@example("[" * 100_000)
@example('{"v":1,"job":' * 5_000)
@example('{"v": 1, "job": "x", "args": [1e999]}')
@example("--- !ruby/object:Delayed::PerformableMethod\n")
@example("\ud800")
def test_any_text_at_all_is_read_or_refused(text) -> None:
    """DJ-030, DJ-520."""
    read(text)


def deep(levels: int, tag: str | None) -> str:
    tree: object = 1
    for _ in range(levels):
        tree = [tree] if tag is None else {"$bide": tag, "value": [tree]}
    return json.dumps({"v": 1, "job": f"{HERE}.job", "args": [1, tree]})


@pytest.mark.parametrize("tag", [None, "tuple", "frozenset"])
def test_nesting_is_bounded(tag) -> None:
    assert PAYLOADS.decode(deep(60, tag))
    with pytest.raises(errors.MalformedPayload):
        PAYLOADS.decode(deep(200, tag))


@pytest.mark.parametrize(
    ("envelope", "kind", "message"),
    [
        ({"v": 1, "job": "shop.tasks.gone"}, errors.UnknownJob, "shop.tasks.gone.*not declared"),
        ({"v": 1, "object": f"{HERE}.Undeclared"}, errors.UnknownJob, "not declared"),
        ({"v": 2, "job": f"{HERE}.job"}, errors.UnknownJob, "version 2"),
        ({"v": 1, "job": f"{HERE}.job", "args": ["x"]}, errors.IncompatibleJob, r"args\[0\]|int"),
        ({"v": 1, "job": f"{HERE}.job", "kwargs": {"a": 1, "b": 2}}, errors.IncompatibleJob, "Decl"),
        ({"v": 1, "object": f"{HERE}.Declared", "state": {"x": []}}, errors.IncompatibleJob, "int"),
        ({"v": 1, "job": f"{HERE}.job", "args": [{"$bide": "new"}]}, errors.UnknownJob, "'new'"),
        ({"v": 1, "method": "gone", "of": {"$bide": "class", "class": f"{HERE}.Declared"}},
         errors.IncompatibleJob, "gone"),
        ({"v": 1}, errors.MalformedPayload, "names no job"),
        ({"job": "x"}, errors.MalformedPayload, "not a payload of Bide"),
        ({"v": 1, "job": 7}, errors.MalformedPayload, "'job'"),
    ],
)  # fmt: skip
def test_deploy_skew_is_told_apart_from_broken_rows(envelope, kind, message) -> None:
    """DJ-027, DJ-028, DJ-029, DJ-030."""
    with pytest.raises(errors.DeserializationError, match=message) as caught:
        PAYLOADS.decode(json.dumps(envelope))
    assert caught.type is kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"$bide": "class", "class": f"{HERE}.Undeclared"}, errors.UnknownJob),
        ({"$bide": "class", "class": "subprocess.Popen"}, errors.UnknownJob),
        ({"$bide": "object", "class": f"{HERE}.Undeclared", "state": {}}, errors.UnknownJob),
        ({"$bide": "object", "class": f"{HERE}.Colour", "state": {}}, errors.MalformedPayload),
        ({"$bide": "enum", "class": f"{HERE}.Declared", "member": "RED"}, errors.MalformedPayload),
        ({"$bide": "record", "class": f"{HERE}.Declared", "key": [1]}, errors.MalformedPayload),
        ({"$bide": "zone", "value": "../../etc/passwd"}, errors.MalformedPayload),
    ],
)
def test_a_value_of_an_undeclared_class_is_refused(value, kind) -> None:
    with pytest.raises(kind):
        PAYLOADS.decode(json.dumps({"v": 1, "job": f"{HERE}.job", "args": [1, value]}))
