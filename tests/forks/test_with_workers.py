"""An application that asked its database at import, then forked workers: every job gets its own data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bide
from forks.clients import ERROR, RIGHT, WAYS
from forks.conftest import needs
from waiting import wait_until

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

HERE = Path(__file__)
#: As in clients.py: PostgreSQL and MariaDB, pools that open anew and connections that cannot.
ANSWERED = [
    "SQLAlchemy + psycopg2",
    "SQLAlchemy + psycopg",
    "SQLAlchemy + psycopg, TLS",
    "SQLAlchemy + pymysql",
    "SQLAlchemy + mysqldb",
    "Django, PostgreSQL",
    "Django, MySQL",
    "psycopg_pool",
]
REFUSED = ["psycopg2", "psycopg 3", "PyMySQL", "mysqlclient", "mariadb connector"]
#: The shop: its connection is open and has been used when the workers are forked. No worker goes on
#: before another has begun, or the first could take all jobs.
APPLICATION = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import bide
{fence}
from forks.clients import WAYS
from forks.experiment import answers_of
from waiting import wait_until

app = bide.App.from_env()
client = WAYS[{way!r}].open({url!r})
assert client.ask("warm") == "warm"
meeting = Path({meeting!r})
notes = os.open({notes!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

@app.job(max_attempts=1)
def ask(number):
    answers = answers_of(client.ask, 1, name=f"job {{number}}")
    facts = {{"job": number, "pid": os.getpid(), **vars(answers)}}
    os.write(notes, (json.dumps(facts) + "\\n").encode())
    (meeting / str(os.getpid())).touch()
    wait_until(lambda: len(os.listdir(meeting)) >= {together})
"""
#: The same program without the fence: what other queues' workers do.
NO_FENCE = """
from bide.forks import guard
guard.protect(guard.Layers(seal=False, forget=False, owned=True))
guard.before_fork = lambda **_: None
guard.after_fork_in_parent = lambda: None
guard.after_fork_in_child = lambda: []
"""


def answers(
    directory: Path, name: str, url: str, *, jobs: int, fence: bool = True, patience: float = 30.0
) -> list[dict[str, Any]]:
    """What each of `jobs` jobs got, when four workers that were forked from one parent ran them."""
    notes, here = directory / "notes", str(HERE.parents[1])
    meeting = directory / "meeting"
    meeting.mkdir()
    (directory / "shop.py").write_text(
        APPLICATION.format(
            tests=here,
            fence="" if fence else NO_FENCE,
            way=name,
            url=url,
            notes=str(notes),
            meeting=str(meeting),
            together=2 if fence else 1,
        )
    )
    environment = os.environ | {
        "BIDE_DATABASE_URL": f"sqlite:///{directory / 'jobs.db'}",
        "BIDE_TRACE_CONNECTIONS": "1",
        "BIDE_SLEEP_DELAY": "0.2",
        "BIDE_READ_AHEAD": "10",
        "PYTHONWARNINGS": "ignore",
    }
    stored(directory, jobs)
    command = [sys.executable, "-m", "bide.cli", "--app", "shop:app", "work", "-n", "4"]
    log = directory / "log"
    with log.open("wb") as said:
        fleet = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        wait_until(lambda: fleet.poll() is not None or lines(notes) > 0, within=60.0)
        wait_until(Standstill(notes, jobs, patience), within=120.0)
    finally:
        end(fleet)
    if not notes.exists():
        raise AssertionError(log.read_text()[-5000:])
    return [json.loads(line) for line in notes.read_text().splitlines()]


class Standstill:
    """True when every job has written its line, or none did for so many seconds: they hang."""

    def __init__(self, notes: Path, jobs: int, patience: float) -> None:
        self.notes, self.jobs, self.patience = notes, jobs, patience
        self.seen, self.since = 0, time.monotonic()

    def __call__(self) -> bool:
        now, count = time.monotonic(), lines(self.notes)
        if count > self.seen:
            self.seen, self.since = count, now
        return count >= self.jobs or now - self.since > self.patience


def stored(directory: Path, jobs: int) -> None:
    """By an application of the same name that opens no connection."""
    app = bide.App(f"sqlite:///{directory / 'jobs.db'}", max_attempts=1)
    app.migrate()
    ask = app.job(name="shop.ask")(lambda number: number)
    app.enqueue_many(ask.bind(number) for number in range(jobs))
    app.close()


def lines(notes: Path) -> int:
    return notes.read_bytes().count(b"\n") if notes.exists() else 0


def end(fleet: subprocess.Popen[bytes]) -> None:
    """Children that hang on the shared wire, and the supervisor."""
    if fleet.poll() is not None:
        return
    listed = Path(f"/proc/{fleet.pid}/task/{fleet.pid}/children").read_text().split()
    for pid in [*map(int, listed), fleet.pid]:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue
    fleet.wait(10)


def counted(found: list[dict[str, Any]]) -> Counter[str]:
    """How many answers were right, wrong, or an error."""
    return Counter(
        {kind: sum(each[kind] for each in found) for kind in ("right", "wrong", "errors")}
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """300 jobs among the other tests, 2,000 in the soak, as other queues were measured."""
    if "jobs" in metafunc.fixturenames:
        soak = pytest.param(2000, marks=pytest.mark.soak)
        metafunc.parametrize("jobs", [300, soak])


@pytest.mark.parametrize("name", ANSWERED)
def test_every_job_gets_the_answer_to_its_own_question(
    name: str, jobs: int, url_of: Callable[[str], str], tmp_path: Path
) -> None:
    """DJ-095, DJ-096: other queues answered up to 1,880 of 2,000 with another job's data."""
    needs(WAYS[name].module)
    assert WAYS[name].children == RIGHT
    found = answers(tmp_path, name, url_of(WAYS[name].server), jobs=jobs)
    assert counted(found) == {"right": jobs, "wrong": 0, "errors": 0}, found[0]
    assert {each["job"] for each in found} == set(range(jobs))
    assert len({each["pid"] for each in found}) > 1


@pytest.mark.parametrize("name", REFUSED)
def test_a_connection_that_cannot_be_made_anew_is_refused_by_name(
    name: str, jobs: int, url_of: Callable[[str], str], tmp_path: Path
) -> None:
    """No answer is wrong; each error says which process opened it, in which file and line."""
    needs(WAYS[name].module)
    assert WAYS[name].children == ERROR
    found = answers(tmp_path, name, url_of(WAYS[name].server), jobs=jobs)
    assert counted(found) == {"right": 0, "wrong": 0, "errors": jobs}
    for each in found:
        assert "was opened by process" in each["first_error"]
        assert "clients.py:" in each["first_error"]


@pytest.mark.parametrize("name", ["psycopg2", "PyMySQL", "Django, PostgreSQL"])
def test_without_the_fence_jobs_get_the_answers_of_others(
    name: str, url_of: Callable[[str], str], tmp_path: Path
) -> None:
    """The tests above can fail: the same workers, unfenced, are wrong or never end."""
    needs(WAYS[name].module)
    url = url_of(WAYS[name].server)
    found = answers(tmp_path, name, url, jobs=300, fence=False, patience=3.0)
    count = counted(found)
    assert count["right"] < 300, count
    assert count["wrong"] + count["errors"] > 0, count
