"""mysqlclient: lent by an application, and as the driver of Bide's own connections."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.engine import make_url

import bide
from lending import stored

MySQLdb = pytest.importorskip("MySQLdb", reason="mysqlclient is not installed")


@pytest.fixture
def app(mysql_url: str) -> Iterator[bide.App]:
    app = bide.App(mysql_url.replace("mysql://", "mysql+mysqldb://"))
    app.migrate()
    yield app
    app.close()


@pytest.fixture
def own(mysql_url: str) -> Iterator[Any]:
    """A connection of the application's own."""
    parts = make_url(mysql_url)
    connection = MySQLdb.connect(
        unix_socket=parts.query["unix_socket"], user=parts.username, database=parts.database
    )
    yield connection
    connection.close()


@pytest.mark.parametrize("lend", [lambda own: own, lambda own: own.cursor()])
def test_a_job_belongs_to_the_transaction_of_a_lent_connection(
    app: bide.App, own: Any, lend: Callable[[Any], Any]
) -> None:
    did: list[int] = []
    job = app.job(did.append, name="note")
    on = lend(own)
    job.using(session=on).delay(1)
    own.rollback()
    kept = job.using(session=on).delay(2)
    many = app.enqueue_many([job.bind(n) for n in (3, 4)], session=on)
    assert stored(app) == []
    own.commit()
    assert stored(app) == sorted(one.id for one in [kept, *many])
    assert app.worker().work_off() == (3, 0)
    assert did == [2, 3, 4]


def test_jobs_fail_wait_and_speak_every_language_over_it(app: bide.App) -> None:
    @app.job
    def fail(text: str) -> None:
        raise ValueError(text)

    job = fail.delay("100 % \U0001f600")
    assert app.worker().work_off() == (0, 1)
    assert (job.reload().state, job.attempts) == ("scheduled", 1)
    assert "100 % \U0001f600" in (job.last_error or "")
    job.retry()
    assert app.worker().work_off() == (0, 1)
    assert [one.attempt for one in job.failures()] == [1, 1]


PREPARED = """
import sys
from bide.db.engine import Database
database = Database(sys.argv[1])
database.prepare()
before = set(sys.modules)
database.read(lambda connection: connection.execute("SELECT 1"))
print(*sorted(name for name in set(sys.modules) - before if name.startswith("MySQLdb")))
"""


def test_what_it_imports_for_a_connection_is_there_before_workers_are_forked(
    mysql_url: str,
) -> None:
    url = make_url(mysql_url).set(drivername="mysql+mysqldb").render_as_string()
    command = [sys.executable, "-c", PREPARED, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
