"""Workers in threads of another program: a small site, with reloaders and preloading servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import bide
from bide.workers.reloaders import only_watches
from servers.server import free_port
from waiting import wait_until
from workers.fleets import Fleet, fleet


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[Fleet]:
    with fleet(tmp_path, sqlite_url, sleep_delay=0.5) as made:
        yield made


def test_jobs_run_in_threads_of_this_process_until_stopped() -> None:
    app = bide.App("memory://")
    ran = threading.Event()

    @app.job
    def work() -> None:
        ran.set()

    background = app.run_in_background(threads=2)
    work.delay()
    assert ran.wait(10)
    assert background.start() is background
    background.stop()
    assert not background.running
    assert app.store.workers() == []


def test_a_number_of_threads_below_one_is_refused() -> None:
    with pytest.raises(bide.SettingsError, match="threads=0 must be at least 1"):
        bide.App("memory://").run_in_background(threads=0)


def test_a_program_that_ends_lets_its_running_job_end(shop: Fleet) -> None:
    job_id = shop.enqueue("slow", 1, 0.5)
    run(shop, "wait_for_job(1)")
    assert shop.notes(did=1)
    assert shop.app.store.get(job_id) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_preloading_server_has_workers_in_its_children(shop: Fleet) -> None:
    shop.enqueue("work", 1)
    run(
        shop,
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    shop.work.delay(2)\n"
        "    wait_for_job(2)\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "wait_for_job(1)",
        in_children=True,
    )
    wait_until(lambda: len(shop.notes(did=None)) == 2)


SITE = """
import flask, shop
site = flask.Flask("site")
shop.app.run_in_background()
VERSION = 1
"""


@pytest.mark.story
@pytest.mark.timeout(240)
def test_under_a_reloader_only_the_serving_process_works_and_its_successor_after_it(
    shop: Fleet,
) -> None:
    """The process that watches the files has loaded the application too, and would run old code."""
    place = shop.directory / "serving.py"
    place.write_text(SITE)
    command = ["-m", "flask", "--app", "serving", "run", "--debug", "--port", str(free_port())]
    with (shop.directory / "served").open("wb") as out:
        watching = subprocess.Popen(
            [sys.executable, *command], cwd=shop.directory, env=shop.environment, stdout=out,
            stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        shop.wait_for(execute=None, within=60)
        shop.enqueue("work", 1)
        [done] = shop.wait_for(did=1, within=60)
        place.write_text(SITE.replace("VERSION = 1", "VERSION = 22"))

        def again_there() -> bool:
            # What is changed before the reloader's first look at the files is no change to it.
            place.touch()
            return len(workers_of(shop)) > 1

        wait_until(again_there, within=90, every=4)
        shop.enqueue("work", 2)
        [again] = shop.wait_for(did=2, within=60)
        assert again["pid"] != done["pid"]
        assert watching.pid not in workers_of(shop)
    finally:
        os.killpg(watching.pid, signal.SIGKILL)
        watching.wait(20)


def workers_of(shop: Fleet) -> set[int]:
    return {note["pid"] for note in shop.notes(execute=None)}


FLASK = {"FLASK_RUN_FROM_CLI": "true"}


@pytest.mark.parametrize(
    ("arguments", "environment", "watches"),
    [
        (["flask", "run", "--debug"], FLASK, True),
        (["flask", "run"], {**FLASK, "FLASK_DEBUG": "1"}, True),
        (["flask", "run"], {**FLASK, "FLASK_DEBUG": "0"}, False),
        (["flask", "run", "--debug"], {**FLASK, "WERKZEUG_RUN_MAIN": "true"}, False),
        (["flask", "run", "--debug", "--no-reload"], FLASK, False),
        (["manage.py", "runserver"], {}, True),
        (["manage.py", "runserver", "--noreload"], {}, False),
        (["manage.py", "runserver", "8001"], {"RUN_MAIN": "true"}, False),
        (["gunicorn", "shop:site"], {}, False),
    ],
)
def test_reloaders_are_known_by_how_they_were_started(
    arguments: list[str], environment: dict[str, str], watches: bool
) -> None:
    assert only_watches(arguments, environment) is watches


def run(shop: Fleet, code: str, *, in_children: bool = False) -> None:
    program = (
        "import os, time, shop\n"
        "def wait_for_job(number):\n"
        "    deadline = time.monotonic() + 20\n"
        "    while time.monotonic() < deadline:\n"
        "        if os.path.exists(shop.notes) and f'\"did\": {number}' in open(shop.notes).read():\n"
        "            return\n"
        "        time.sleep(0.01)\n"
        f"shop.app.run_in_background(in_children={in_children})\n{code}\n"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=shop.directory, env=shop.environment, check=True,
        timeout=60,
    )  # fmt: skip
