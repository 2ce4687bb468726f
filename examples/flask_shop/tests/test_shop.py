"""The shop's own tests: no worker runs, the test says when the jobs do."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from shop import create_app, tasks
from shop.models import Article, db, open_shop

from bide.testing import assert_enqueued, drain, enqueued, frozen_time


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A shop of this test, with a database and an outbox of its own."""
    app = create_app({"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/shop.db", "TESTING": True})
    monkeypatch.setattr(tasks, "OUTBOX", tmp_path)
    tasks.jobs.migrate()
    with app.app_context():
        open_shop()
    yield app
    tasks.jobs.close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_an_order_is_stored_with_its_receipt(client: FlaskClient, tmp_path: Path) -> None:
    answer = client.post("/orders", json={"email": "ada@example.org", "quantity": 2})
    assert answer.status_code == 201
    number = answer.get_json()["id"]
    assert_enqueued(tasks.send_receipt, args=[number], queue="mail", count=1)
    assert drain(tasks.jobs) == (1, 0)
    assert (tmp_path / f"{number}.txt").read_text() == "To: ada@example.org\n2 x Tea pot: 39.00\n"
    assert client.get(f"/orders/{number}").get_json()["receipt_at"] is not None


def test_an_order_that_is_refused_leaves_no_receipt(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/orders", json={"email": "ada@example.org", "quantity": 99})
    assert answer.status_code == 409
    assert enqueued(tasks.jobs) == []
    with app.app_context():
        assert db.session.get_one(Article, 1).stock == 10


def test_a_receipt_waits_for_the_mail_server(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "OUTBOX", tmp_path / "down")
    client.post("/orders", json={"email": "ada@example.org"})
    with frozen_time() as time:
        assert drain(tasks.jobs) == (0, 1)
        (tmp_path / "down").mkdir()
        time.move(timedelta(seconds=3))
        assert drain(tasks.jobs) == (1, 0)


def test_the_screens_are_for_the_keeper(client: FlaskClient) -> None:
    assert client.get("/bide/", buffered=True).status_code == 403
    assert client.post("/login", data={"word": "open sesame"}).status_code == 200
    assert client.get("/bide/", follow_redirects=True, buffered=True).status_code == 200
