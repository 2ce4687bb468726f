"""New code: each worker is replaced when its successor is at work, and nothing is lost meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import bide
from bide.jobs.job import Filter
from bide.jobs.store import Wanted
from bide.workers.processes import children_of
from bide.workers.roster import Crew, Lanes, Place, Roster
from waiting import wait_until
from workers import daemons

real_processes = [
    pytest.mark.story,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
NEW = daemons.APPLICATION.replace('"one"', '"two"')


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[daemons.Place]:
    with daemons.place(tmp_path, sqlite_url, sleep_delay=0.5, grace_time=5) as made:
        yield made


class TestReload:
    pytestmark = real_processes

    def test_every_worker_is_replaced_and_none_is_missing_meanwhile(
        self, shop: daemons.Place
    ) -> None:
        """DJ-575."""
        pid = shop.start("-n", "2")
        old = children_of(pid)
        shop.enqueue("slow.delay(1, 2.0)")
        shop.wait_for("one began 1")
        shop.write(NEW)
        assert shop.bide("reload").returncode == 0
        counts = []

        def replaced() -> bool:
            now = children_of(pid)
            counts.append(len(now))
            return not set(old) & set(now)

        wait_until(replaced, within=60)
        assert min(counts) >= 3
        assert len([note for note in shop.notes() if note.startswith("two execute")]) == 2
        assert "one did 1" in shop.notes()
        shop.enqueue("work.delay(2)")
        shop.wait_for("two did 2")

    def test_the_daemon_is_the_same_process_and_still_holds_its_pid_file(
        self, shop: daemons.Place
    ) -> None:
        pid = shop.start()
        since = shop.status()["since"]
        shop.write(NEW)
        shop.bide("reload")
        wait_until(lambda: any(note.startswith("two execute") for note in shop.notes()), within=60)
        wait_until(lambda: shop.status()["state"] == "ready", within=60)
        status = shop.status()
        assert (status["pid"], status["since"]) == (pid, since)
        assert shop.bide("start").returncode == 1
        assert shop.bide("stop").returncode == 0
        assert not list(shop.directory.glob("tmp/pids/*"))

    def test_code_that_does_not_import_is_refused_and_the_old_works_on(
        self, shop: daemons.Place
    ) -> None:
        pid = shop.start()
        children = children_of(pid)
        shop.write("raise RuntimeError('half a deploy')")
        shop.bide("reload")
        wait_until(lambda: "The new code fails" in shop.log(), within=60)
        assert "half a deploy" in shop.log()
        assert set(children) <= set(children_of(pid))
        assert shop.status()["state"] == "ready"

    def test_code_whose_workers_do_not_start_leaves_the_old_workers_at_work(
        self, shop: daemons.Place
    ) -> None:
        shop.start()
        shop.write(NEW + "\n@app.lifecycle.before('execute')\ndef broken(_): os._exit(4)\n")
        shop.bide("reload")
        wait_until(lambda: shop.log().count("exit status 4") >= 2, within=60)
        shop.write(daemons.APPLICATION)
        shop.enqueue("work.delay(3)")
        shop.wait_for("one did 3")

    def test_a_daemon_that_does_not_run_cannot_reload(self, shop: daemons.Place) -> None:
        """DJ-575."""
        done = shop.bide("reload")
        assert done.returncode == 1
        assert "no instances running" in done.stderr

    def test_a_fleet_in_the_foreground_reloads_by_signal(self, shop: daemons.Place) -> None:
        with foreground(shop, "-n", "2") as process:
            wait_until(lambda: len(shop.notes()) == 2, within=60)
            shop.write(NEW)
            process.send_signal(signal.SIGHUP)
            wait_until(
                lambda: len([n for n in shop.notes() if n.startswith("two execute")]) == 2,
                within=60,
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0

    def test_a_worker_alone_ends_its_job_and_then_runs_the_new_code(
        self, shop: daemons.Place
    ) -> None:
        shop.enqueue("slow.delay(1, 1.0)")
        with foreground(shop) as process:
            shop.wait_for("one began 1")
            shop.write(NEW)
            process.send_signal(signal.SIGHUP)
            shop.wait_for(f"two execute {process.pid}")
            assert "one did 1" in shop.notes()
            shop.write("raise RuntimeError('half a deploy')")
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: "half a deploy" in (shop.directory / "out").read_text(), within=60)
            shop.write(NEW)
            shop.enqueue("work.delay(2)")
            shop.wait_for("two did 2")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


@pytest.mark.story
@pytest.mark.timeout(240)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
class TestSpawn:
    """Children that run the command line of their supervisor again, as macOS needs."""

    def test_a_spawned_fleet_works_and_replaces_its_dead_as_a_forked_one_does(
        self, tmp_path: Path, sqlite_url: str
    ) -> None:
        """Promise 4, by the slate that a child got as a descriptor."""
        settings = {"sleep_delay": 0.5, "grace_time": 5, "start_method": "spawn"}
        with (
            daemons.place(tmp_path, sqlite_url, **settings) as shop,
            foreground(shop, "-n", "2") as process,
        ):
            wait_until(lambda: len(shop.notes()) == 2, within=60)
            keeper, *workers = children_of(process.pid)
            assert all(b"bide" in Path(f"/proc/{one}/cmdline").read_bytes() for one in workers)
            shop.enqueue("slow.delay(1, 3.0)")
            shop.wait_for("one began 1")
            app = bide.App(sqlite_url)
            for one in [keeper, *workers]:
                os.kill(one, signal.SIGKILL)
            shop.wait_for("one did 1")
            wait_until(lambda: app.store.count(Filter()) == 0, within=20)
            assert shop.notes().count("one began 1") == 2
            shop.enqueue("work.delay(2)")
            shop.wait_for("one did 2")
            app.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0

    def test_a_spawned_daemon_starts_reloads_and_stops(
        self, tmp_path: Path, sqlite_url: str
    ) -> None:
        settings = {"sleep_delay": 0.5, "grace_time": 5, "start_method": "spawn"}
        with daemons.place(tmp_path, sqlite_url, **settings) as shop:
            pid = shop.start("-n", "2", "--identifier", "mac")
            assert len(children_of(pid)) == 3
            shop.write(NEW)
            assert shop.bide("reload", "--identifier", "mac").returncode == 0
            executes = lambda: [n for n in shop.notes() if n.startswith("two execute")]  # noqa: E731
            wait_until(lambda: len(executes()) == 2, within=90)
            shop.enqueue("work.delay(3)")
            shop.wait_for("two did 3")
            assert shop.bide("stop", "--identifier", "mac").returncode == 0
            assert shop.pid_files() == []


@contextmanager
def foreground(shop: daemons.Place, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`bide work`, of which nothing runs afterwards."""
    with (shop.directory / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-B", "-m", "bide.cli", "work", *options],
            cwd=shop.directory, env=shop.environment, stdin=subprocess.DEVNULL,
            stdout=out, stderr=out,
        )  # fmt: skip
    try:
        yield process
    finally:
        for pid in [*children_of(process.pid), process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(10)


def _adopted(count: int) -> Roster:
    """A roster of two places that has taken over `count` workers of earlier code."""
    roster = Roster.of([Crew(Wanted(), 2)], Lanes())
    old = [Place(index, Wanted(), range(index, index + 1), 100 + index) for index in range(count)]
    roster.adopt(old)
    return roster


def test_a_successor_starts_first_and_only_then_the_old_worker_leaves() -> None:
    roster = _adopted(2)
    assert roster.to_fill() == []
    assert roster.next_to_leave(lambda _: False) is None
    [first] = roster.to_fill()
    assert roster.take_room(first) == range(2, 3)
    first.filled(200)
    assert roster.next_to_leave(lambda _: False) is None
    leaving = roster.next_to_leave(lambda _: True)
    assert leaving is not None
    assert leaving.pid == 100
    assert roster.next_to_leave(lambda _: True) is None
    roster.buried(leaving, bad=False, useful=True)
    assert range(1) in roster.rooms


def test_an_old_worker_that_dies_is_replaced_at_once() -> None:
    roster = _adopted(2)
    roster.buried(roster.old[1], bad=True, useful=True)
    assert [place.index for place in roster.to_fill()] == [1]


def test_old_workers_for_whom_there_is_no_place_any_more_leave() -> None:
    roster = _adopted(3)
    for place in roster.places:
        place.filled(200 + place.index)
    pids = []
    while (leaving := roster.next_to_leave(lambda _: True)) is not None:
        pids.append(leaving.pid)
        roster.buried(leaving, bad=False, useful=True)
    assert pids == [100, 101, 102]


def test_a_fleet_grows_to_the_room_that_there_is_and_shrinks_to_one() -> None:
    roster = Roster.of([Crew(Wanted(), 2)], Lanes())
    for place in roster.to_fill():
        roster.take_room(place)
    grown = 0
    while roster.grow():
        grown += 1
        roster.take_room(roster.places[-1])
    assert grown == 31
    while roster.shrink() is not None:
        pass
    assert len(roster.places) == 1
