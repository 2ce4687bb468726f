"""What programs ask of the screens' server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bide import App
from bide.web import Users, create_app, hashed_password
from web.browsing import client_of, viewed

PASSWORD = hashed_password("correct horse")


@pytest.fixture
def app(sqlite_url: str) -> Iterator[App]:
    app = App(sqlite_url, metrics_token="a-long-random-word")
    app.migrate()
    yield app
    app.close()


def screens_of(app: App) -> Any:
    return create_app(app, users=Users({"ada": {"password": PASSWORD, "roles": ["everything"]}}))


def bearer(word: str) -> dict[str, str]:
    return {"authorization": f"Bearer {word}"}


def test_a_server_that_answers_lives_and_is_ready(app: App) -> None:
    client = client_of(screens_of(app), client=("192.0.2.7", 4000))
    assert client.get("/health/live").json() == {"live": True, "reasons": []}
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


def test_a_server_without_its_database_lives_and_is_not_ready() -> None:
    app = App("postgresql://nobody:secret@127.0.0.1:1/none")
    client = client_of(screens_of(app))
    assert client.get("/health/live").status_code == 200
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    [reason] = answer.json()["reasons"]
    assert reason.startswith("the database does not answer")
    assert "secret" not in answer.text
    app.close()


def test_a_server_without_tables_is_not_ready(sqlite_url: str) -> None:
    app = App(sqlite_url)
    answer = client_of(screens_of(app)).get("/health/ready")
    assert (answer.status_code, "bide migrate" in answer.text) == (503, True)
    app.close()


def test_a_scraper_with_the_token_reads_the_metrics(app: App) -> None:
    answer = client_of(screens_of(app)).get("/metrics", headers=bearer("a-long-random-word"))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "bide_up" in {one.name for one in text_string_to_metric_families(answer.text)}


@pytest.mark.parametrize(
    "headers",
    [{}, bearer("wrong"), bearer(""), {"authorization": "Basic a-long-random-word"}],
)
def test_others_do_not(app: App, headers: dict[str, str]) -> None:
    answer = client_of(screens_of(app)).get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert "bide_up" not in answer.text


def test_without_a_token_in_the_settings_no_word_opens_the_metrics(sqlite_url: str) -> None:
    app = App(sqlite_url)
    client = client_of(screens_of(app))
    for headers in ({}, bearer(""), bearer("None")):
        assert client.get("/metrics", headers=headers).status_code == 401
    app.close()


def test_viewers_of_jobs_may_read_the_metrics(app: App) -> None:
    assert viewed(app, ["jobs.view"]).get("/metrics").status_code == 200
    assert viewed(app, ["texts.view"]).get("/metrics").status_code == 401
