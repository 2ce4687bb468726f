"""The Python blocks of the documentation run, page by page, in order."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import bide

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"^(<!-- not run: [^\n]+ -->\n+)?```python\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks(text: str) -> list[tuple[int, str]]:
    """Line number and code of each block that is to run."""
    return [
        (text.count("\n", 0, match.start(2)), match[2])
        for match in BLOCK.finditer(text)
        if match[1] is None
    ]


def run(page: Path, module: ModuleType) -> None:
    for line, code in blocks(page.read_text()):
        program = compile(
            "\n" * line + code, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        waiting = eval(program, vars(module))
        if inspect.iscoroutine(waiting):
            asyncio.run(waiting)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page.read_text())], ids=str)
def test_the_examples_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page is a module of its own, in an empty directory, with an `app` on a fresh SQLite file."""
    pytest.importorskip("bide.jobs.stores.sqlite")
    module = ModuleType(f"page_{page.stem.replace('-', '_')}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    app = bide.App("sqlite:///page.db")
    app.migrate()
    vars(module).update(bide=bide, app=app)
    try:
        run(page, module)
    finally:
        for made in {app, *(each for each in vars(module).values() if isinstance(each, bide.App))}:
            made.close()


def test_blocks_run_unless_they_say_why_not() -> None:
    left_out = "<!-- not run: needs a web server -->\n\n```python\nb\n```\n"
    text = f"# Page\n```python\na = 1\n```\n{left_out}\n```python\nc = 3\n```\n{left_out}"
    assert blocks(text) == [(2, "a = 1\n"), (11, "c = 3\n")]
