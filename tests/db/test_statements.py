from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest

from bide.db.statements import Statement, Statements, statement
from bide.errors import FatalBackendError

TEXT = Statement("SELECT :a::text, ':b', \"c:d\", 5 % 2 -- :no 100%\nWHERE x = :b AND y = :a", "it")


@pytest.mark.parametrize(
    ("style", "text", "names"),
    [
        ("pyformat", "%(a)s::text, ':b', \"c:d\", 5 %% 2 \nWHERE x = %(b)s AND y = %(a)s", None),
        ("named", ":a::text, ':b', \"c:d\", 5 % 2 \nWHERE x = :b AND y = :a", None),
        ("qmark", "?::text, ':b', \"c:d\", 5 % 2 \nWHERE x = ? AND y = ?", ("a", "b", "a")),
        ("format", "%s::text, ':b', \"c:d\", 5 %% 2 \nWHERE x = %s AND y = %s", ("a", "b", "a")),
        ("numeric_dollar", "$1::text, ':b', \"c:d\", 5 % 2 \nWHERE x = $2 AND y = $1", ("a", "b")),
    ],
)
def test_a_statement_is_written_in_the_style_of_each_driver(
    style: str, text: str, names: tuple[str, ...] | None
) -> None:
    form = TEXT.form(style)
    assert form.text == f"SELECT {text}"
    assert form.names == names


def test_positional_parameters_are_bound_in_order() -> None:
    assert TEXT.form("qmark").bind({"a": 1, "b": 2, "unused": 3}) == (1, 2, 1)
    assert TEXT.form("numeric_dollar").bind({"a": 1, "b": 2}) == (1, 2)


def test_a_statement_of_one_database_goes_before_the_common_one() -> None:
    assert "INSERT IGNORE" in Statements("bide.jobs.sql", "mysql")["pause"].text
    assert "ON CONFLICT" in Statements("bide.jobs.sql", "postgresql")["pause"].text


def test_tables_begin_with_the_prefix() -> None:
    """DJ-099, DJ-100."""
    assert "INSERT INTO bide_queues" in Statements("bide.jobs.sql", "sqlite")["pause"].text
    prefixed = Statements("bide.jobs.sql", "sqlite", "app_x_")["pause"].text
    assert "INSERT INTO app_x_queues" in prefixed
    assert "bide_" not in prefixed


def test_a_statement_that_is_not_there_is_named() -> None:
    with pytest.raises(FatalBackendError, match=r"no statement fly\.sql for sqlite, nor a common"):
        Statements("bide.jobs.sql", "sqlite")["fly"]


def test_text_is_parsed_once() -> None:
    assert statement("SELECT :a") is statement("SELECT :a")


def test_statements_are_found_in_an_archive_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("in_an_archive/__init__.py", "")
        archive.writestr("in_an_archive/common/count.sql", "SELECT count(*) FROM bide_jobs")
        archive.writestr("in_an_archive/sqlite/one.sql", "SELECT 1")
    monkeypatch.syspath_prepend(tmp_path / "archive.zip")
    statements = Statements("in_an_archive", "sqlite")
    statements.load("named")
    assert statements["count"].text == "SELECT count(*) FROM bide_jobs"
