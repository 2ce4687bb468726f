"""The SQL for MySQL stays within what both MySQL 8 and MariaDB run; only one of them is tested with."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

#: What one of the two lacks, or what would depend on the session that runs it.
FORBIDDEN = {
    r"\bRETURNING\b": "MySQL has none",
    r"\bWITH\b": "MariaDB allows none before UPDATE or DELETE, and MySQL stops recursions",
    r"\bSEQUENCE\b|\bNEXT VALUE\b|\bNEXTVAL\b": "MySQL has no sequences",
    r"\bLATERAL\b|->": "MariaDB has none",
    r"\bFOR SHARE\b|\bNOWAIT\b|\bOF\b \w+ (SKIP|NOWAIT)": "MariaDB has none",
    r"\bVALUES?\(\w+\)|\bAS new\b": "the one is going away, the other MariaDB lacks",
    r"\bSKIP LOCKED\b(?=.*\bSKIP LOCKED\b)": "one lock for one statement",
    r"\bNOW\(|\bSYSDATE\(|\bCURRENT_TIMESTAMP\b|\bUNIX_TIMESTAMP\b": "depends on the time zone",
    r"\|\|": "means OR or joins texts, as the session likes",
    r'"': "quotes a text or a name, as the session likes",
    r"\bSET STATEMENT\b|/\*M?!": "one of the two skips it",
    r"\bINSERT IGNORE\b(?! INTO bide_queues)": "cuts texts that are too long",
    r"\bUUID_V7\b|\bGET_LOCK\b|\bINTERSECT\b|\bEXCEPT\b": "newer than what is supported",
    r"\bLIMIT :\w+ OFFSET\b": "costs more with every page",
    r"\bfunctional\b|\bINDEX \w+ \(\(": "MariaDB has no index on an expression",
}


def texts() -> dict[str, str]:
    return {
        file.name: re.sub(r"--[^\n]*", "", file.read_text(encoding="utf-8"))
        for package in ("bide.jobs.sql", "bide.i18n.sql")
        for file in (files(package) / "mysql").iterdir()
        if file.name.endswith(".sql")
    }


@pytest.mark.parametrize(("name", "text"), texts().items(), ids=texts().keys())
def test_no_statement_uses_what_only_one_of_the_two_has(name: str, text: str) -> None:
    found = [
        f"{pattern}: {why}"
        for pattern, why in FORBIDDEN.items()
        if re.search(pattern, text, re.IGNORECASE | re.DOTALL)
    ]
    assert not found, name


@pytest.mark.parametrize(("name", "text"), texts().items(), ids=texts().keys())
def test_a_lock_names_its_index(name: str, text: str) -> None:
    """A scan of the optimizer's choice would lock in another order, and wait for rows of others."""
    if "bide_jobs" in text and re.search(r"FOR UPDATE|LOCK IN SHARE|^(UPDATE|DELETE)", text):
        assert "FORCE INDEX" in text, name


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM bide_jobs WHERE id = 1 RETURNING id",
        "WITH x AS (SELECT 1) UPDATE bide_jobs SET state = 1",
        "SELECT NEXTVAL(bide_pos)",
        "UPDATE bide_jobs SET run_at = NOW(6)",
        'SELECT id FROM bide_jobs WHERE queue = "mail"',
    ],
)
def test_the_lint_sees_what_it_is_for(text: str) -> None:
    assert any(re.search(pattern, text, re.IGNORECASE | re.DOTALL) for pattern in FORBIDDEN)
