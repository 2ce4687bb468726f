"""An application's Alembic whose connection is killed in the midst of Bide's steps."""

from __future__ import annotations

import contextlib
import re
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


@pytest.mark.timeout(120)
def test_steps_go_on_where_the_connection_was_killed(tmp_path: Path, mysql_url: str) -> None:
    app = bide.App(mysql_url)
    assert app.database is not None
    engine = app.database.engine
    config = Config()
    config.config_file_name = str(tmp_path / "alembic.ini")
    config.set_main_option("script_location", str(tmp_path / "migrations"))
    config.attributes["engine"] = engine
    command.init(config, str(tmp_path / "migrations"))
    (tmp_path / "migrations" / "env.py").write_text(ENV)
    (tmp_path / "migrations" / "versions" / "first.py").write_text(REVISION)
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
    for line in (JOBS, TEXTS):
        check(app.database, line)
    sa.event.remove(engine, "after_cursor_execute", kill)
    command.downgrade(config, "base")
    app.migrate()
    app.close()


class Killed(Exception):
    """The connection was."""


def _reached(config: Config) -> bool:
    """Go on; whether that came to the end."""
    try:
        command.upgrade(config, "head")
    except (Killed, sa.exc.DBAPIError):
        return False
    return True
