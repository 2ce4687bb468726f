from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bide.db.dialects import MINIMUM, Dialect, moment_from, moment_in
from bide.db.engine import Database
from bide.errors import UnsupportedFeature

MOMENT = datetime(2026, 3, 1, 12, 30, 15, 7, tzinfo=UTC)


def test_the_server_tells_what_it_is(database_url: str) -> None:
    database = Database(database_url)
    assert database.dialect.kind == database.kind
    assert str(database.dialect).startswith(database.dialect.product)
    database.close()


def test_an_old_server_is_refused_at_the_first_connection(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MINIMUM, "SQLite", (99,))
    with pytest.raises(UnsupportedFeature, match="too old: Bide needs SQLite 99"):
        Database(sqlite_url).read(lambda c: c.execute("SELECT 1"))


def test_a_feature_that_is_lacking_is_named_with_the_version_needed() -> None:
    mariadb = Dialect("MariaDB", (10, 11, 19))
    assert mariadb.has("skip_locked")
    mariadb.require("skip_locked")
    assert not mariadb.has("notify")
    with pytest.raises(UnsupportedFeature, match=r"MariaDB 10\.11\.19 has no notify.*PostgreSQL 9"):
        mariadb.require("notify")


@pytest.mark.parametrize(
    ("product", "version", "needed"),
    [
        ("PostgreSQL", (11, 22), "PostgreSQL 12"),
        ("MySQL", (5, 7, 44), r"MySQL 8\.0\.1"),
        ("MariaDB", (10, 5), r"MariaDB 10\.6"),
        ("SQLite", (3, 34, 1), r"SQLite 3\.35"),
    ],
)
def test_an_old_server_is_refused_with_the_version_needed(
    product: str, version: tuple[int, ...], needed: str
) -> None:
    with pytest.raises(UnsupportedFeature, match=f"too old: Bide needs {needed}"):
        Dialect(product, version)


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9)), timezone(-timedelta(hours=3))])
def test_moments_come_back_as_the_same_instant_in_utc(kind: str, zone: Any) -> None:
    """DJ-092..094, DJ-289..295: only UTC is stored, so no change of clocks can move a job."""
    back = moment_from(moment_in(kind, MOMENT.astimezone(zone)))
    assert back == MOMENT
    assert back.utcoffset() == timedelta(0)


def test_moments_as_text_sort_as_time_does() -> None:
    moments = [MOMENT + timedelta(microseconds=n) for n in (0, 1, 999_000, 10**6, 10**9, 10**12)]
    texts = [moment_in("sqlite", moment) for moment in moments]
    assert texts == sorted(texts)
