"""Database URLs: read with clear errors, shown without their passwords."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

import bide
from bide.db.engine import Database
from bide.db.urls import shown
from bide.errors import SettingsError

SECRETS = [
    "postgresql://ada:s3cret@db/shop",
    "postgresql://db/shop?user=ada&password=s3cret",
    "mysql://ada:s3cret@db/shop",
    "postgresql://ada:s3cret@db:port/shop",
    "ada:s3cret@db",
    "oracle://ada:s3cret@db/shop",
    "postgresql+asyncpg://ada:s3cret@db/shop",
]


@pytest.mark.parametrize("url", SECRETS)
def test_a_password_is_never_printed(url: str) -> None:
    app = bide.App(url, listen_url=url)
    said = [repr(app), repr(app.settings), app.shown_url]
    for use in (lambda: app.database, lambda: app.store):
        try:
            said.append(repr(use()))
        except bide.BideError as error:
            said.append(str(error))
    assert not [text for text in said if "s3cret" in text]


@pytest.mark.parametrize("wrong", [{"database_url": b"pg://a:s3cret@x"}, {"listen_url": 7}])
def test_a_wrong_url_is_refused_without_repeating_it(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"_url=\(hidden\): must be text, e\.g\. postgresql://"):
        bide.App(**wrong)


@pytest.mark.parametrize("url", ["postgresql://ada:s3cret@db:port/shop", "no url", b"s3cret"])
def test_a_url_that_cannot_be_read_says_how_to_write_one(url: Any) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read .* postgresql://user:password@host"):
        Database(url)


def test_a_url_is_shown_with_everything_but_its_password() -> None:
    assert shown("postgresql://ada:x@db:5/shop?sslmode=require") == (
        "postgresql://ada:***@db:5/shop?sslmode=require"
    )
    assert shown("postgresql://db/shop?password=x") == "postgresql://db/shop?password=%2A%2A%2A"


def test_an_app_on_an_engine_shows_that_engine() -> None:
    app = bide.App(create_engine("sqlite:////tmp/given.db"))
    assert repr(app) == "<bide.App sqlite:////tmp/given.db>"


def test_listening_elsewhere_is_for_postgresql_only() -> None:
    app = bide.App("sqlite:////tmp/any.db", listen_url="postgresql://db/shop")
    with pytest.raises(SettingsError, match="listen_url is for PostgreSQL"):
        _ = app.store


WRONG = [
    ("postgresql://ada:s3cret@127.0.0.1:1/shop?conect_timeout=3", "conect_timeout"),
    ("postgresql://ada:s3cret@127.0.0.1:1/shop?connect_timeout=soon", "soon"),
    ("postgresql://ada:s3cret@127.0.0.1:1/shop?sslmode=nonsense", "nonsense"),
    ("postgresql://ada:s3cret@127.0.0.1:99999/shop", "99999"),
    ("mysql://ada:s3cret@127.0.0.1:1/shop?conect_timeout=3", "conect_timeout"),
    ("mysql://ada:s3cret@127.0.0.1:1/shop?connect_timeout=soon", "soon"),
    ("mysql+mysqldb://ada:s3cret@127.0.0.1:1/shop?conect_timeout=3", "conect_timeout"),
    ("sqlite:///shop.db?timeuot=3", "timeuot"),
    ("sqlite:///shop.db?timeout=soon", "soon"),
]


@pytest.mark.parametrize(("url", "wrong"), WRONG)
def test_options_that_a_driver_does_not_take_are_refused_at_once(
    url: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in a URL is no lost database, for which workers would wait for ever."""
    if "mysqldb" in url:
        pytest.importorskip("MySQLdb")
    monkeypatch.chdir(tmp_path)
    app = bide.App(url)
    for use in (app.worker().start, app.migrate):
        with pytest.raises(SettingsError, match=f"options that cannot be used: .*{wrong}") as told:
            use()
        assert "s3cret" not in str(told.value)
    app.close()
