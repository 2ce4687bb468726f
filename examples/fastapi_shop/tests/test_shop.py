"""The shop's own tests: no worker runs, the test says when the jobs do."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from shop import models, tasks
from shop.models import Article, Order, engine
from shop.web import api
from sqlalchemy.orm import Session

from bide.testing import assert_enqueued, clear, drain, enqueued, frozen_time


@pytest.fixture(autouse=True)
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tasks, "OUTBOX", tmp_path)
    return tmp_path


@pytest.fixture
def client() -> Iterator[TestClient]:
    """An empty shop: its tables and Bide's are made by the lifespan."""
    models.Base.metadata.drop_all(engine)
    with TestClient(api) as client:
        clear(tasks.jobs)
        yield client


def test_an_order_is_stored_with_its_receipt(client: TestClient, outbox: Path) -> None:
    answer = client.post("/orders", json={"email": "ada@example.org", "quantity": 2})
    assert answer.status_code == 201
    with Session(engine) as session:
        order = session.get_one(Order, answer.json()["id"])
        assert_enqueued(tasks.send_receipt, args=[order], queue="mail", count=1)
    assert drain(tasks.jobs) == (1, 0)
    assert (outbox / f"{order.id}.txt").read_text() == "To: ada@example.org\n2 x Tea pot: 39.00\n"
    assert client.get(f"/orders/{order.id}").json()["receipt_at"] is not None


def test_an_order_that_is_refused_leaves_no_receipt(client: TestClient) -> None:
    answer = client.post("/orders", json={"email": "ada@example.org", "quantity": 99})
    assert answer.status_code == 409
    assert enqueued(tasks.jobs) == []
    with Session(engine) as session:
        assert session.get_one(Article, 1).stock == 10


def test_a_receipt_waits_for_the_mail_server(
    client: TestClient, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "OUTBOX", outbox / "down")
    client.post("/orders", json={"email": "ada@example.org"})
    with frozen_time() as time:
        assert drain(tasks.jobs) == (0, 1)
        (outbox / "down").mkdir()
        assert drain(tasks.jobs) == (0, 0)
        time.move(timedelta(seconds=3))
        assert drain(tasks.jobs) == (1, 0)
