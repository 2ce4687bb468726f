"""Calls of every kind, written to the payload column and brought back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from bide import errors
from bide.jobs.declare import Declaration
from bide.jobs.payload import MethodCall, Payloads
from bide.jobs.registry import Registry


def welcome(user_id: int, *, name: str = "you") -> str:
    return f"{user_id} {name}"


@dataclass
class Newsletter:
    text: str
    emails: list[str] = field(default_factory=list)

    def perform(self) -> str:
        return f"{self.text} to {self.emails}"


class Outer:
    class Inner:
        def __init__(self) -> None:
            self.seen = (1, 2)

        def perform(self) -> object:
            return self.seen


class Cleanup:
    @classmethod
    def perform(cls) -> str:
        return cls.__name__


class Labelled(Newsletter):
    display_name = "newsletter"


class Asked(Newsletter):
    def display_name(self) -> str:
        return f"newsletter {self.text}"


class Broken(Newsletter):
    @property
    def display_name(self) -> str:
        raise RuntimeError("no name today")


class Order:
    def __init__(self, number: int) -> None:
        self.number = number

    def invoice(self, gross: bool = False) -> str:
        return f"{self.number} {gross}"

    def _ship(self) -> str:
        return "shipped"

    @classmethod
    def count(cls, since: int) -> str:
        return f"{cls.__name__} {since}"

    @staticmethod
    def check(what: str) -> str:
        return what

    @property
    def paid(self) -> bool:
        return True


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.register_function(welcome)
    for cls in (Newsletter, Outer.Inner, Cleanup, Labelled, Asked, Broken):
        registry.register_class(cls)
    registry.register_delayable(Order)
    return registry


@pytest.fixture
def payloads(registry: Registry) -> Payloads:
    return Payloads(registry)


def there_and_back(payloads: Payloads, target, *args, **kwargs):
    return payloads.decode(payloads.encode(target, args, kwargs).payload)


def test_a_function_comes_back_with_its_arguments(payloads) -> None:
    stored = payloads.encode(welcome, (1,), {"name": "Ada"})
    assert stored.name == "welcome"
    assert json.loads(stored.payload) == {
        "v": 1,
        "job": f"{__name__}.welcome",
        "args": [1],
        "kwargs": {"name": "Ada"},
    }
    payload = payloads.decode(stored.payload)
    assert payload.perform() == "1 Ada"
    assert payload.object is None
    assert payload.declared.target is welcome


def test_a_job_object_comes_back_with_its_state(payloads) -> None:
    """DJ-188."""
    payload = there_and_back(payloads, Newsletter("hi", ["a@x"]))
    assert payload.object == Newsletter("hi", ["a@x"])
    assert payload.perform() == "hi to ['a@x']"


def test_a_nested_class_is_found_by_its_qualified_name(payloads) -> None:
    """DJ-016."""
    stored = payloads.encode(Outer.Inner())
    assert stored.name == "Outer.Inner"
    assert payloads.decode(stored.payload).perform() == (1, 2)


def test_a_class_with_perform_of_its_own_is_a_job(payloads) -> None:
    """DJ-543."""
    stored = payloads.encode(Cleanup)
    assert stored.name == "Cleanup"
    payload = payloads.decode(stored.payload)
    assert payload.object is Cleanup
    assert payload.perform() == "Cleanup"


@pytest.mark.parametrize(
    ("job", "name"),
    [
        (Newsletter("x"), "Newsletter"),
        (Labelled("x"), "newsletter"),
        (Asked("x\0\ud800"), "newsletter x?"),
        (Broken("x"), "Broken"),
    ],
)
def test_the_name_is_display_name_or_the_class(registry, job, name) -> None:
    """DJ-039, DJ-040, DJ-518, DJ-519."""
    from bide.jobs.names import name_of_object, storable

    assert storable(name_of_object(job, registry.declared(type(job)))) == name


@pytest.mark.parametrize(
    ("target", "method", "args", "name", "result"),
    [
        (Order(7), "invoice", {"gross": True}, "Order#invoice", "7 True"),
        (Order(7), "_ship", {}, "Order#_ship", "shipped"),
        (Order, "count", {"since": 3}, "Order.count", "Order 3"),
        (Order, "check", {"what": "x"}, "Order.check", "x"),
        (None, "anything", {}, "NoneType#anything", None),
    ],
)
def test_a_method_comes_back_bound_to_its_target(
    payloads, target, method, args, name, result
) -> None:
    """DJ-041, DJ-161, DJ-162, DJ-164, DJ-165, DJ-166, DJ-338."""
    stored = payloads.encode(MethodCall(target, method), (), args)
    assert stored.name == name
    assert payloads.decode(stored.payload).perform() == result


@pytest.mark.parametrize("method", ["nothing", "__init__", "__class__", "mro"])
def test_a_method_that_is_none_cannot_be_delayed(payloads, method) -> None:
    """DJ-163."""
    with pytest.raises(AttributeError, match=method):
        payloads.encode(MethodCall(Order(1), method))


def test_positional_and_keyword_arguments_stay_apart(payloads) -> None:
    """DJ-333, DJ-545."""
    with pytest.raises(errors.EnqueueError, match=r"welcome\(user_id.*missing.*'user_id'"):
        payloads.encode(welcome, (), {"name": "x"})
    with pytest.raises(errors.EnqueueError, match="too many positional"):
        payloads.encode(welcome, (1, "x"))


def test_a_payload_without_kwargs_still_runs(payloads) -> None:
    """DJ-335."""
    text = json.dumps({"v": 1, "job": f"{__name__}.welcome", "args": [3]})
    assert payloads.decode(text).perform() == "3 you"


@pytest.mark.parametrize(
    "text",
    [
        '{"v":1,"job":"NAME","args":[7],"kwargs":{}}',
        ' {"v":1,"job":"NAME","args":[7],"kwargs":{}}',
        '{"job":"NAME","v":1,"kwargs":{},"args":[7]}',
        '{"v":1,"job":"NAME","args":[7],"kwargs":{},"by":"hand"}',
        '{"v":1,"job":"NAME","kwargs":{},"args":[7]}',
        '{"v":1,"job":"NAME","args":[],"kwargs":{"user_id":7}}',
        '{"v":1,"job":"NAME","args":[7]}',
    ],
)
def test_however_a_call_is_written_it_is_the_same_call(registry, payloads, text) -> None:
    declared = registry.declared(welcome)
    found = payloads.decode(text.replace("NAME", declared.name))
    assert (found.call, found.perform(), found.declared) == (welcome, "7 you", declared)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"v":1,"job":"NAME","args":[7],"kwargs":{}', errors.MalformedPayload),
        ('{"v":1,"job":"NAME","args":7,"kwargs":{}}', errors.MalformedPayload),
        ('{"v":1,"job":7,"args":[7],"kwargs":{}}', errors.MalformedPayload),
        ('{"v":1,"job":"nowhere","args":[7],"kwargs":{}}', errors.UnknownJob),
        ('{"v":1,"job":"NAME","args":[7],"kwargs":{},"v":2}', errors.UnknownJob),
        ('{"v":1,"job":"NAME","args":["seven"],"kwargs":{}}', errors.IncompatibleJob),
        ('{"v":1,"job":"NAME","args":' + "[" * 99999, errors.MalformedPayload),
    ],
)
def test_a_call_that_is_none_is_refused_as_any_payload(registry, payloads, text, error) -> None:
    with pytest.raises(error):
        payloads.decode(text.replace("NAME", registry.declared(welcome).name))


def test_what_its_declaration_asks_for_keeps_a_function_from_being_silent() -> None:
    registry = Registry()
    payloads = Payloads(registry)
    for options, silent in (
        ({}, True),
        ({"queue": "mail", "max_attempts": 3}, True),
        ({"max_run_time": 3}, False),
        ({"keep_result": 60}, False),
    ):

        def work(number: int) -> None: ...

        registry.register_function(work, name="work", options=Declaration.from_options(options))
        assert payloads.decode(payloads.encode(work, [1]).payload).silent is silent


def test_a_function_that_is_imported_for_the_call_is_not_silent_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit of a silent one counts from before it is brought back, and an import may take long."""
    registry = Registry(["late"])

    def imported(_module: str) -> None:
        registry.register_function(welcome, name="late.welcome")

    monkeypatch.setattr("bide.jobs.registry.importlib.import_module", imported)
    payloads, text = Payloads(registry), '{"v":1,"job":"late.welcome","args":[1],"kwargs":{}}'
    assert [payloads.decode(text).silent for _ in range(2)] == [False, True]


def test_stored_state_that_the_class_does_not_know_is_ignored(payloads) -> None:
    """DJ-340."""
    state = {"text": "x", "colour": "red"}
    text = json.dumps({"v": 1, "object": f"{__name__}.Newsletter", "state": state})
    assert payloads.decode(text).object == Newsletter("x")
