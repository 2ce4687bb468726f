"""The commands of the daemon in a directory of their own, and the processes they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import bide
from bide.workers.processes import children_of
from waiting import wait_until

APPLICATION = """
import os, time
import bide
app = bide.App.from_env()

def note(text):
    with open("notes", "a") as file:
        file.write(text + chr(10))

@app.job
def work(number): note(f"{VERSION} did {number}")

@app.job
def slow(number, seconds):
    note(f"{VERSION} began {number}")
    time.sleep(seconds)
    note(f"{VERSION} did {number}")

@app.job
def deaf():
    note("deaf began")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            time.sleep(1)
        except BaseException:
            pass

@app.job
def says(text): print(text)

@app.lifecycle.before("execute")
def execute(worker): note(f"{VERSION} execute {os.getpid()}")

VERSION = "one"
"""


class Place:
    """A directory with an application `shop`, in which commands run."""

    def __init__(self, directory: Path, url: str, **settings: Any) -> None:
        self.directory = directory
        self.environment = {
            **os.environ,
            "BIDE_APP": "shop:app",
            "BIDE_DATABASE_URL": url,
            "PWD": str(directory),
            **{f"BIDE_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.write(APPLICATION)
        app = bide.App(url)
        app.migrate()
        app.close()

    def write(self, code: str) -> None:
        """New code of the application; never taken for the old one by its time and size."""
        (self.directory / "new").write_text(code)
        (self.directory / "new").replace(self.directory / "shop.py")
        for cached in self.directory.rglob("*.pyc"):
            cached.unlink()

    def bide(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-B", "-m", "bide.cli", *words],
            cwd=self.directory, env={**self.environment, **environment},
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    def start(self, *words: str) -> int:
        """Start a daemon; its pid."""
        done = self.bide("start", *words)
        assert done.returncode == 0, done.stderr
        return int(done.stdout.rpartition("pid ")[2].split()[0])

    def enqueue(self, *calls: str) -> None:
        """Store jobs, e.g. `work.delay(1)`."""
        code = "import shop\n" + "\n".join(f"shop.{call}" for call in calls)
        subprocess.run(
            [sys.executable, "-B", "-c", code], cwd=self.directory, env=self.environment, check=True
        )

    def status(self, *words: str) -> dict[str, Any]:
        return dict(json.loads(self.bide("status", "--json", *words).stdout))

    def notes(self) -> list[str]:
        file = self.directory / "notes"
        return file.read_text().splitlines() if file.exists() else []

    def wait_for(self, note: str, within: float = 60.0) -> None:
        wait_until(lambda: note in self.notes(), within=within)

    def log(self, name: str = "bide") -> str:
        file = self.directory / "log" / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def pid_files(self) -> list[str]:
        return sorted(path.name for path in self.directory.glob("tmp/pids/*.pid"))

    def end(self) -> None:
        """Kill whatever still runs from here."""
        for file in self.directory.rglob("*.pid"):
            pid = file.read_text().partition("\n")[0]
            if pid.isdecimal() and int(pid) != os.getpid() and self._is_ours(int(pid)):
                for one in [int(pid), *children_of(int(pid))]:
                    with suppress(ProcessLookupError):
                        os.kill(one, signal.SIGKILL)

    def _is_ours(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").resolve() == self.directory.resolve()
        except OSError:
            return False


@contextmanager
def place(directory: Path, url: str, **settings: Any) -> Iterator[Place]:
    """A Place from which nothing runs afterwards."""
    made = Place(directory, url, **settings)
    try:
        yield made
    except BaseException:
        out = made.directory / "out"
        sys.stderr.write(made.log()[-6000:] + (out.read_text() if out.exists() else ""))
        raise
    finally:
        made.end()
