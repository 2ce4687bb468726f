"""The walk over the heap before a fork: it finds what it must, and no thread notices."""

from __future__ import annotations

import gc
import sys
import threading
import time
from types import FrameType
from typing import Any

import pytest

from bide.forks import heap, known
from bide.forks.audit import audit


@pytest.fixture
def kind() -> type:
    """A class to look for, which no other test has instances of."""
    return type("Kind", (), {})


def test_instances_of_a_class_and_of_its_subclasses_are_found_also_frozen_ones(kind: type) -> None:
    heir = type("Heir", (kind,), {})
    kinds = [kind(), heir(), type("Late", (heir,), {})()]
    assert {id(each) for each in heap.instances_of([kind])} == {id(each) for each in kinds}
    gc.freeze()
    try:
        assert {id(each) for each in heap.instances_of([kind])} == {id(each) for each in kinds}
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
    assert heap.instances_of([]) == []


def test_while_any_line_of_python_runs_the_walk_holds_no_object_of_a_stranger(kind: type) -> None:
    """Threads change between lines, and the one that builds a tuple fails if its tuple is held."""
    stranger: tuple[Any, ...] = ([],)
    assert gc.is_tracked(stranger)
    held, seen = [], []

    def look(frame: FrameType, event: str, _: object) -> Any:
        frame.f_trace_opcodes = True
        seen.append(event)
        if sys.getrefcount(stranger) > usual:
            held.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            sys.settrace(None)
            return None
        return look

    kept, before = kind(), sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # heeded by 3.12 only where it is set before
    usual = sys.getrefcount(stranger)
    sys.settrace(look)
    try:
        known.find_living(sockets=True)
        found = heap.instances_of([kind])
    finally:
        sys.settrace(before)
    assert held == []
    assert "opcode" in seen
    assert found == [kept]


def test_threads_that_build_tuples_from_generators_do_not_fail_during_walks() -> None:
    failed: list[BaseException] = []
    building, enough = threading.Semaphore(0), threading.Event()

    def build() -> None:
        building.release()
        try:
            while not enough.is_set():
                tuple(number for number in range(60))
        except SystemError as error:
            failed.append(error)

    threads = [threading.Thread(target=build) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            assert building.acquire(timeout=20)
        deadline = time.monotonic() + 2
        for _ in range(30):
            known.find_living()
            if failed or time.monotonic() > deadline:
                break
    finally:
        enough.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
    assert failed == []


class Strange(type):
    """The type of classes that say when they are compared."""

    asked = 0

    def __eq__(cls, other: object) -> bool:
        Strange.asked += 1
        return cls is other

    def __hash__(cls) -> int:
        Strange.asked += 1
        return 1


class Unhashable(type):
    """The type of classes that cannot be in a set."""

    __hash__ = None  # type: ignore[assignment]


class Wakeful:
    """A proxy that notices whoever asks it for its class."""

    woken = 0

    def __getattribute__(self, name: str) -> Any:
        Wakeful.woken += 1
        return object.__getattribute__(self, name)


def test_neither_an_object_nor_its_class_is_asked_anything(kind: type) -> None:
    strangers = [Strange("S", (), {})(), Unhashable("U", (), {})(), Wakeful()]
    assert all(gc.is_tracked(each) for each in strangers)
    asked, woken = Strange.asked, Wakeful.woken
    kept = kind()
    assert heap.instances_of([kind]) == [kept]
    assert (Strange.asked, Wakeful.woken) == (asked, woken)


def test_the_collector_rests_during_the_walk_of_an_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Python 3.11 it may run, with finalisers, within a call of C."""
    find, collecting = known.find_living, []

    def watched(**options: Any) -> known.Living:
        collecting.append(gc.isenabled())
        return find(**options)

    monkeypatch.setattr(known, "find_living", watched)
    assert gc.isenabled()
    audit()
    assert collecting == [False]
    assert gc.isenabled()
