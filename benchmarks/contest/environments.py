"""An environment per peer, made once under .cache/contest; Bide and the ceilings run in this one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
CACHE = HERE.parent / ".cache" / "contest"
OURS = ("bare_psycopg", "bare_sqlite", "bare_pymysql", "bare_on_bide", "bide_jobs", "bide_async")


class Unavailable(Exception):
    """A peer cannot take part here; the text says why."""


@dataclass
class Contender:
    """A peer's file, the interpreter that runs it, and what it says of itself."""

    module: str
    python: str
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def prepare(cls, module: str) -> Contender:
        """Make its environment if there is none yet; raises Unavailable."""
        contender = cls(module, sys.executable)
        contender.about = json.loads(contender.ask("about"))
        if module not in OURS:
            contender.python = str(environment(module, contender.about))
        return contender

    def command(self, action: str, *words: str) -> list[str]:
        """The command line of one action."""
        return [self.python, "-m", f"peers.{self.module}", action, *words]

    def ask(self, action: str, *words: str, board: Path | None = None) -> str:
        """Run one action to its end; its output. Raises Unavailable with what it wrote in dying."""
        done = subprocess.run(
            self.command(action, *words),
            env=surroundings(board),
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise Unavailable(f"{self.module} {action}: {done.stderr[-1500:]}")
        return done.stdout


def surroundings(board: Path | None) -> dict[str, str]:
    """The environment variables of a peer's process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIDE_")}
    named = {"CONTEST_BOARD": str(board)} if board else {}
    return kept | {"PYTHONPATH": str(HERE), "PYTHONWARNINGS": "ignore"} | named


def environment(module: str, about: dict[str, Any]) -> Path:
    """The Python of a peer's own virtual environment."""
    place, wanted = CACHE / module, json.dumps(about["requirements"])
    python, stamp = place / "bin" / "python", place / "requirements.json"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(place, ignore_errors=True)
    run([interpreter(about["python"]), "-m", "venv", str(place)])
    run([*installer(python), *about["requirements"]])
    stamp.write_text(wanted)
    return python


def installer(python: Path) -> list[str]:
    if shutil.which("uv"):
        return ["uv", "pip", "install", "-q", "--python", str(python)]
    return [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]


def interpreter(least: str) -> str:
    """This Python, or a newer one where the peer wants that."""
    if sys.version_info >= tuple(int(part) for part in least.split(".")):
        return sys.executable
    candidates = [f"python3.{minor}" for minor in range(13, int(least.split(".")[1]) - 1, -1)]
    candidates += [
        str(path) for path in Path("~/.pyenv/versions").expanduser().glob("3.1[2-9]*/bin/python3")
    ]
    for candidate in candidates:
        ask = [
            candidate,
            "-c",
            f"import sys, venv; sys.exit(sys.version_info < ({least.replace('.', ',')}))",
        ]
        if (
            shutil.which(candidate)
            and not subprocess.run(ask, capture_output=True, check=False).returncode
        ):
            return candidate
    raise Unavailable(f"no Python {least} or newer is here")


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:6])} ...: {done.stderr[-800:]}")
