"""Workers without tables: those that work until nothing is left end and say so, the others wait for them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bide
from waiting import wait_until
from workers.fleets import Fleet, fleet


@pytest.fixture
def app(tmp_path: Path) -> Iterator[bide.App]:
    app = bide.App(f"sqlite:///{tmp_path / 'absent.db'}")
    yield app
    app.close()


def test_a_worker_that_ends_when_nothing_is_left_does_not_wait_for_tables(app: bide.App) -> None:
    with pytest.raises(bide.NotMigrated, match=r"run `bide migrate`.*no such table"):
        app.worker(exit_on_complete=True).start()


def test_working_off_raises_before_there_are_tables_and_works_afterwards(app: bide.App) -> None:
    worker = app.worker()
    with pytest.raises(bide.NotMigrated, match="run `bide migrate`"):
        worker.work_off()
    app.migrate()
    assert worker.work_off() == (0, 0)


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[Fleet]:
    """A fleet on a database without tables."""
    with fleet(tmp_path, sqlite_url, sleep_delay=0.5) as made:
        made.environment["BIDE_DATABASE_URL"] = f"sqlite:///{tmp_path / 'absent.db'}"
        yield made


@pytest.mark.story
@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--threads", "2"), ("--concurrency", "2")])
def test_every_shape_of_a_fleet_ends_and_says_what_to_do(
    shop: Fleet, options: tuple[str, ...]
) -> None:
    shop.start("--exit-on-complete", *options)
    assert shop.wait(20) == 1
    assert "run `bide migrate`" in shop.log.read_text()
    assert "Traceback" not in shop.log.read_text()


@pytest.mark.story
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_fleet_says_once_that_it_waits_for_tables_and_works_when_they_come(shop: Fleet) -> None:
    shop.start("-n", "2")
    wait_until(lambda: shop.log.exists() and shop.log.read_text().count("Starting job worker") == 2)
    wait_until(lambda: "The database lacks tables" in shop.log.read_text())
    migrated = bide.App(shop.environment["BIDE_DATABASE_URL"])
    migrated.migrate()
    migrated.close()
    shop.wait_for(2, execute=None)
    wait_until(lambda: "The database answers again" in shop.log.read_text())
    shop.signal(signal.SIGTERM)
    assert shop.wait() == 0
    said = shop.log.read_text()
    assert said.count("bide migrate") == said.count("The database answers again") == 1
    assert "Traceback" not in said
