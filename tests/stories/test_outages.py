"""The database goes away in the middle of the load: workers wait for it, go on, and nothing is lost."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from servers.mariadb import MariaDB
from servers.postgresql import PostgreSQL
from servers.server import Server
from stories.ledger import Ledger, ledger
from waiting import wait_until

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]

#: Heartbeats so rare that no lease is lost in an outage; statements are cut off after 2 seconds.
PATIENT = {"heartbeat_interval": 20, "statement_timeout": 2, "sleep_delay": 0.5}
LOAD = {"LEDGER_PAUSE": 0.002, "LEDGER_ENQUEUE_PAUSE": 0.05}
COUNT = 600


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> Server:
    """A server of the test's own, with a database `ledger`."""
    found = "own_postgresql" if request.param == "postgresql" else "own_mariadb"
    made: Server = request.getfixturevalue(found)
    made.create_database("ledger")
    make_durable(made)
    return made


def make_durable(server: Server) -> None:
    """What was acknowledged survives the death of the server's processes."""
    if isinstance(server, PostgreSQL):
        with server.connect() as connection:
            connection.execute("ALTER DATABASE ledger SET synchronous_commit = on")
    elif isinstance(server, MariaDB):
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")


def stop_fast(server: Server) -> None:
    server.stop("fast")
    server.start()


def kill(server: Server) -> None:
    server.kill()
    server.start()


def freeze_beyond_the_timeout(server: Server) -> None:
    server.freeze()
    _last(4)
    server.thaw()


@pytest.mark.parametrize("outage", [stop_fast, kill, freeze_beyond_the_timeout])
def test_nothing_is_lost_or_run_again_when_the_database_goes_away_and_comes_back(
    tmp_path: Path, server: Server, outage: Callable[[Server], None]
) -> None:
    """Promise 1: a finished job whose finish could not be written is not run again. A PostgreSQL that
    was killed has forgotten the latest finishes and claims, which are not waited for: those again."""
    with ledger(tmp_path, server.url("ledger"), **PATIENT, **LOAD) as book:
        book.enqueue(COUNT)
        book.work("-n", "3")
        book.work()
        for part in (0.25, 0.5):
            _until_signed(book, int(COUNT * part))
            outage(server)
            make_durable(server)
        book.wait_until_done(90)
        assert book.lost() == set()
        if outage is not kill or not isinstance(server, PostgreSQL):
            assert book.doubled_leases() == {}
            assert book.jobs_run_again() == 0
        book.stop()
        _said_it_once_and_went_on(book)
        assert book.app.store.workers() == []


def test_nothing_is_lost_when_another_program_locks_the_file(
    tmp_path: Path, sqlite_url: str
) -> None:
    with ledger(tmp_path, sqlite_url, **PATIENT, **LOAD) as book:
        book.enqueue(COUNT)
        book.work("-n", "3")
        _until_signed(book, COUNT // 4)
        with locked(sqlite_url):
            _last(12)
        book.wait_until_done(90)
        assert book.lost() == set()
        assert book.jobs_run_again() == 0
        book.stop()
        assert book.left() == 0


def test_a_worker_that_ran_a_job_through_an_outage_keeps_it(tmp_path: Path, server: Server) -> None:
    """Longer than all heartbeats: when the database is back nobody takes from the living."""
    keeps_its_job(tmp_path, server.url("ledger"), lambda: stopped(server))


def test_a_worker_that_ran_a_job_while_the_file_was_locked_keeps_it(
    tmp_path: Path, sqlite_url: str
) -> None:
    keeps_its_job(tmp_path, sqlite_url, lambda: locked(sqlite_url))


def keeps_its_job(
    tmp_path: Path, url: str, away: Callable[[], AbstractContextManager[None]]
) -> None:
    settings = {"heartbeat_interval": 1, "statement_timeout": 1, "sleep_delay": 0.5}
    with ledger(tmp_path, url, **settings) as book:
        book.app_module().long.delay(1, 12)
        book.work("-n", "1")
        book.work("-n", "1")
        wait_until(lambda: _running(book), within=30)
        with away():
            _last(5)
        wait_until(lambda: book.left() == 0, within=60)
        assert book.jobs_run_again() == 0
        assert [lease for (_, lease) in book.runs()] == [1]
        book.stop()


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_twenty_thousand_jobs_survive_restarts_of_the_database(
    tmp_path: Path, server: Server
) -> None:
    """Stopped, and killed as by a loss of power, in turn; each job signs once for each lease."""
    count = 20_000
    with ledger(tmp_path, server.url("ledger"), **PATIENT, **LOAD) as book:
        book.enqueue(count)
        book.work("-n", "4")
        outages = [stop_fast, kill, stop_fast]
        for number, outage in enumerate(outages, 1):
            _until_signed(book, count * number // 5, within=600)
            outage(server)
            make_durable(server)
        book.wait_until_done(900)
        print(f"{count} jobs, {len(outages)} restarts, {book.jobs_run_again()} run again")  # noqa: T201 - figures
        assert book.lost() == set()
        book.stop()
        assert (book.left(), book.app.store.workers()) == (0, [])


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    server.stop("fast")
    yield
    server.start()


@contextmanager
def locked(sqlite_url: str) -> Iterator[None]:
    """Another program writes, and does not end."""
    file = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("COMMIT")


def _last(seconds: float) -> None:
    with suppress(AssertionError):
        wait_until(lambda: False, within=seconds)


def _running(book: Ledger) -> list[Any]:
    return [one for worker in book.app.store.workers() for one in worker.info.get("running", [])]


def _until_signed(book: Ledger, count: int, within: float = 90) -> None:
    wait_until(lambda: len(book.ask("SELECT 1 FROM ledger")) >= count, within=within, every=0.1)


def _said_it_once_and_went_on(book: Ledger) -> None:
    """Four workers, two outages, and both keepers with their duties: a line each, not one a try."""
    lines = book.log.read_text(errors="replace").splitlines()
    lost = [line for line in lines if "does not answer" in line]
    assert len(lost) <= 2 * 6, "\n".join(lost)
