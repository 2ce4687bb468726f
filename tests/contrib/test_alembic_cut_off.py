"""An application's Alembic whose connection is killed in the midst of Bide's steps."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import bide
from bide.db.migrate import check
from bide.i18n.migrations import TEXTS
from bide.jobs.migrations import JOBS
from in_child import finish, start
from waiting import wait_until

ENV = """
from alembic import context
with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
import bide.contrib.alembic
revision, down_revision = "1", None
def upgrade():
    bide.contrib.alembic.upgrade("jobs")
    bide.contrib.alembic.upgrade("texts")
def downgrade():
    bide.contrib.alembic.downgrade("texts")
    bide.contrib.alembic.downgrade("jobs")
"""


@pytest.fixture
def app(mysql_url: str) -> Iterator[bide.App]:
    """Without tables."""
    app = bide.App(mysql_url)
    yield app
    app.close()


@pytest.fixture
def config(tmp_path: Path, app: bide.App) -> Iterator[Config]:
    """Of an Alembic whose only revision is Bide's steps, on a connection as applications have them."""
    assert app.database is not None
    engine = sa.create_engine(app.database.engine.url)
    config = Config()
    config.config_file_name = str(tmp_path / "alembic.ini")
    config.set_main_option("script_location", str(tmp_path / "migrations"))
    config.attributes["engine"] = engine
    command.init(config, str(tmp_path / "migrations"))
    (tmp_path / "migrations" / "env.py").write_text(ENV)
    (tmp_path / "migrations" / "versions" / "first.py").write_text(REVISION)
    yield config
    engine.dispose()


def checked(app: bide.App) -> None:
    assert app.database is not None
    for line in (JOBS, TEXTS):
        check(app.database, line)


@pytest.mark.timeout(120)
def test_steps_go_on_where_the_connection_was_killed(app: bide.App, config: Config) -> None:
    engine = config.attributes["engine"]
    done: list[str] = []

    def kill(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        if re.match(r"\s*(CREATE|ALTER|DROP)\b", statement) and statement not in done:
            done.append(statement)
            with contextlib.suppress(Exception):  # the answer is lost with the connection
                cursor.execute("KILL CONNECTION CONNECTION_ID()")
            raise Killed

    sa.event.listen(engine, "after_cursor_execute", kill)
    while not _reached(config):
        pass
    assert len(done) > 30
    checked(app)
    sa.event.remove(engine, "after_cursor_execute", kill)
    command.downgrade(config, "base")
    app.migrate()


class Killed(Exception):
    """The connection was."""


def _reached(config: Config) -> bool:
    """Go on; whether that came to the end."""
    try:
        command.upgrade(config, "head")
    except (Killed, sa.exc.DBAPIError):
        return False
    return True


def test_steps_that_somebody_else_makes_meanwhile_are_waited_for(
    app: bide.App, config: Config
) -> None:
    """MySQL's transactions see what was there when they began, those of a revision too."""
    under_way, go_on = threading.Event(), threading.Event()
    assert app.database is not None
    waiting = "SELECT 1 FROM information_schema.processlist WHERE state = 'User lock'"

    def pause(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.strip().startswith("CREATE INDEX bide_jobs_ended") and not go_on.is_set():
            under_way.set()
            assert go_on.wait(20)

    sa.event.listen(sa.Engine, "after_cursor_execute", pause)
    try:
        with ThreadPoolExecutor(1) as threads:
            ours = threads.submit(app.migrate)
            assert under_way.wait(20)
            theirs = start(lambda: command.upgrade(config, "head"))
            wait_until(lambda: app.database.read(lambda c: c.execute(waiting)))
            go_on.set()
            ours.result()
            finish(*theirs)
    finally:
        go_on.set()
        sa.event.remove(sa.Engine, "after_cursor_execute", pause)
    checked(app)
