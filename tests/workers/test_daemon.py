"""`bide start`, `stop`, `restart`, `status`: real daemons, and what becomes of them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bide.cli.main import bide
from bide.workers import control
from bide.workers.processes import children_of
from waiting import wait_until
from workers.daemons import APPLICATION, Place, place

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[Place]:
    with place(tmp_path, sqlite_url, sleep_delay=0.5, grace_time=2, kill_after=0.5) as made:
        yield made


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_daemon_works_in_a_session_of_its_own_without_terminal_and_keeps_the_umask(
    shop: Place,
) -> None:
    """DJ-133..135, DJ-137, DJ-138, DJ-224, DJ-246, DJ-577."""
    umask = os.umask(0o027)
    try:
        pid = shop.start()
    finally:
        os.umask(umask)
    assert os.getsid(pid) not in (os.getsid(0), pid)
    assert Path(f"/proc/{pid}/fd/0").readlink() == Path("/dev/null")
    assert Path(f"/proc/{pid}/cwd").readlink() == shop.directory
    assert "Umask:\t0027" in Path(f"/proc/{pid}/status").read_text()
    shop.enqueue("work.delay(1)", "says.delay('a word')")
    shop.wait_for("one did 1")
    wait_until(lambda: "a word\n" in shop.log())


def test_start_returns_when_every_worker_is_at_work(shop: Place) -> None:
    """DJ-147, DJ-576."""
    shop.start("--pool", "mail", "--pool", "tasks,mail:4", "--pool", "*:2")
    assert len([note for note in shop.notes() if " execute " in note]) >= 1
    workers = shop.status()["workers"]
    assert [one["place"] for one in workers] == list(range(7))
    assert shop.pid_files() == ["bide.pid"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('no cashier')", "no cashier"),
        ("import no_such_module", "no_such_module"),
        ("app = 3", "not a bide.App"),
        ("import os; os._exit(9)", "ended before it was up"),
        (APPLICATION + "\n@app.lifecycle.before('execute')\ndef broken(worker): os._exit(4)\n",
         "exit status 4"),
    ],
)  # fmt: skip
def test_start_fails_with_the_error_of_a_daemon_that_does_not_come_up(
    shop: Place, code: str, words: str
) -> None:
    """DJ-140..143, DJ-576."""
    shop.write(code)
    done = shop.bide("start")
    assert done.returncode == 1
    assert words in done.stderr
    assert shop.bide("status").returncode == 3


def test_a_second_start_is_refused_with_status_1(shop: Place) -> None:
    """DJ-561."""
    pid = shop.start()
    again = shop.bide("start")
    assert again.returncode == 1
    assert f"already running: process {pid}" in again.stderr
    assert lives(pid)


def test_stop_ends_the_fleet_whatever_its_number_of_workers(shop: Place) -> None:
    """DJ-560, DJ-564, DJ-565, DJ-578."""
    pid = shop.start("-n", "3")
    children = children_of(pid)
    assert len(children) == 4
    done = shop.bide("stop")
    assert done.returncode == 0
    assert f"process with pid {pid} successfully stopped." in done.stdout
    assert not any(lives(one) for one in [pid, *children])
    assert shop.pid_files() == []
    assert not list(shop.directory.glob("tmp/pids/*"))


def test_stop_lets_a_running_job_end(shop: Place) -> None:
    shop.start()
    shop.enqueue("slow.delay(1, 1.0)")
    shop.wait_for("one began 1")
    assert shop.bide("stop").returncode == 0
    assert "one did 1" in shop.notes()


def test_a_fleet_that_does_not_stop_is_killed_with_all_its_children_and_so_it_is_told(
    shop: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DJ-559."""
    monkeypatch.setattr(control, "GRACE_TIME", 0.5)  # it cannot tell its own any more
    monkeypatch.setattr(control, "MARGIN", 1.0)
    monkeypatch.chdir(shop.directory)
    pid = shop.start("-n", "2")
    children = children_of(pid)
    os.kill(pid, signal.SIGSTOP)
    done = CliRunner().invoke(bide, ["stop"], env=shop.environment)
    assert done.exit_code == 0
    assert "did not stop within 1.5s" in done.stderr
    assert "successfully" not in done.stdout
    wait_until(lambda: not any(lives(one) for one in [pid, *children]))
    assert shop.pid_files() == []


