"""A real application with a real fleet in a process of its own, for the stories of supervisors."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import bide
from waiting import wait_until

APPLICATION = """
import ctypes, json, os, signal, time
import bide
app = bide.App.from_env()
notes = os.environ["SHOP_NOTES"]

def note(**facts):
    line = json.dumps({"at": time.monotonic(), "pid": os.getpid(), **facts}) + "\\n"
    fd = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, line.encode())
    os.close(fd)

@app.job
def work(number): note(did=number)

@app.job
def slow(number, seconds):
    note(began=number)
    time.sleep(seconds)
    note(did=number)

@app.job
def dies(number, times, how="kill"):
    note(began=number)
    if bide.current_job().crashes < times:
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(int(how))
    note(did=number)

@app.job(max_run_time=0.3)
def deaf(number):
    note(began=number)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            time.sleep(1)
        except BaseException:
            pass

@app.job(max_run_time=0.3)
def stuck(number):
    note(began=number)
    sum(range(10**11))  # one call of C code, which heeds no signal and lets no other thread run

@app.lifecycle.before("execute")
def execute(worker): note(execute=worker.name)
"""


class Fleet:
    """`bide work` in a directory with the application `shop`, and what its jobs wrote down."""

    def __init__(self, directory: Path, url: str, source: str = "", **settings: Any) -> None:
        self.directory, self.notes_file = directory, directory / "notes"
        (directory / "shop.py").write_text(APPLICATION + source)
        self.environment = {
            **os.environ,
            "BIDE_DATABASE_URL": url,
            "SHOP_NOTES": str(self.notes_file),
            **{f"BIDE_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.shop = self._imported()
        self.app: bide.App = self.shop.app
        self.app.migrate()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "log"

    def _imported(self) -> ModuleType:
        """The application, here and not only in the fleet; the next test has another `shop`."""
        spec = importlib.util.spec_from_file_location("shop", self.directory / "shop.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["shop"] = module
        with mock.patch.dict(os.environ, self.environment):
            spec.loader.exec_module(module)
        return module

    def enqueue(self, job: str, *args: Any, **options: Any) -> int:
        """Store a job of the application."""
        stored = getattr(self.shop, job).using(**options).delay(*args)
        assert stored.id is not None
        return int(stored.id)

    def start(self, *options: str) -> None:
        command = [sys.executable, "-m", "bide.cli", "--app", "shop:app", "work", *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.directory, env=self.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def notes(self, **having: Any) -> list[dict[str, Any]]:
        """What jobs wrote down, those with these facts (None: any value)."""
        if not self.notes_file.exists():
            return []
        notes = [json.loads(line) for line in self.notes_file.read_text().splitlines()]
        return [
            note
            for note in notes
            if all(name in note and value in (None, note[name]) for name, value in having.items())
        ]

    def wait_for(self, count: int = 1, within: float = 20.0, **having: Any) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.notes(**having)) >= count, within=within)
        return self.notes(**having)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, within: float = 20.0) -> int:
        assert self.process is not None
        return self.process.wait(within)

    def children(self) -> list[int]:
        """Process ids of the supervisor's living children."""
        assert self.process is not None
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            pids = [*self.children(), self.process.pid]
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self.process.wait(10)
        self.app.close()


@contextmanager
def fleet(directory: Path, url: str, source: str = "", **settings: Any) -> Iterator[Fleet]:
    """A Fleet whose processes are gone afterwards; `source` is more of its application."""
    made = Fleet(directory, url, source, **settings)
    try:
        yield made
    except BaseException:
        if made.log.exists():
            sys.stderr.write(made.log.read_text()[-8000:])
        raise
    finally:
        made.end()
