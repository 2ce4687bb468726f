"""Which rows of behaviour the tests cite: counts, the rows left out with their reason, the missing.

A test cites rows in its docstring: `DJ-072`, `DJ-072, DJ-075`, `DJ-120..125`, `DJ-120 to DJ-125`.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
CONTRACTS = TESTS.parent / "src" / "bide" / "testing"
SPECS = ("DJ", "I18N")
CITED = re.compile(r"\b(DJ|I18N)-(\d{3})(?:\s*(?:\.\.|to)\s*(?:\1-)?(\d{3}))?\b")


def titles(spec: str) -> dict[str, str]:
    """Every row of a specification: its number and what it is about."""
    lines = (TESTS / "spec" / f"{spec.lower()}.txt").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def left_out(spec: str) -> dict[str, str]:
    """The rows that Bide does not follow, and why."""
    path = TESTS / f"spec_omissions_{spec.lower()}.toml"
    return tomllib.loads(path.read_text()) if path.exists() else {}


def citations() -> dict[str, list[str]]:
    """Row to the tests that cite it."""
    found: dict[str, list[str]] = {}
    for path in sorted([*TESTS.rglob("*.py"), *CONTRACTS.rglob("*.py")]):
        for name, docstring in docstrings(path):
            for row in cited(docstring):
                found.setdefault(row, []).append(f"{path.relative_to(TESTS.parent)}::{name}")
    return found


def docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """Those of test functions and of classes, which may be state machines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) or (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test_")
        ):
            yield node.name, ast.get_docstring(node) or ""


def cited(text: str) -> Iterator[str]:
    for match in CITED.finditer(text):
        spec, first, last = match.groups()
        for number in range(int(first), int(last or first) + 1):
            yield f"{spec}-{number:03}"


@dataclass
class Coverage:
    """Where one specification stands; `problems` are sentences about citations that cannot be right."""

    spec: str
    covered: dict[str, list[str]]
    omitted: dict[str, str]
    missing: dict[str, str]
    problems: list[str]

    @classmethod
    def of(cls, spec: str) -> Coverage:
        rows, omitted = titles(spec), left_out(spec)
        covered = {row: by for row, by in citations().items() if row.startswith(f"{spec}-")}
        missing = {row: rows[row] for row in rows if row not in covered and row not in omitted}
        return cls(spec, covered, omitted, missing, list(cls.doubts(rows, covered, omitted)))

    @staticmethod
    def doubts(
        rows: dict[str, str], covered: dict[str, list[str]], omitted: dict[str, str]
    ) -> Iterator[str]:
        for row in sorted(covered.keys() - rows.keys()):
            yield f"{row} does not exist, but is cited by {covered[row][0]}"
        for row in sorted(omitted.keys() - rows.keys()):
            yield f"{row} does not exist, but is left out with a reason"
        for row in sorted(omitted.keys() & covered.keys()):
            yield f"{row} is left out with a reason, and cited by {covered[row][0]}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/coverage-of-spec", description=__doc__)
    parser.add_argument("--missing", action="store_true", help="list the rows that no test cites")
    parser.add_argument("--json", action="store_true", help="everything, for programs")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a row is missing")
    wish = parser.parse_args()
    every = [Coverage.of(spec) for spec in SPECS]
    if wish.json:
        print(json.dumps({one.spec: vars(one) for one in every}, indent=2))
    else:
        tell(every, missing=wish.missing)
    if any(one.problems or (wish.strict and one.missing) for one in every):
        sys.exit(1)


def tell(every: list[Coverage], *, missing: bool) -> None:
    for one in every:
        print(f"{one.spec}: {len(titles(one.spec))} rows")
        print(f"  {len(one.covered):4} covered by tests")
        print(f"  {len(one.omitted):4} left out, with the reason:")
        for row, reason in sorted(one.omitted.items()):
            print(f"         {row} {reason}")
        print(f"  {len(one.missing):4} missing{':' if missing else ''}")
        for row, title in one.missing.items() if missing else ():
            print(f"         {row} {title}")
        for problem in one.problems:
            print(f"  PROBLEM {problem}")


if __name__ == "__main__":
    main()
