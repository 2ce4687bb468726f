"""`bide work`, `workoff`, `check` and `clear` as they are typed."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import bide
from bide import clock
from bide.cli.main import bide as command
from bide.jobs.job import Filter
from waiting import wait_until

PROGRAM = """
import bide
app = bide.App.from_env()

@app.job
def note(text):
    with open("notes", "a") as file:
        file.write(text + "\\n")

@app.job
def waits():
    import os, time
    open("waits", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.01)
    note("waited")
"""


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A small application in a directory of its own; its `app` on the same database."""
    (tmp_path / "shop_tasks.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIDE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("BIDE_APP", "shop_tasks:app")
    for name in ("MAX_ATTEMPTS", "SLEEP_DELAY", "READ_AHEAD"):
        monkeypatch.delenv(f"BIDE_{name}", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    handlers = logging.getLogger("bide").handlers[:]
    app = bide.App(sqlite_url)
    app.migrate()
    yield app
    app.close()
    logging.getLogger("bide").handlers[:] = handlers
    loaded = sys.modules.pop("shop_tasks", None)
    if loaded is not None:
        loaded.app.close()


def store_jobs(app: bide.App, *texts: str, **options: Any) -> list[bide.Job]:
    """Jobs as the shop would store them."""
    note = app.job(name="shop_tasks.note")(_note) if not app.registry.declared(_note) else None
    handle = note or app.__dict__["_note"]
    app.__dict__["_note"] = handle
    return [handle.using(**options).delay(text) for text in texts]


def _note(text: str) -> None:
    raise NotImplementedError


def notes(path: Path) -> list[str]:
    return (path / "notes").read_text().split() if (path / "notes").exists() else []


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bide.cli", *words],
        env={**os.environ, **env}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


@pytest.fixture
def typed() -> Callable[..., Result]:
    return lambda *words, **more: CliRunner().invoke(command, list(words), obj=None, **more)


def test_workoff_performs_what_is_ready_and_ends(shop: bide.App, tmp_path: Path) -> None:
    """DJ-343, DJ-110: lines as people grep them, jobs of the future left alone."""
    store_jobs(shop, "a", "b")
    store_jobs(shop, "later", run_at=timedelta(hours=1))
    done = run("workoff")
    assert (done.returncode, done.stderr) == (0, "")
    assert notes(tmp_path) == ["a", "b"]
    assert re.search(
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}: \[Worker\(host:.* pid:\d+\)\] "
        r"Job shop_tasks.note \(id=\d+\) \(queue=default\) RUNNING$",
        done.stdout, re.MULTILINE,
    )  # fmt: skip
    assert "No more jobs available. Exiting" in done.stdout


def test_options_choose_queues_and_priorities(shop: bide.App, tmp_path: Path) -> None:
    """DJ-345: names are trimmed (DJ-567)."""
    for queue, priority in (("mail", 1), ("slow", 1), ("mail", 9), ("mail", -5)):
        store_jobs(shop, f"{queue}{priority}", queue=queue, priority=priority)
    done = run("workoff", "--queues", "mail, billing", "--min-priority", "0", "--max-priority", "5")
    assert (done.returncode, notes(tmp_path)) == (0, ["mail1"])


def test_quiet_is_an_option_and_no_variable_is_mistaken_for_it(shop: bide.App) -> None:
    """DJ-580."""
    store_jobs(shop, "a")
    assert "RUNNING" in run("workoff", QUIET="false").stdout
    store_jobs(shop, "a")
    done = run("workoff", "--quiet")
    assert (done.returncode, done.stdout) == (0, "")


def test_work_goes_on_until_a_signal_and_finishes_what_it_runs(
    shop: bide.App, tmp_path: Path
) -> None:
    """DJ-343, DJ-557, DJ-560: status 0, nothing left locked."""
    waits = shop.job(name="shop_tasks.waits")(_waits)
    waits.delay()
    worker = subprocess.Popen(
        [sys.executable, "-m", "bide.cli", "work", "--sleep-delay", "0.5"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until((tmp_path / "waits").exists, within=20)
        store_jobs(shop, "next")
        worker.send_signal(signal.SIGTERM)
        (tmp_path / "go").touch()
        out, _ = worker.communicate(timeout=20)
    finally:
        worker.kill()
        worker.wait()
    assert (worker.returncode, notes(tmp_path)) == (0, ["waited"])
    assert "Exiting..." in out
    [row] = shop.store.find(Filter())
    assert (row.locked_by, row.attempts) == (None, 0)
    assert shop.store.workers() == []


def _waits() -> None:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-n", "abc"], "'abc' is not a valid int"),
        (["-n", "0"], "0 is not in the range"),
        (["--min-priority", "x"], "'x' is not a valid int"),
        (["--max-priority", "99999999999"], "is not in the range"),
        (["--sleep-delay", "x"], "'x' is not a valid float"),
        (["--sleep-delay", "0"], "is not in the range"),
        (["--queues", "a,,b"], "empty name"),
        (["--colour", "red"], "No such option"),
        (["extra"], "unexpected extra argument"),
        (["--threads", "0"], "0 is not in the range"),
        (["--concurrency", "0"], "0 is not in the range"),
    ],
)
def test_wrong_options_start_nothing_and_say_so(
    shop: bide.App, typed: Any, words: list[str], says: str
) -> None:
    """DJ-566, DJ-569, DJ-570: status 2, whatever the original made of them."""
    result = typed("work", *words)
    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.parametrize("verb", ["work", "start"])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--threads", "10000000"], "threads=10000000 is more than the 1000"),
        (["--concurrency", "10000000"], "concurrency=10000000 is more than the 10000"),
        (["-n", "100", "--threads", "1000", "--concurrency", "2"], "200000 jobs at a time"),
    ],
)
def test_fleets_that_no_host_can_hold_are_refused_before_anything_starts(
    typed: Any, verb: str, words: list[str], says: str
) -> None:
    result = typed(verb, *words)
    assert isinstance(result.exception, bide.SettingsError)  # status 2 in `main`
    assert says in str(result.exception)


