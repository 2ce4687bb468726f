"""bin/bench measures what it says, and nothing is left undone; how fast is not asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from servers import postgresql

BENCH = Path(__file__).resolve().parents[2] / "benchmarks" / "bench.py"


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH), *words], capture_output=True, text=True, check=False
    )


@pytest.mark.story
@pytest.mark.timeout(300)
@pytest.mark.skipif(postgresql.binaries() is None, reason=postgresql.WHERE)
def test_bide_and_the_ceiling_do_every_job_in_one_run(tmp_path: Path) -> None:
    said = tmp_path / "said.json"
    sections = "drain,sqlite,enqueue-one,enqueue-many"
    done = bench(
        *("--peers", "none", "--rounds", "1", "--scale", "0.005"),
        *("--only", sections, "--json", str(said)),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(said.read_text())["sections"]
    assert sorted(found) == sorted(sections.split(","))
    for section in found.values():
        names = [row["name"] for row in section["rows"]]
        assert "Bide" in names
        assert section["absent"] == []
        assert all(row["median"] > 0 for row in section["rows"])


@pytest.mark.story
@pytest.mark.timeout(300)
@pytest.mark.skipif(postgresql.binaries() is None, reason=postgresql.WHERE)
def test_weather_mix_and_weight_are_part_of_it(tmp_path: Path) -> None:
    said = tmp_path / "said.json"
    done = bench(
        *("--quick", "--only", "depth,bad-day,mix,weight", "--json", str(said)),
        *("--rounds", "1", "--scale", "0.005", "--depth", "500"),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(said.read_text())["sections"]
    compared = {key: sum(row["ratio"] is not None for row in found[key]["rows"]) for key in found}
    assert compared == {"depth": 1, "bad-day": 2, "mix": 2, "weight": 0}
    assert all(section["absent"] == [] for section in found.values())
    assert all(row["median"] > 0 for key in ("depth", "bad-day") for row in found[key]["rows"])


@pytest.mark.parametrize(
    "words", [("--only", "drian"), ("--peers", "sidekiq"), ("--rounds", "many")]
)
def test_unknown_words_are_refused_with_what_there_is(words: tuple[str, str]) -> None:
    done = bench(*words)
    assert done.returncode == 2
    assert words[1] in done.stderr


def test_every_promise_is_measured_on_and_off() -> None:
    program = BENCH.with_name("promises.py")
    words = ["--jobs", "20", "--rounds", "1", "--json"]
    done = subprocess.run(
        [sys.executable, str(program), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {"statistics", "locale", "heartbeat", "lease fencing"} <= set(found)
    assert all(row["on"] > 0 and row["off"] > 0 for row in found.values())
