"""The options of the daemon's commands beside the original's: understood, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bide.cli.main import bide
from bide.errors import SettingsError

DATA = Path(__file__).parents[1] / "workers" / "data" / "command_options.json"
CASES = [case for case in json.loads(DATA.read_text())["cases"] if case["argv"][:1] == ["start"]]

#: What the original took in silence, or crashed on, and Bide refuses as wrong usage (status 2).
REFUSED = {
    "--pool=*,a:2": "'*' means every queue and stands alone",
    "--pool=a:2x": "no number of workers",
    "--pool=a:1.9": "no number of workers",
    "--pool=a:2:3": "more than one ':'",
    "--pool=a,:1": "empty queue name",
    "--pool": "requires an argument",
    "--poo=a:1": "No such option",
    "--pool=x:2 -n 5": "--pool excludes -n",
    "--pool=x:2 --queues=y": "--pool excludes -n and --queues",
    "--number_of_workers=2": "Did you mean '--number-of-workers'",
    "-n abc": "not a valid integer",
    "--min-priority x": "not a valid integer",
    "--sleep-delay x": "not a valid float",
    "-e production": "No such option",
    "--daemon-options -a,-b": "No such option",
    "-- extra args": "unexpected extra argument",
}


def run(*words: str, directory: Path) -> Result:
    """The options where they start nothing: every verb looks at all of them."""
    argv = [word.replace("<dir>", str(directory)) for word in words]
    return CliRunner().invoke(bide, ["status", f"--pid-dir={directory}", *argv])


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["argv"][1:]) or "none")
def test_options_are_understood_or_refused_by_name(case: dict[str, Any], tmp_path: Path) -> None:
    """DJ-144..146, DJ-230, DJ-566..571."""
    words = case["argv"][1:]
    done = run(*words, directory=tmp_path)
    reason = REFUSED.get(" ".join(words))
    if reason is None:
        assert done.exit_code == 3, done.output
    elif isinstance(done.exception, SettingsError):
        assert reason in str(done.exception)
    else:
        assert done.exit_code == 2
        assert reason in done.output


@pytest.mark.parametrize("identifier", ["a/b", "../x", "a b", ""])
def test_an_identifier_that_is_no_part_of_a_file_name_is_refused(
    identifier: str, tmp_path: Path
) -> None:
    done = run("-i", identifier, directory=tmp_path)
    assert isinstance(done.exception, SettingsError)


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "status", "reload"])
def test_help_is_no_error(verb: str) -> None:
    """DJ-571."""
    assert CliRunner().invoke(bide, [verb, "-h"]).exit_code == 0
