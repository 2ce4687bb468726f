from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bide.db.turn import Turn
from bide.errors import DatabaseBusy
from in_child import fork, in_child
from waiting import wait_until


def test_a_turn_is_for_one_at_a_time_and_names_its_holder(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "jobs.db")

    def try_it() -> str:
        with pytest.raises(DatabaseBusy) as caught, turn.taken(0.05):
            pass
        return str(caught.value)

    with turn.taken(1):
        message = in_child(try_it)
    assert "within 0.05 s" in message
    assert f"process {os.getpid()} holds it" in message
    with turn.taken(0.05):
        pass


def test_the_turn_of_a_killed_process_is_free(tmp_path: Path) -> None:
    turn, taken = Turn(tmp_path / "jobs.db"), tmp_path / "taken"
    child = fork()
    if child == 0:
        with turn.taken(1):
            taken.touch()
            signal.pause()
    wait_until(taken.exists)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with turn.taken(1):
        pass


def test_a_child_does_not_keep_its_parents_turn(tmp_path: Path) -> None:
    """Even if the parent is killed in it, a child that was forked meanwhile holds nothing."""
    turn, told = Turn(tmp_path / "jobs.db"), tmp_path / "told"
    parent = fork()
    if parent == 0:
        with turn.taken(1):
            grandchild = fork()
            if grandchild == 0:
                told.write_text(str(os.getpid()))
            signal.pause()
    grandchild = int(wait_until(lambda: told.exists() and told.read_text()) or 0)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    try:
        with turn.taken(1):
            pass
    finally:
        os.kill(grandchild, signal.SIGKILL)
