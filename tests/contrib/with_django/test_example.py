"""examples/django_shop as its README uses it: forked workers, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contrib.with_django.projects import database, run
from waiting import wait_until

SHOP = Path(__file__).parents[3] / "examples" / "django_shop"

Manage = Callable[..., str]


@pytest.fixture(params=["sqlite", "postgresql"])
def manage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manage]:
    """Runs manage.py of a fresh shop; what a failed command said is in the error."""
    shop = tmp_path / "shop"
    shutil.copytree(SHOP, shop, ignore=shutil.ignore_patterns("shop.db*", "mail", "tmp", "log"))
    known = {}
    if request.param == "postgresql":
        there = database(str(request.getfixturevalue("postgresql_url")))
        names = {
            "SHOP_DATABASE": "NAME",
            "SHOP_HOST": "HOST",
            "SHOP_PORT": "PORT",
            "SHOP_USER": "USER",
        }
        known = {name: str(there[key]) for name, key in names.items()}

    def manage(*words: str) -> str:
        done = run(shop, "manage.py", *words, timeout=80, **known)
        assert done.returncode == 0, (words, done.stdout, done.stderr[-3000:])
        return done.stdout

    manage("migrate", "-v0")
    yield manage
    run(shop, "manage.py", "bide", "stop", timeout=80, **known)


@pytest.mark.story
@pytest.mark.timeout(240)
def test_the_shop_works_as_its_readme_says(manage: Manage) -> None:
    manage("bide", "start", "-n", "2")
    manage("order", "Bernd", "cheese", "--language", "de")
    kill_a_worker_at_work(manage)
    manage("order", "Ada", "tea")
    manage("order", "Carol", "unobtainium")
    wait_until(lambda: "Danke, Bernd: cheese ist unterwegs." in manage("orders"), within=60)
    wait_until(lambda: "Thank you, Ada: tea is on its way." in manage("orders"), within=60)
    assert "(waiting)" in manage("orders")
    listed = json.loads(manage("bide", "jobs", "list", "--json"))
    assert "orders.tasks.confirm" in json.dumps(listed)
    assert "successfully stopped" in manage("bide", "stop")


def kill_a_worker_at_work(manage: Manage) -> None:
    """Cheese takes two seconds; who ripens it dies, and another does it again."""

    def busy() -> list[int]:
        fleet = json.loads(manage("bide", "status", "--json"))
        return [one["pid"] for one in fleet["workers"] if one["jobs"]]

    found: list[int] = []
    for _ in range(3):
        found = busy()
        if found:
            break
    for pid in found:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.story
@pytest.mark.timeout(240)
def test_the_shops_own_tests_pass(manage: Manage) -> None:
    manage("test")
    manage("check")
    manage("makemigrations", "--check", "--dry-run")
