"""Owned: one value per process, made on first use, forgotten in a child."""

from __future__ import annotations

import os
import threading

import pytest

from bide import events
from bide.forks.owned import Owned, forget_everything_inherited
from in_child import finish, in_child, start


class Wire:
    """A connection that remembers who made it and who closed it."""

    def __init__(self) -> None:
        self.maker = os.getpid()
        self.forgotten_by: list[int] = []


def test_the_value_is_made_on_first_use_and_once() -> None:
    made: list[Wire] = []

    def make() -> Wire:
        made.append(Wire())
        return made[-1]

    owned = Owned(make)
    assert made == []
    assert owned.get() is owned.get()
    assert len(made) == 1


def test_threads_of_one_process_share_one_value() -> None:
    barrier = threading.Barrier(8)
    owned = Owned(Wire)
    seen: list[int] = []

    def ask() -> None:
        barrier.wait()
        seen.append(id(owned.get()))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1


def test_a_child_makes_its_own_and_the_parent_keeps_its_own() -> None:
    """DJ-095, DJ-096."""
    owned = Owned(Wire)
    mine = owned.get()
    maker = in_child(lambda: owned.get().maker)
    assert maker != os.getpid()
    assert owned.get() is mine


def test_a_child_forgets_the_inherited_value_exactly_once_and_before_it_makes_its_own() -> None:
    story: list[str] = []
    owned = Owned(lambda: story.append("made") or Wire(), forget=lambda _: story.append("forgot"))
    owned.get()

    def child() -> list[str]:
        owned.get()
        owned.get()
        return story

    assert in_child(child) == ["made", "forgot", "made"]
    assert story == ["made"]


def test_a_grandchild_forgets_too() -> None:
    owned = Owned(Wire)
    owned.get()
    assert in_child(lambda: in_child(lambda: owned.get().maker) != owned.get().maker)


def test_a_value_that_nobody_had_made_is_not_forgotten() -> None:
    forgotten: list[Wire] = []
    owned = Owned(Wire, forget=forgotten.append)
    assert in_child(lambda: (owned.get(), len(forgotten))[1]) == 0


def test_everything_inherited_can_be_forgotten_at_once() -> None:
    forgotten: list[Wire] = []
    owned = [Owned(Wire, forget=forgotten.append) for _ in range(3)]
    for each in owned:
        each.get()

    def child() -> int:
        forget_everything_inherited()
        return len(forgotten)

    assert in_child(child) == 3
    forget_everything_inherited()
    assert forgotten == []


def test_a_forget_that_fails_is_told_and_the_child_makes_its_own() -> None:
    def refuse(_: Wire) -> None:
        raise OSError("no")

    owned = Owned(Wire, forget=refuse)
    owned.get()

    def child() -> tuple[list[str], bool]:
        told: list[str] = []
        events.subscribe(lambda name, _: told.append(name))
        return told, owned.get().maker == os.getpid()

    assert in_child(child) == (["forks.forget_failed"], True)


def test_a_thread_that_is_making_the_value_at_the_fork_does_not_lock_the_child_out() -> None:
    parent, entered, leave = os.getpid(), threading.Event(), threading.Event()

    def make() -> Wire:
        if os.getpid() == parent:
            entered.set()
            assert leave.wait(20)
        return Wire()

    owned = Owned(make)
    thread = threading.Thread(target=owned.get)
    thread.start()
    assert entered.wait(20)
    child = start(lambda: owned.get().maker)
    try:
        assert finish(*child, within=20) == child[0]
    finally:
        leave.set()
        thread.join()


def test_an_inherited_value_is_never_finalised_in_the_child() -> None:
    parent = os.getpid()
    reading, writing = os.pipe()

    class Speaking:
        def __del__(self) -> None:
            if os.getpid() != parent:
                os.write(writing, b"goodbye")

    owned = Owned(Speaking)
    owned.get()

    def child() -> None:
        owned.get()
        owned.reset()

    in_child(child)
    os.close(writing)
    said = os.read(reading, 100)
    os.close(reading)
    assert said == b"goodbye", "once, by the child's own value; twice were the inherited one too"


def test_reset_hands_the_value_out_for_closing_and_the_next_get_makes_a_new_one() -> None:
    owned = Owned(Wire)
    assert owned.reset() is None
    first = owned.get()
    assert owned.reset() is first
    assert owned.get() is not first


def test_reset_never_hands_out_an_inherited_value() -> None:
    owned = Owned(Wire)
    owned.get()
    assert in_child(owned.reset) is None


def test_replace_puts_a_value_and_hands_the_former_out() -> None:
    owned = Owned(Wire)
    mine, other = Wire(), Wire()
    assert owned.replace(mine) is None
    assert owned.replace(other) is mine
    assert owned.get() is other


def test_forget_gives_the_own_value_up_through_the_callable() -> None:
    forgotten: list[Wire] = []
    owned = Owned(Wire, forget=forgotten.append)
    first = owned.get()
    owned.forget()
    assert forgotten == [first]
    assert owned.get() is not first


def test_a_make_that_fails_is_tried_again() -> None:
    answers = iter([OSError("down"), Wire()])

    def make() -> Wire:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    owned = Owned(make)
    with pytest.raises(OSError, match="down"):
        owned.get()
    assert isinstance(owned.get(), Wire)
