"""The public face: what it names is there, typed, sorted and documented."""

from __future__ import annotations

import ast
from pathlib import Path

import bide
from bide import errors

FACE = Path(bide.__file__)
DOCS = FACE.parents[2] / "docs"


def typed_names() -> list[str]:
    """What the face imports for type checkers."""
    tree = ast.parse(FACE.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return [
        alias.name
        for node in imports
        if (node.module or "").startswith("bide.")
        for alias in node.names
    ]


def test_type_checkers_and_programs_see_the_same_names() -> None:
    assert sorted(typed_names()) == sorted(bide.__all__)


def test_every_public_name_can_be_had() -> None:
    assert [name for name in bide.__all__ if getattr(bide, name, None) is None] == []


def test_every_public_name_is_documented() -> None:
    """Errors are listed by the reference page that is made from the code."""
    pages = "\n".join(page.read_text() for page in DOCS.rglob("*.md"))
    names = set(bide.__all__) - vars(errors).keys()
    assert {name for name in names if name not in pages} == set()
