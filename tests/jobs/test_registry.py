"""Names in payloads find what is declared, also after a renaming, also in modules not yet loaded."""

from __future__ import annotations

import json
import sys
import types

import pytest

from bide import errors
from bide.jobs.payload import Payloads
from bide.jobs.registry import Registry


def greet(name: str = "you") -> str:
    return f"hello {name}"


class Letter:
    def perform(self) -> str:
        return "sent"


def other() -> None: ...


def stored(**envelope: object) -> str:
    return json.dumps({"v": 1, **envelope})


def test_a_renamed_function_or_class_is_found_by_its_earlier_name() -> None:
    """DJ-184, DJ-185."""
    registry = Registry()
    registry.register_function(greet, aliases=["shop.tasks.welcome"])
    registry.register_class(Letter, aliases=["shop.jobs.Note"])
    payloads = Payloads(registry)
    assert payloads.decode(stored(job="shop.tasks.welcome", args=["Ada"])).perform() == "hello Ada"
    assert payloads.decode(stored(object="shop.jobs.Note", state={})).perform() == "sent"


def test_a_name_given_stands_in_payload_and_label() -> None:
    registry = Registry()
    registry.register_function(greet, name="hello")
    encoded = Payloads(registry).encode(greet)
    assert encoded.name == "hello"
    assert json.loads(encoded.payload)["job"] == "hello"


def test_two_things_cannot_have_one_name() -> None:
    registry = Registry()
    registry.register_function(greet, name="hello")
    registry.register_function(greet, name="hello")
    with pytest.raises(errors.SettingsError, match=r"two jobs are named 'hello'.*other"):
        registry.register_function(other, name="hello")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A module that declares a job and a class in the registry it finds in `sys.modules`."""
    holder = types.ModuleType("bide_test_holder")
    holder.registry = Registry(["bide_test_shop", "bide_test_broken"])
    monkeypatch.setitem(sys.modules, "bide_test_holder", holder)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bide_test_broken.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "bide_test_unlisted.py").write_text("raise AssertionError\n")
    (tmp_path / "bide_test_shop.py").write_text(
        "from bide_test_holder import registry\n"
        "def pack(): return 'packed'\n"
        "class Parcel:\n"
        "    def perform(self): return 'posted'\n"
        "registry.register_function(pack)\n"
        "registry.register_class(Parcel)\n"
    )
    yield Payloads(holder.registry)
    sys.modules.pop("bide_test_shop", None)


def test_a_listed_module_is_imported_when_a_payload_names_something_in_it(shop) -> None:
    """DJ-186, DJ-190."""
    assert shop.decode(stored(object="bide_test_shop.Parcel", state={})).perform() == "posted"
    assert shop.decode(stored(job="bide_test_shop.pack")).perform() == "packed"


def test_a_module_that_is_not_listed_is_never_imported(shop) -> None:
    with pytest.raises(errors.UnknownJob, match="not declared in this process"):
        shop.decode(stored(job="bide_test_unlisted.job"))
    assert "bide_test_unlisted" not in sys.modules


def test_a_module_that_cannot_be_imported_now_leaves_the_job_for_later(shop) -> None:
    with pytest.raises(errors.UnknownJob, match=r"importing bide_test_broken raised SystemExit"):
        shop.decode(stored(job="bide_test_broken.job"))
