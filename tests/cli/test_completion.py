"""Shell completion, in the shells themselves where they are installed."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bide.cli.main import COMMANDS, bide
from conftest import lacking
from waiting import wait_until


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_bide(shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("bash is absent")
    script = CliRunner().invoke(bide, ["completion", shell])
    assert script.exit_code == 0
    assert f"_BIDE_COMPLETE={shell}_complete" in script.output


@pytest.mark.parametrize(
    ("words", "word", "offered"),
    [
        ("bide wo", 1, {"work", "workoff", "workers"}),
        ("bide jobs ", 2, {"list", "show", "retry", "cancel", "delete"}),
        ("bide jobs list --state fa", 4, {"failed"}),
        ("bide work --sleep", 2, {"--sleep-delay"}),
    ],
)
def test_commands_options_and_values_are_offered(
    words: str, word: int, offered: set[str], tmp_path: Path
) -> None:
    asked = {"_BIDE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(word)}
    done = subprocess.run(
        [sys.executable, "-m", "bide.cli"], env=os.environ | asked, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {line.partition(",")[2] for line in done.stdout.splitlines()}
    assert offered <= found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home with nothing in it, and `bide` on the path as after an installation."""
    (tmp_path / "bide").write_text(f'#!/bin/sh\nexec {sys.executable} -m bide.cli "$@"\n')
    (tmp_path / "bide").chmod(0o755)
    return {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb", "LC_ALL": "C",
    }  # fmt: skip


def installed(shell: str) -> None:
    if shutil.which(shell) is None:
        lacking("shells", f"apt-get install {shell}")


def test_bash_itself_completes_with_the_script(environment: dict[str, str]) -> None:
    installed("bash")
    script = (
        "source <(bide completion bash)\n"
        "COMP_WORDS=(bide doc); COMP_CWORD=1; _bide_completion bide doc bide; echo ${COMPREPLY[@]}\n"
    )
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "doctor"


def test_fish_itself_completes_with_the_script(environment: dict[str, str], tmp_path: Path) -> None:
    """From the place where fish looks; what a word means is shown whole, commas included."""
    installed("fish")
    script = (
        "mkdir -p ~/.config/fish/completions\n"
        "bide completion fish > ~/.config/fish/completions/bide.fish\n"
        "complete -C 'bide jobs re'; complete -C 'bide jobs list --state fa'; complete -C 'bide work --sl'\n"
    )
    done = subprocess.run(
        ["fish", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )  # fmt: skip
    found = dict(line.partition("\t")[::2] for line in done.stdout.splitlines())
    jobs = bide.get_command(click.Context(bide), "jobs")
    assert isinstance(jobs, click.Group)
    assert found["retry"] == jobs.commands["retry"].get_short_help_str()
    assert "," in found["retry"]
    assert found.keys() == {"retry", "failed", "--sleep-delay"}


def test_zsh_itself_completes_with_the_script(environment: dict[str, str], tmp_path: Path) -> None:
    """A person types the beginning of a word and the tabulator, in a terminal."""
    installed("zsh")
    (tmp_path / ".zshrc").write_text(
        "PS1='ready> '\n"
        "mkdir -p ~/.zfunc\n"
        "bide completion zsh > ~/.zfunc/_bide\n"
        "fpath+=~/.zfunc\n"
        "autoload -Uz compinit && compinit -u\n"
    )
    with terminal(["zsh", "-i"], environment, tmp_path) as (screen, keys):
        wait_until(lambda: b"ready> " in screen)
        for typed, expected in ((b"bide doc\t", b"doctor "), (b"--js\t", b"--json ")):
            os.write(keys, typed)
            wait_until(lambda expected=expected: expected in screen)  # type: ignore[misc]


@contextmanager
def terminal(
    command: list[str], environment: dict[str, str], folder: Path
) -> Iterator[tuple[bytearray, int]]:
    """What a program shows in a terminal, growing, and the descriptor where keys are typed."""
    ours, its = pty.openpty()
    program = subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env=environment, cwd=folder,
        start_new_session=True,
    )  # fmt: skip
    os.close(its)
    screen = bytearray()

    def read() -> None:
        with suppress(OSError):  # the program has ended
            while shown := os.read(ours, 4096):
                screen.extend(shown)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield screen, ours
    finally:
        program.kill()
        program.wait()
        reader.join()
        os.close(ours)


def test_the_overview_has_the_words_of_each_command() -> None:
    """They stand in a table, so that --help need not load every command."""
    for name in COMMANDS:
        command = bide.get_command(click.Context(bide), name)
        assert command is not None
        assert COMMANDS[name].help == command.get_short_help_str(limit=100)