def test_pools_that_are_refused_are_wrong_usage_too(shop: bide.App) -> None:
    """DJ-568: told in one line."""
    done = run("work", "--pool", "x:2", "-n", "5")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("bide: --pool excludes -n and --queues")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["work", "-h"], ["check", "--help"]])
def test_help_is_help_and_no_error(typed: Any, words: list[str]) -> None:
    """DJ-571."""
    result = typed(*words)
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


def test_an_unknown_verb_is_wrong_usage(typed: Any) -> None:
    """DJ-562."""
    result = typed("bogus")
    assert (result.exit_code, "No such command 'bogus'" in result.output) == (2, True)


def test_check_fails_for_jobs_that_waited_too_long(shop: bide.App, typed: Any) -> None:
    """DJ-582: those of the future do not count before their time, and do from then on."""
    store_jobs(shop, "later", run_at=timedelta(hours=1))
    assert typed("check", "--max-age", "0").exit_code == 0
    [job] = store_jobs(shop, "due", queue="mail")
    assert typed("check").exit_code == 0
    now = clock.utc_now()
    clock.set_wall(lambda: now + timedelta(minutes=6))
    try:
        result = typed("check")
        assert result.exit_code == 1
        assert (
            "queue mail: jobs older than 300 seconds have not been processed yet" in result.output
        )
        assert typed("check", "--max-age", "400").exit_code == 0
        assert typed("check", "--queue", "other").exit_code == 0
        job.delete()
        clock.set_wall(lambda: now + timedelta(hours=2))
        result = typed("check", "--json")
        assert (result.exit_code, '"queue": "default"' in result.output) == (1, True)
    finally:
        clock.set_wall(None)


def test_clear_deletes_jobs_after_asking(shop: bide.App, typed: Any) -> None:
    """queue.md 6.4: all, or those of a queue."""
    store_jobs(shop, "a", "b")
    store_jobs(shop, "c", queue="mail")
    assert typed("clear", "--queue", "mail", "--yes").exit_code == 0
    assert shop.store.count(Filter()) == 2
    assert typed("clear", input="n\n").exit_code != 0
    assert shop.store.count(Filter()) == 2
    assert typed("clear", "--yes").exit_code == 0
    assert shop.store.count(Filter()) == 0
