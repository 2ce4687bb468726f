"""Which keys code names, found without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bide.i18n.inventory.usage import Usage, found_in


def usage(tmp_path: Path, code: str, name: str = "a.py") -> Usage:
    (tmp_path / name).write_text(code)
    return found_in([tmp_path])


@pytest.mark.parametrize(
    ("code", "key", "named"),
    [
        ('t("a.b")', "a.b", True),
        ('i18n.t("a.b", count=3)', "a.b", True),
        ('t("a")', "a.b", True),
        ('t("b", scope="a")', "a.b", True),
        ('t("c", scope=["a", "b"])', "a.b.c", True),
        ('t(["x", "a.b"])', "a.b", True),
        ('t("x", default=[Key("a.b"), "A"])', "a.b", True),
        ('t(f"a.{x}")', "a.b", True),
        ('t("a." + x)', "a.b", True),
        ('t("a.%s" % x)', "a.b", True),
        ('t(x, scope="a")', "a.b", True),
        ('label = "a.b"', "a.b", True),
        ('label = "a"', "a.b", False),
        ('t("a.bc")', "a.b", False),
        ('t("b")', "a.b", False),
        ("t(x)", "a.b", False),
        ("this is no python: 'a.b'", "a.b", True),
    ],
)
def test_keys_in_python(tmp_path: Path, code: str, key: str, named: bool) -> None:
    assert usage(tmp_path, code).names(key) is named


@pytest.mark.parametrize(
    ("code", "key", "named"),
    [
        ("{{ t('a.b') }}", "a.b", True),
        ('{{ "a.b"|t }}', "a.b", True),
        ('{% t "a.b" name=x %}', "a.b", True),
        ("{{ t('a.' ~ x) }}", "a.b", True),
        ("a.b", "a.b", False),
    ],
)
def test_keys_in_templates(tmp_path: Path, code: str, key: str, named: bool) -> None:
    assert usage(tmp_path, code, "a.html").names(key) is named


def test_a_computed_key_is_told_with_its_place(tmp_path: Path) -> None:
    found = usage(tmp_path, "x = 1\nt(x)\n")
    assert found.computed == (f"{tmp_path}/a.py:2",)


def test_folders_of_others_are_not_looked_into(tmp_path: Path) -> None:
    for folder in ("node_modules", ".venv"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text('t("a.b")')
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "b.py").write_bytes(b"\xff\x00 'x'")
    assert not found_in([tmp_path]).names("a.b")
