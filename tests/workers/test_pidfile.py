"""Pid files: the lock says who runs, the number alone says nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bide.errors import AlreadyRunning, DaemonError
from bide.workers.pidfile import PidFile

HOLDER = """
import sys
from pathlib import Path
from bide.workers.children import first_in_children, fork_child
from bide.workers.pidfile import PidFile
file = PidFile(Path(sys.argv[1]))
file.take()
first_in_children(file.close)
child = fork_child(sys.stdin.read) if sys.argv[2:] else 0
print(child, flush=True)
sys.stdin.read()
file.let_go()
"""


@contextmanager
def holder(path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that holds the file until its input ends, and the child it has made."""
    command = [sys.executable, "-c", HOLDER, str(path), *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pids" / "bide.pid"


def test_its_owner_is_the_process_that_holds_it(path: Path) -> None:
    """DJ-227, DJ-561."""
    with holder(path) as (process, _):
        owner = PidFile(path).owner()
        assert owner is not None
        assert owner.pid == process.pid
        with pytest.raises(AlreadyRunning, match=f"process {process.pid} holds"):
            PidFile(path).take()


def test_it_is_removed_by_its_owner_at_the_end(path: Path) -> None:
    """DJ-560."""
    with holder(path) as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
    assert not path.exists()


def _killed(path: Path) -> None:
    with holder(path):
        pass


def _empty(path: Path) -> None:
    path.parent.mkdir()
    path.touch()


def _unrelated(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(f"{os.getpid()}\n")


def _garbage(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe pid\n")


@pytest.mark.parametrize("left", [_killed, _empty, _unrelated, _garbage])
def test_a_file_that_nobody_holds_means_that_nothing_runs(
    path: Path, left: Callable[[Path], None]
) -> None:
    """DJ-228, DJ-229, DJ-572, DJ-573."""
    left(path)
    assert PidFile(path).owner() is None
    mine = PidFile(path)
    mine.take()
    owner = PidFile(path).owner()
    assert owner is not None
    assert owner.pid == os.getpid()
    mine.let_go()
    assert not path.exists()


def test_a_lock_held_by_another_process_than_the_named_one_is_an_error(path: Path) -> None:
    """DJ-572."""
    with holder(path):
        path.write_text(f"{os.getpid()}\n1\n")
        with pytest.raises(DaemonError, match="not by the process that it names"):
            PidFile(path).owner()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="start times are in /proc")
def test_a_number_used_again_is_not_the_owner(path: Path) -> None:
    """DJ-572."""
    with holder(path) as (process, _):
        path.write_text(f"{process.pid}\n1\n")
        with pytest.raises(DaemonError):
            PidFile(path).owner()


def test_an_orphan_does_not_keep_it(path: Path) -> None:
    with holder(path, "with child") as (process, child):
        process.kill()
        process.wait(10)
        assert child
        assert PidFile(path).owner() is None


def test_one_who_does_not_hold_it_does_not_remove_it(path: Path) -> None:
    with holder(path):
        PidFile(path).let_go()
        assert PidFile(path).clear_stale() is None
        assert path.exists()


def test_a_stale_file_is_removed_and_told(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("4242\n17\n")
    assert PidFile(path).clear_stale() == "4242\n17"
    assert not path.exists()


def test_a_link_is_not_followed(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.parent / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        PidFile(path).take()
