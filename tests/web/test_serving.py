"""`bide web` as a command, and its stream of events."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bide import App, clock
from bide.web import Viewer, create_app
from bide.web.screens import Screens
from web.browser import served
from web.shop import declare

COMMAND = [sys.executable, "-m", "bide.cli", "web"]


@pytest.fixture
def environment(sqlite_url: str) -> dict[str, str]:
    return {**os.environ, "BIDE_DATABASE_URL": sqlite_url, "PYTHONUNBUFFERED": "1"}


def refused(environment: dict[str, str], *options: str) -> str:
    done = subprocess.run(
        [*COMMAND, *options], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr


def test_other_machines_are_not_served_without_users(environment: dict[str, str]) -> None:
    assert "--user-file" in refused(environment, "--host", "0.0.0.0")


@pytest.mark.parametrize("option", [("--root-path", "/bide"), ("--behind-proxy", "127.0.0.1")])
def test_a_proxy_needs_users(environment: dict[str, str], option: tuple[str, str]) -> None:
    assert "no token is taken through one" in refused(environment, *option)


def test_a_wrong_list_of_users_is_told(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "users.toml"
    assert "cannot be read" in refused(environment, "--user-file", str(path))
    path.write_text('[ada]\npassword = "plain"\nroles = ["everything"]\n')
    assert "--hash-password" in refused(environment, "--user-file", str(path))


@pytest.mark.story
def test_the_command_serves_the_screens_and_prints_where(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            told = server.stdout.readline() + server.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+/login\?token=\S+", told)
            assert address, told
            with urllib.request.urlopen(address[0], timeout=30) as answer:
                assert b"One-time token" in answer.read()
        finally:
            server.terminate()
        assert server.wait(30) in (0, -15)


@pytest.mark.story
def test_the_command_ends_at_once_while_a_page_is_open(environment: dict[str, str]) -> None:
    App(environment["BIDE_DATABASE_URL"]).migrate()
    with subprocess.Popen(
        [*COMMAND, "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            told = server.stdout.readline() + server.stdout.readline()
            with logged_in(told).open("/overview?live=stream") as answer:
                assert next(events(answer))[0] == "live"
                server.send_signal(signal.SIGINT)
                assert next(events(answer))[0] == "end"
                assert not re.search("Traceback|ERROR|Aborted", server.stdout.read())
        finally:
            server.terminate()
        assert server.wait(30) == 0


class logged_in:  # noqa: N801 - reads as one word
    """A browser at the address with a token that `told` names."""

    def __init__(self, told: str) -> None:
        found = re.search(r"(http://127\.0\.0\.1:\d+)(/login\?token=(\S+))", told)
        assert found, told
        self._address = found[1]
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        page = self.open(found[2]).read().decode()
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        assert csrf, page
        self.open("/login", urlencode({"csrf": csrf[1], "token": found[3]}).encode())

    def open(self, path: str, data: bytes | None = None) -> Any:
        return self._browser.open(self._address + path, data, timeout=30)


def events(answer: Any) -> Iterator[tuple[str, str]]:
    """What the stream says, event by event."""
    name, data = "", []
    while line := answer.readline():
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            name = text[7:]
        elif text.startswith("data:"):
            data.append(text[6:])
        elif not text and name:
            yield name, "\n".join(data)
            name, data = "", []


@pytest.mark.story
def test_a_stream_tells_what_changed_and_ends_with_the_session(sqlite_url: str) -> None:
    app = App(sqlite_url)
    app.migrate()
    jobs, known = declare(app), [Viewer("ada")]
    screens = create_app(app, auth=lambda request: known[0] if known else None)
    with served(screens) as address:
        connection = HTTPConnection(address.removeprefix("http://"), timeout=30)
        connection.request("GET", "/queues?live=stream")
        answer = connection.getresponse()
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer)
        assert "No queues yet" in next(told)[1]
        jobs["thumbnail"].delay("/x.jpg", [1])
        name, html = next(told)
        assert name == "live"
        assert "default" in html
        assert "<html" not in html
        known.clear()
        assert next(told)[0] == "end"
        connection.close()
    app.close()


def test_a_stream_ends_in_time_for_a_server_that_waits_for_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bide.web.live.LONGEST", 0.3)
    monkeypatch.setattr("bide.web.app.Screens", partial(Screens, live_every=3600.0))
    app = App(sqlite_url)
    app.migrate()
    with served(create_app(app, auth=lambda request: Viewer("ada"))) as address:
        connection = HTTPConnection(address.removeprefix("http://"), timeout=30)
        connection.request("GET", "/queues?live=stream")
        assert [name for name, _ in events(connection.getresponse())] == ["live", "end"]
        connection.close()
    app.close()


def test_carriage_returns_in_what_a_stream_tells_end_nothing(sqlite_url: str) -> None:
    app = App(sqlite_url)
    app.migrate()
    app.store.pause("10 %\r\rretry: 9\r\r20 %", clock.utc_now())
    known = [Viewer("ada")]
    screens = create_app(app, auth=lambda request: known[0] if known else None)
    with served(screens) as address:
        connection = HTTPConnection(address.removeprefix("http://"), timeout=30)
        connection.request("GET", "/queues?live=stream")
        answer, told = connection.getresponse(), b""
        while b"20 %" not in told:
            told += answer.readline()
        assert b"data: retry: 9" in told
        assert b"\r" not in told
        known.clear()
        connection.close()
    app.close()


def test_the_job_of_many_jobs_travels_as_plain_data() -> None:
    from bide.jobs.bulk import Bulk
    from bide.jobs.job import Filter, State

    app = App("memory://")
    which = Filter(ids=(1, 2), states=(State.FAILED,), text="x")
    job = app.enqueue(Bulk("retry", which, who="ada", total=2))
    assert json.loads(job.payload)["object"] == "bide.bulk"
    assert Bulk.stored(job.payload).filter == which
