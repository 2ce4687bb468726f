"""What no linter knows: sizes, roles, and where SQL and forks may stand."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from bide.log import LINES

SOURCE = Path(__file__).parents[2] / "src" / "bide"
MODULES = sorted(SOURCE.rglob("*.py"))
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b", re.DOTALL
)
SQL_HOMES = (
    "db/",
    "jobs/stores/",
    "jobs/sql/",
    "i18n/sql/",
    "jobs/migrations/",
    "i18n/migrations/",
)


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(SOURCE)) for path in paths]


@pytest.mark.parametrize("name", names(MODULES))
def test_module_has_at_most_400_lines(name: str) -> None:
    assert len((SOURCE / name).read_text().splitlines()) <= 400


@pytest.mark.parametrize("name", names(MODULES))
def test_module_opens_with_its_role(name: str) -> None:
    assert ast.get_docstring(ast.parse((SOURCE / name).read_text()))


@pytest.mark.parametrize("name", [n for n in names(MODULES) if not n.startswith(SQL_HOMES)])
def test_sql_stands_in_its_homes_only(name: str) -> None:
    strings = [
        node.value
        for node in ast.walk(ast.parse((SOURCE / name).read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not [text for text in strings if SQL.search(text)]


def test_every_event_has_its_words() -> None:
    emitted = {
        name
        for module in MODULES
        for name in re.findall(r"\bemit\(\s*\"([^\"]+)\"", module.read_text())
    }
    assert emitted == set(LINES)


def test_only_one_module_forks() -> None:
    forking = [n for n in names(MODULES) if re.search(r"\bos\.fork\(", (SOURCE / n).read_text())]
    assert forking in ([], ["workers/children.py"])


def test_the_drawing_of_the_floors_is_the_contract() -> None:
    page = (SOURCE.parents[1] / "docs" / "explanation" / "architecture.md").read_text()
    drawing = page.split("```text\n")[1].split("```")[0].strip().splitlines()
    settings = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text())
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    drawn = [re.split(r"\s{2,}", line)[0] for line in drawing]
    assert drawn == [layer.replace("(", "").replace(")", "") for layer in layers]


def test_changelog_lines_are_named_by_their_kind() -> None:
    folder = SOURCE.parents[1] / "changelog.d"
    kinds = "added|changed|deprecated|removed|fixed|security"
    odd = [path.name for path in folder.iterdir() if not re.search(rf"\.({kinds})\.md$", path.name)]
    assert odd == ["README.md"]


def test_every_extra_for_users_is_documented() -> None:
    settings = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text())
    ours = {"test", "forks-test", "docs", "check", "dev", "release"}
    page = (SOURCE.parents[1] / "docs" / "how-to" / "install.md").read_text()
    extras = settings["project"]["optional-dependencies"].keys() - ours
    assert [extra for extra in extras if f"bide[{extra}]" not in page] == []