def test_what_is_left_of_a_killed_supervisor_is_cleared_and_its_workers_end(shop: Place) -> None:
    """DJ-228, DJ-563."""
    pid = shop.start("-n", "2")
    children = children_of(pid)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not lives(pid))
    done = shop.bide("status")
    assert done.returncode == 3
    assert f"pid-file for killed process {pid} found" in done.stdout
    assert shop.pid_files() == []
    wait_until(lambda: not any(lives(one) for one in children), within=20)


def test_restart_replaces_the_fleet_by_one_with_the_options_given(shop: Place) -> None:
    """DJ-565."""
    first = shop.start("-n", "3")
    done = shop.bide("restart", "-n", "1")
    assert done.returncode == 0
    status = shop.status()
    assert status["pid"] != first
    assert len(status["workers"]) == 1
    assert not lives(first)


def test_status_shows_each_worker_with_what_it_runs_and_since_when(shop: Place) -> None:
    """DJ-563."""
    pid = shop.start("-n", "2")
    shop.enqueue("slow.delay(1, 30)")
    shop.wait_for("one began 1")
    status = shop.status()
    assert (status["running"], status["pid"], status["state"]) == (True, pid, "ready")
    [busy] = [one for one in status["workers"] if one["jobs"]]
    assert busy["jobs"][0]["name"] == "slow"
    assert busy["jobs"][0]["since"] >= busy["since"] >= status["since"][:19]
    text = shop.bide("status")
    assert text.returncode == 0
    assert f"bide: running [pid {pid}]" in text.stdout
    assert "slow (id=" in text.stdout


def test_status_of_a_supervisor_that_hangs_says_so(shop: Place) -> None:
    pid = shop.start()
    os.kill(pid, signal.SIGSTOP)
    done = shop.bide("status")
    os.kill(pid, signal.SIGCONT)
    assert done.returncode == 0
    assert "does not answer" in done.stdout


def test_identifiers_tell_daemons_apart(shop: Place) -> None:
    """DJ-136, DJ-139, DJ-216, DJ-226, DJ-579."""
    pid = shop.start("-i", "7", "--log-dir", "logs", "--prefix", "pre")
    assert shop.pid_files() == ["bide.7.pid"]
    assert (shop.directory / "logs" / "bide.7.log").exists()
    assert Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0") == b"pre/bide.7"
    other = shop.bide("status")
    assert other.returncode == 3
    assert "running here: bide.7" in other.stderr
    assert shop.bide("stop", "-i", "7").returncode == 0
    assert not lives(pid)


def test_the_log_goes_on_in_a_new_file_after_a_rotation(shop: Place) -> None:
    pid = shop.start("-n", "2")
    old = (shop.directory / "log" / "bide.log").rename(shop.directory / "log" / "bide.log.1")
    os.kill(pid, signal.SIGUSR2)
    wait_until(lambda: (shop.directory / "log" / "bide.log").exists())
    size = old.stat().st_size
    shop.enqueue("says.delay('after the rotation')")
    wait_until(lambda: "after the rotation" in shop.log())
    assert "after the rotation" not in old.read_text()[size:]


def test_one_worker_more_and_one_fewer_by_signal(shop: Place) -> None:
    pid = shop.start()
    os.kill(pid, signal.SIGTTIN)
    wait_until(lambda: len(children_of(pid)) == 3)
    os.kill(pid, signal.SIGTTOU)
    wait_until(lambda: len(children_of(pid)) == 2)
    os.kill(pid, signal.SIGTTOU)
    wait_until(lambda: "Still 1 workers" in shop.log())


def test_a_monitor_starts_a_killed_supervisor_again_and_stop_ends_both(shop: Place) -> None:
    pid = shop.start("--monitor")
    monitor = shop.status()["monitor"]
    assert shop.pid_files() == ["bide.pid", "bide_monitor.pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: shop.status().get("pid") not in (None, pid), within=60)
    assert shop.bide("stop").returncode == 0
    assert not lives(monitor)
    assert shop.pid_files() == []
