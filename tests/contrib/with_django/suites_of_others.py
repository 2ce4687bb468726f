"""Test suites of other packages: fetched from the registry, never kept here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import lacking
from contrib.with_django.projects import as_json, database, run

SUITES = Path(__file__).parent / "suites"
#: Tests that do not pass, by suite, with the reason of each.
OMISSIONS = tomllib.loads((SUITES / "omissions.toml").read_text())

#: Of each test by name: passed, failed, skipped.
Outcomes = dict[str, str]


def source_of(package: str, version: str, into: Path) -> Path:
    """The source archive of a package, unpacked; skips where no registry can be reached."""
    if not list(into.glob("*.tar.gz")):
        got = subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", package,
             "--disable-pip-version-check", "--ignore-requires-python", "-d", str(into), f"{package}=={version}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if got.returncode:
            lacking("suites", f"pip download {package}=={version} failed: {got.stderr[-300:]}")
    archive = next(into.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="data")
    return next(path for path in into.iterdir() if path.is_dir())


def run_on_each(
    urls: dict[str, str], suite: str, make: Callable[[Path], None], folder: Path
) -> dict[str, Outcomes]:
    """Run the suite in a project that `make` fills, on all kinds of databases at the same time."""

    def run_on(kind: str) -> Outcomes:
        project = folder / kind
        make(project)
        shutil.copy(SUITES / "recording.py", project)
        here = database(urls[kind])
        here["TEST"] = {"NAME": f"{here['NAME']}_tests"}  # worker processes must find it
        outcomes = project / "outcomes.json"
        done = run(
            project, "-m", "django", "test", "--noinput", "--testrunner", "recording.Recording",
            "--settings", "suite_settings", suite, SUITE_DATABASES=as_json({"default": here}),
            SUITE_OUTCOMES=str(outcomes), DJANGO_SETTINGS_MODULE="suite_settings", timeout=400,
        )  # fmt: skip
        assert outcomes.exists(), done.stderr[-8000:]
        (project / "said").write_text(done.stderr)
        return {
            name.removeprefix(f"{suite}."): outcome
            for name, outcome in json.loads(outcomes.read_text()).items()
        }

    with ThreadPoolExecutor(len(urls)) as together:
        return dict(zip(urls, together.map(run_on, urls), strict=True))


def those(outcomes: Outcomes, outcome: str) -> set[str]:
    """The names of the tests that ended so."""
    return {name for name, its in outcomes.items() if its == outcome}
