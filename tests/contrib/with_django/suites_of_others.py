"""Test suites of other packages: fetched from the registry, never kept here."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from conftest import lacking

#: Tests that do not pass, by suite, with the reason of each.
OMISSIONS = tomllib.loads((Path(__file__).parent / "suites" / "omissions.toml").read_text())


def source_of(package: str, version: str, into: Path) -> Path:
    """The source archive of a package, unpacked; skips where no registry can be reached."""
    if not list(into.glob("*.tar.gz")):
        got = subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", package,
             "--disable-pip-version-check", "-d", str(into), f"{package}=={version}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if got.returncode:
            lacking("suites", f"pip download {package}=={version} failed: {got.stderr[-300:]}")
    archive = next(into.glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="data")
    return next(path for path in into.iterdir() if path.is_dir())


def outcome(text: str) -> tuple[int, set[str]]:
    """How many tests ran, and those that did not pass, as «module.Class.test»."""
    ran = re.search(r"^Ran (\d+) tests?", text, re.MULTILINE)
    failed = re.findall(r"^(?:FAIL|ERROR): \w+ \(([\w.]+)\)", text, re.MULTILINE)
    return int(ran[1]) if ran else 0, set(failed)


def skipped(text: str) -> int:
    """How many tests their own authors skipped."""
    found = re.search(r"^(?:OK|FAILED) \(.*\bskipped=(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0
