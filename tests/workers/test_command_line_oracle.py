"""The daemon's commands beside the original's, state by state; what was mended is named with its reason."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bide.workers.processes import children_of
from waiting import wait_until
from workers.daemons import Place, place

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]

STATES = json.loads((Path(__file__).parent / "data" / "command_line.json").read_text())["states"]


class Mended(NamedTuple):
    """What Bide does instead: exit status, words in its output, pid files afterwards."""

    exit: int
    words: str
    why: str
    pid_files: list[str] | None = None


STALE = "pid-file for killed process"
ONE = ["bide.pid"]
STARTED, STOPPED = "bide: process with pid N started.", "successfully stopped."
RUNS, NOTHING = "bide: running [pid N]", "bide: no instances running"
ONE_SUPERVISOR = "one supervisor owns all workers (DJ-564, DJ-565)"

MENDED = {
    ("nothing running", 2): Mended(2, "No such command 'zap'", "pid files need no zapping: DJ-574"),
    ("nothing running", 3): Mended(1, NOTHING, "reload tells the truth: DJ-575"),
    ("start, start, status, stop, status, stop", 1): Mended(1, "already running", "DJ-561"),
    ("empty pid file", 0): Mended(3, f"{STALE} (empty)", "it blocks nothing: DJ-573", []),
    ("empty pid file", 1): Mended(0, STARTED, "DJ-573"),
    ("empty pid file", 2): Mended(0, STOPPED, "DJ-573", []),
    ("pid file names an unrelated live process", 0): Mended(3, STALE, "DJ-572", []),
    ("pid file names an unrelated live process", 1): Mended(0, STARTED, "DJ-572"),
    ("pid file names an unrelated live process", 2): Mended(0, STOPPED, "DJ-572", []),
    ("three workers", 0): Mended(0, STARTED, ONE_SUPERVISOR, ONE),
    ("three workers", 1): Mended(0, RUNS, ONE_SUPERVISOR, ONE),
    ("three workers", 2): Mended(0, RUNS, ONE_SUPERVISOR, ONE),
    ("three workers", 3): Mended(0, STOPPED, ONE_SUPERVISOR, []),
    ("three workers", 4): Mended(0, NOTHING, ONE_SUPERVISOR, []),
    ("three workers", 5): Mended(3, NOTHING, ONE_SUPERVISOR, []),
    ("three workers", 6): Mended(0, NOTHING, ONE_SUPERVISOR, []),
    ("pools", 0): Mended(0, STARTED, ONE_SUPERVISOR, ONE),
    ("pools", 1): Mended(0, RUNS, ONE_SUPERVISOR, ONE),
    ("pools", 2): Mended(0, RUNS, ONE_SUPERVISOR, ONE),
    ("pools", 3): Mended(0, STOPPED, ONE_SUPERVISOR, []),
    ("bad commands", 0): Mended(2, "Usage", "wrong usage is status 2: DJ-562"),
    ("bad commands", 1): Mended(2, "No such command 'bogus'", "DJ-562"),
    ("bad commands", 2): Mended(2, "No such option", "wrong usage is status 2"),
    ("bad commands", 3): Mended(
        0, "bide.N: process with pid N started.", "it names the fleet, not a worker", ["bide.1.pid"]
    ),
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[Place]:
    with place(tmp_path, sqlite_url, sleep_delay=0.5, grace_time=2) as made:
        yield made


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A living process that has nothing to do with Bide."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("state", STATES, ids=lambda state: state["state"])
def test_each_command_does_what_the_original_did_or_better(
    shop: Place, stranger: subprocess.Popen[bytes], state: dict[str, Any]
) -> None:
    """DJ-561..565, DJ-572..575."""
    name = state["state"]
    prepare(shop, name, stranger)
    for number, step in enumerate(state["steps"]):
        if "command" not in step:
            continue
        done = shop.bide(*verb_first(step["command"]))
        said = plain(done.stdout + done.stderr, shop)
        expected = MENDED.get((name, number)) or as_measured(step)
        assert done.returncode == expected.exit, (step["command"], said)
        assert expected.words in said, step["command"]
        files = step["pid_files_after"] if expected.pid_files is None else expected.pid_files
        assert shop.pid_files() == [file.replace("delayed_job", "bide") for file in files]
        if name.startswith("worker killed") and number == 0:
            kill_everything(shop)
    assert stranger.poll() is None


def prepare(shop: Place, state: str, stranger: subprocess.Popen[bytes]) -> None:
    pids = shop.directory / "tmp" / "pids"
    pids.mkdir(parents=True)
    if state == "empty pid file":
        (pids / "bide.pid").touch()
    if state.startswith("pid file names"):
        (pids / "bide.pid").write_text(f"{stranger.pid}\n")


def kill_everything(shop: Place) -> None:
    pid = int((shop.directory / "tmp" / "pids" / "bide.pid").read_text().split()[0])
    for one in [pid, *children_of(pid)]:
        os.kill(one, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), within=10)


def verb_first(command: str) -> list[str]:
    """`-n 3 start` as `start -n 3`: here, the options of a command follow it."""
    words = command.split()
    return words if words[:1] == ["--nope"] else [*words[-1:], *words[:-1]]


def as_measured(step: dict[str, Any]) -> Mended:
    lines = [re.sub("delayed_job", "bide", line) for line in [*step["stdout"], *step["stderr"]]]
    return Mended(step["exit"], numberless("\n".join(lines[-1:])), "kept")


def plain(text: str, shop: Place) -> str:
    return numberless(text.replace(str(shop.directory / "tmp" / "pids"), "<piddir>"))


def numberless(text: str) -> str:
    return re.sub(r"<pid>|\b\d+", "N", text)
