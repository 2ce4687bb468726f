"""What cannot come back is refused before it is stored, by job, argument and remedy."""

from __future__ import annotations

import collections
import io
import socket
import sys
import threading
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bide import errors
from bide.jobs.payload import MethodCall, Payloads
from bide.jobs.registry import Registry


def work(*args, **kwargs) -> None:
    """A job that takes anything."""


@dataclass
class Holder:
    items: list

    def perform(self) -> None: ...


@dataclass
class Stranger:
    x: int = 1

    def perform(self) -> None: ...

    def ship(self) -> None: ...


@pytest.fixture
def payloads() -> Payloads:
    registry = Registry()
    registry.register_function(work)
    registry.register_class(Holder)
    return Payloads(registry, max_size=10_000)


def ouroboros() -> list:
    itself: list = []
    itself.append(itself)
    return itself


def refusal(payloads: Payloads, target, *args, **kwargs) -> errors.EnqueueError:
    with pytest.raises(errors.EnqueueError) as caught:
        payloads.encode(target, args, kwargs)
    return caught.value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (lambda: 1, "is code; pass its name"),
        (len, "is code"),
        ("".join, "is code"),
        (io.StringIO(), "open file; pass its path"),
        ((n for n in ()), "pass its values as a list"),
        (sys, "is a module"),
        (memoryview(b"x"), "pass bytes"),
        (threading.Lock(), "never declared"),
        (object(), "never declared"),
        (Stranger(), "declare it with app.register"),
        (Stranger, "declare it with app.register"),
        (float("nan"), "no place in JSON; pass None"),
        (float("-inf"), "no place in JSON"),
        (complex("nan"), "no place in JSON"),
        ("\ud800", "half a character"),
        (collections.OrderedDict(a=1), r"pass dict\("),
        (collections.deque([1]), "never declared"),
        (collections.Counter("a"), r"pass dict\("),
        (time(1, tzinfo=ZoneInfo("Europe/Berlin")), "nothing without its day"),
        (ouroboros(), "contains itself"),
    ],
)
def test_a_value_that_cannot_come_back_is_refused(payloads, value, reason) -> None:
    """DJ-553, DJ-544."""
    error = refusal(payloads, work, 1, value)
    assert isinstance(error, errors.UnsupportedArgument)
    assert error.path.startswith("args[1]")
    with pytest.raises(type(error), match=rf"^work cannot be enqueued: args\[1\].*{reason}"):
        raise error


def test_a_socket_is_refused(payloads) -> None:
    """DJ-553."""
    with socket.socket() as unconnected:
        assert "socket" in str(refusal(payloads, work, unconnected))


@pytest.mark.parametrize(
    ("args", "kwargs", "path"),
    [
        ([{"items": [1, 2, object()]}], {}, "args[0]['items'][2]"),
        ([], {"order": (1, {3: object()})}, "order[1][3]"),
        ([Holder([1, {object()}])], {}, "args[0].items[1][0]"),
        ([{object(): 1}], {}, None),
        ([{"a\ud800": 1}], {}, "args[0]"),
    ],
)
def test_the_refusal_says_where_the_value_stands(payloads, args, kwargs, path) -> None:
    error = refusal(payloads, work, *args, **kwargs)
    assert path is None or (error.path == path and path in str(error))


def test_a_field_of_a_job_object_is_named(payloads) -> None:
    assert refusal(payloads, Holder([object()])).path == "items[0]"
    assert refusal(payloads, Holder({"no": "list"})).path == "items"


def test_a_payload_over_the_limit_is_refused_with_both_sizes(payloads) -> None:
    """DJ-522."""
    error = refusal(payloads, work, "x" * 10_000)
    assert isinstance(error, errors.PayloadTooLarge)
    assert "10,0" in str(error)
    assert "max_payload_size is 10,000" in str(error)


def test_a_payload_just_under_the_limit_is_stored(payloads) -> None:
    """DJ-051."""
    length = len(payloads.encode(work).payload) + 2
    assert payloads.encode(work, ["x" * (10_000 - length)]).payload


@pytest.mark.parametrize("value", [object(), 1, None, "text", Stranger])
def test_what_has_no_perform_is_no_job(payloads, value) -> None:
    """DJ-004, DJ-011."""
    assert isinstance(refusal(payloads, value), errors.NotAJob)


def test_what_was_never_declared_is_no_job(payloads) -> None:
    assert "@app.job" in str(refusal(payloads, Stranger()))
    assert "@app.job" in str(refusal(payloads, refusal))
    assert "@app.delayable" in str(refusal(payloads, MethodCall(Stranger(), "ship")))


def test_a_lambda_cannot_be_declared() -> None:
    with pytest.raises(errors.NotAJob, match="lambda"):
        Registry().register_function(lambda: 1)


def test_numbers_of_any_size_that_python_prints_are_stored(payloads) -> None:
    back = payloads.decode(payloads.encode(work, [2**300, Decimal("NaN")]).payload)
    assert back.args[0] == 2**300
    assert back.args[1].is_nan()
    assert "too many digits" in str(refusal(payloads, work, 10**5000))
