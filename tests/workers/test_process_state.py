"""Jobs that change what belongs to the whole process: the jobs behind them are stored, run and told as ever."""

from __future__ import annotations

import gc
import io
import locale
import logging
import os
import random
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import bide
from bide import clock
from bide.jobs.job import Filter, State
from in_child import in_child


def goes_elsewhere() -> None:
    os.chdir("/")


def lets_nobody_read() -> None:
    os.umask(0o777)


def empties_the_environment() -> None:
    os.environ.clear()
    os.environ["BIDE_DATABASE_URL"] = "sqlite:////nowhere/else.db"


def moves_to_tokyo() -> None:
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()


def speaks_another_language() -> None:
    for name in ("de_DE.UTF-8", "tr_TR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        return


def has_no_standard_streams() -> None:
    sys.stdout = sys.stderr = None  # type: ignore[assignment]


def closes_its_standard_streams() -> None:
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    sys.stdout.close()
    sys.stderr.close()


def gives_every_socket_no_time() -> None:
    socket.setdefaulttimeout(0.000001)


def is_predictable() -> None:
    random.seed(1)


def collects_nothing() -> None:
    gc.disable()
    gc.freeze()


def silences_every_log() -> None:
    logging.disable(logging.CRITICAL)
    logging.getLogger("bide").handlers.clear()


WORDS = "no: ä\u0130\U0001f600"
RUDE = [
    goes_elsewhere, lets_nobody_read, empties_the_environment, moves_to_tokyo,
    speaks_another_language, has_no_standard_streams, closes_its_standard_streams,
    gives_every_socket_no_time, is_predictable, collects_nothing, silences_every_log,
]  # fmt: skip


@pytest.fixture
def app(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bide.App]:
    monkeypatch.chdir(tmp_path)
    if database_url.startswith("sqlite"):
        database_url = "sqlite:///beside.db"
    app = bide.App(database_url, max_attempts=5)
    app.migrate()
    yield app
    app.close()


def test_the_jobs_behind_a_rude_one_run_and_are_told_as_ever(app: bide.App) -> None:
    """One is enqueued by a job, one fails and is told, all over connections made after the rudeness."""

    @app.job
    def fails() -> None:
        raise ValueError(WORDS)

    @app.job
    def enqueues() -> None:
        behind.using(run_at=clock.utc_now()).delay()

    @app.job
    def behind() -> None:
        """Nothing."""

    def work() -> tuple[int, int]:
        worker = app.worker()
        first = worker.work_off(1)
        app.close()  # everything after it connects anew
        rest, last = worker.work_off(), worker.work_off()
        return first[0] + rest[0] + last[0], first[1] + rest[1] + last[1]

    for rude in RUDE:
        app.job(rude).delay()
        failing = fails.delay()
        enqueues.delay()
        before = clock.utc_now()
        assert in_child(work) == (3, 1), rude
        [row] = app.store.find(Filter())
        told = (row.id, row.state, row.attempts, WORDS in (row.last_error or ""))
        assert told == (failing.id, State.SCHEDULED, 1, True), rude
        assert 5 < (row.run_at - before).total_seconds() < 120, rude
        assert app.store.workers() == [], rude
        failing.delete()
