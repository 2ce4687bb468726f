"""systemd's protocol, on a real datagram socket; and being the first process of a container."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bide.workers import systemd
from bide.workers.processes import children_of
from waiting import wait_until
from workers.daemons import Place, place

real_processes = [
    pytest.mark.story,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd is Linux"),
]

in_containers = [
    *real_processes,
    pytest.mark.skipif(
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode != 0,
        reason="needs unshare and the right to make process namespaces",
    ),
]


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[Place]:
    with place(tmp_path, sqlite_url, sleep_delay=0.5, grace_time=2) as made:
        yield made


class Manager:
    """What systemd would hear."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)
        self.heard = ""

    def hears(self, line: str, within: float = 60.0) -> bool:
        return bool(wait_until(lambda: line in self.listen().splitlines(), within=within))

    def listen(self) -> str:
        try:
            while True:
                self.heard += self.socket.recv(4096).decode() + "\n"
        except BlockingIOError:
            return self.heard


@contextmanager
def manager(address: str) -> Iterator[Manager]:
    made = Manager(address)
    try:
        yield made
    finally:
        made.socket.close()


def short() -> str:
    return f"@bide-test-{uuid.uuid4().hex}"


@contextmanager
def working(shop: Place, *before: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`bide work` in the foreground; nothing of it is left afterwards."""
    with (shop.directory / "out").open("wb") as out:
        process = subprocess.Popen(
            [*before, sys.executable, "-B", "-m", "bide.cli", "work"],
            cwd=shop.directory, env={**shop.environment, **environment},
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        yield process
    finally:
        for pid in [*children_of(process.pid), process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait(10)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="abstract names are Linux")
def test_lines_reach_the_socket_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with manager(short()) as told:
        monkeypatch.setenv("NOTIFY_SOCKET", told.address)
        assert systemd.notify("READY=1", "STATUS=four workers")
        assert told.hears("READY=1", within=1)
        assert told.hears("STATUS=four workers", within=1)


def test_nobody_is_told_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not systemd.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    assert not systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("period", "pid", "interval"),
    [("20000000", "", 10.0), ("20000000", "1", 0.0), ("", "", 0.0), ("soon", "", 0.0)],
)
def test_signs_of_life_come_twice_within_the_time_that_systemd_waits(
    monkeypatch: pytest.MonkeyPatch, period: str, pid: str, interval: float
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", period)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert systemd.watchdog_interval() == interval


class TestService:
    pytestmark = real_processes

    def test_it_tells_that_it_is_ready_alive_reloading_and_stopping(self, shop: Place) -> None:
        with (
            manager(short()) as told,
            working(shop, NOTIFY_SOCKET=told.address, WATCHDOG_USEC="400000") as process,
        ):
            assert told.hears("READY=1")
            assert f"MAINPID={process.pid}" in told.heard
            assert told.hears("WATCHDOG=1")
            told.heard = ""
            process.send_signal(signal.SIGHUP)
            assert told.hears("RELOADING=1")
            assert "MONOTONIC_USEC=" in told.heard
            assert told.hears("READY=1")
            process.send_signal(signal.SIGTERM)
            assert told.hears("STOPPING=1")
            assert process.wait(20) == 0


class TestContainer:
    pytestmark = in_containers

    def test_the_first_process_stops_on_term_and_reaps_what_others_left(self, shop: Place) -> None:
        orphan = "import os\nif os.fork(): os._exit(0)\n"
        shop.write(
            (shop.directory / "shop.py").read_text()
            + "\n@app.job\ndef leaves():\n    import subprocess, sys\n"
            + f"    subprocess.run([sys.executable, '-S', '-c', {orphan!r}])\n    note('left')\n"
        )
        with working(shop, "unshare", "--pid", "--fork", "--mount-proc") as process:
            wait_until(lambda: any("execute" in note for note in shop.notes()), within=60)
            [first] = children_of(process.pid)[:1]
            assert len(children_of(first)) == 2
            shop.enqueue("leaves.delay()")
            shop.wait_for("left")
            wait_until(lambda: len(children_of(first)) == 2)
            os.kill(first, signal.SIGTERM)
            assert process.wait(20) == 0
