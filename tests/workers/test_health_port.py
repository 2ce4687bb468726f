"""Probes of containers: a supervisor answers from its memory, whatever its database does."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bide.cli.main import bide as command
from bide.errors import SettingsError
from bide.workers.health_port import HealthPort
from waiting import wait_until
from workers.fleets import Fleet, fleet


class Asked:
    """A HealthPort with a supervisor of words."""

    def __init__(self) -> None:
        self.answers = HealthPort("127.0.0.1", 0, silent_after=20.0)
        self.port = self.answers.open()
        self.state, self.ages = "ready", [1.0]

    def ask(self, request: bytes) -> tuple[int, Any]:
        facts = {"workers": [{"pid": 7, "heartbeat_age": age} for age in self.ages]}
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as asking:
            asking.sendall(request)
            wait_until(lambda: self._attended(asking, facts))
            answer = b"".join(iter(lambda: asking.recv(4096), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    def _attended(self, asking: socket.socket, facts: dict[str, Any]) -> bool:
        self.answers.attend(self.state, lambda: facts)
        asking.settimeout(0.05)
        try:
            return bool(asking.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            return False
        finally:
            asking.settimeout(10)


@pytest.fixture
def asked() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.answers.close()


READY = b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_fleet_that_works_is_ready(asked: Asked) -> None:
    assert asked.ask(READY) == (200, {"ready": True, "state": "ready", "reasons": []})
    asked.state = "reloading"
    assert asked.ask(READY)[0] == 200


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("starting", "the workers start"),
        ("waiting", "the workers do not reach the database"),
        ("stopping", "the fleet stops"),
    ],
)
def test_others_say_why_they_are_not(asked: Asked, state: str, reason: str) -> None:
    asked.state = state
    assert asked.ask(READY) == (503, {"ready": False, "state": state, "reasons": [reason]})
    assert asked.ask(b"GET /live HTTP/1.0\r\n\r\n")[0] == 200


def test_a_worker_that_the_database_does_not_hear_is_a_reason(asked: Asked) -> None:
    asked.ages = [1.0, 34.0]
    status, told = asked.ask(READY)
    assert status == 503
    assert told["reasons"] == ["the database has not heard of worker 7 for 34 s"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /other HTTP/1.1\r\n\r\n", 404),
        (b"POST /ready HTTP/1.1\r\n\r\n", 405),
        (b"GET /ready?x=1 HTTP/1.1\r\n\r\n", 200),
        (b"\xff\x00nonsense", 405),
        (b"GET", 404),
    ],
)
def test_other_requests_are_answered_too(asked: Asked, request_: bytes, status: int) -> None:
    assert asked.ask(request_)[0] == status


def test_who_connects_and_says_nothing_is_not_waited_for_for_long(asked: Asked) -> None:
    with (
        socket.create_connection(("127.0.0.1", asked.port)),
        socket.create_connection(("127.0.0.1", asked.port)),
    ):
        assert asked.ask(READY)[0] == 200


def test_a_port_that_is_taken_is_refused(asked: Asked) -> None:
    with pytest.raises(SettingsError, match=f"cannot listen at 127.0.0.1:{asked.port}"):
        HealthPort("127.0.0.1", asked.port, 20.0).open()


@pytest.mark.parametrize("wrong", ["http", "8081x", "127.0.0.1", "70000", ""])
def test_what_is_no_port_is_refused(wrong: str) -> None:
    result = CliRunner().invoke(command, ["work", "--health-port", wrong])
    assert result.exit_code == 2
    assert "is no port; e.g. 8081 or 127.0.0.1:8081" in result.output


def _probe(port: int, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def _port_of(shop: Fleet) -> int:
    def told() -> re.Match[str] | None:
        return re.search(r"answered at port (\d+)", shop.log.read_text())

    wait_until(lambda: told() is not None, within=30)
    found = told()
    assert found is not None
    return int(found[1])


@pytest.mark.story
def test_a_fleet_is_probed_while_its_workers_come_and_go(sqlite_url: str, tmp_path: Path) -> None:
    with fleet(tmp_path, sqlite_url, heartbeat_interval=0.5) as shop:
        shop.start("-n", "2", "--health-port", "127.0.0.1:0")
        port = _port_of(shop)
        wait_until(lambda: _probe(port, "/ready")[0] == 200, within=30)
        assert _probe(port, "/live")[0] == 200
        assert shop.process is not None
        held = subprocess.run(
            [sys.executable, "-c", _HOLDERS, str(port)], capture_output=True, text=True, check=True
        )
        assert held.stdout.split() == [str(shop.process.pid)], "children do not keep the port"
        assert "Connections of process" not in shop.log.read_text()
        shop.signal(signal.SIGTERM)
        assert shop.wait() == 0


#: Prints the processes that listen at a port.
_HOLDERS = """
import os, sys
wanted = f":{int(sys.argv[1]):04X}"
inodes = set()
for line in open("/proc/net/tcp").read().splitlines()[1:]:
    parts = line.split()
    if parts[1].endswith(wanted) and parts[3] == "0A":
        inodes.add(f"socket:[{parts[9]}]")
for pid in filter(str.isdecimal, os.listdir("/proc")):
    try:
        held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    except OSError:
        continue
    if held & inodes:
        print(pid)
"""


@pytest.mark.story
def test_a_fleet_without_its_database_lives_and_is_not_ready(
    tmp_path: Path, sqlite_url: str
) -> None:
    with fleet(tmp_path, sqlite_url, heartbeat_interval=0.5) as shop:
        shop.environment["BIDE_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
        shop.start("--health-port", "127.0.0.1:0")
        port = _port_of(shop)
        assert _probe(port, "/live")[0] == 200
        status, told = _probe(port, "/ready")
        assert status == 503
        assert told["reasons"]
