"""Shell completion, in the shells themselves where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bide.cli.main import COMMANDS, bide


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


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is absent")
def test_bash_itself_completes_with_the_script(tmp_path: Path) -> None:
    (tmp_path / "bide").write_text(f'#!/bin/sh\nexec {sys.executable} -m bide.cli "$@"\n')
    (tmp_path / "bide").chmod(0o755)
    script = (
        "source <(bide completion bash)\n"
        "COMP_WORDS=(bide doc); COMP_CWORD=1; _bide_completion bide doc bide; echo ${COMPREPLY[@]}\n"
    )
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "doctor"


def test_the_overview_has_the_words_of_each_command() -> None:
    """They stand in a table, so that --help need not load every command."""
    import click

    for name in COMMANDS:
        command = bide.get_command(click.Context(bide), name)
        assert command is not None
        assert COMMANDS[name].help == command.get_short_help_str(limit=100)
