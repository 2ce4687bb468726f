"""Bide's steps as migrations of Django: forwards, backwards, as SQL, beside `bide migrate`."""

from __future__ import annotations

import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

from contrib.with_django.projects import as_json, database, run

PROJECT = Path(__file__).parent / "project"
PROGRAM = """
    import io, os
    os.environ["DJANGO_SETTINGS_MODULE"] = "project_settings"
    import django
    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from bide.contrib.django import app
    from bide.contrib.django.models import Job, Text
    from bide.contrib.django.tables import LINES
    from bide.db.alias import version_of
    from bide.db.migrate import revisions
    from shop import tasks

    def migrate(*words):
        call_command("migrate", *words, verbosity=0)

    def at(product):
        return version_of(connections["default"], f"bide_{product}_version")

    newest = {product: revisions(line)[-1] for product, line in LINES.items()}
    migrate()
    assert {product: at(product) for product in LINES} == newest
    migrate("bide", "0006")
    migrate("bide")
    result = tasks.add.enqueue(1, 2)
    assert app.worker().work_off() == (1, 0)
    waiting = tasks.add.enqueue(3)
    app.i18n.store("de", {"hello": "Servus"})
    for step in ("0006", "0005", "0004", "0003", "0002", "0001"):
        migrate("bide", step)
        assert Job.objects.count() == 2, step
    assert (at("jobs"), at("texts")) == ("0001", None)
    migrate("bide")
    assert {product: at(product) for product in LINES} == newest
    assert [one.name for one in Job.objects.order_by("id")] == ["shop.tasks.add"] * 2
    assert "Servus" in Text.objects.get(key="hello").value
    assert app.worker().work_off() == (1, 0)
    waiting.refresh()
    assert waiting.return_value == 3

    # Both commands keep one table of versions.
    migrate("bide", "zero")
    assert at("jobs") is None
    app.migrate()
    assert at("jobs") == newest["jobs"]
    migrate("bide")
    migrate("bide", "zero")
    migrate("bide")
    assert tasks.add.enqueue(1).status == "READY"

    written = io.StringIO()
    call_command("sqlmigrate", "bide", "0005", stdout=written)
    assert "CREATE TABLE bide_results" in written.getvalue(), written.getvalue()
    written = io.StringIO()
    call_command("sqlmigrate", "bide", "0005", backwards=True, stdout=written)
    assert "DROP TABLE bide_results" in written.getvalue()

    # Another database of the project has no tables of Bide's.
    migrate("--database", "other")
    assert version_of(connections["other"], "bide_jobs_version") is None
    opened = app.database._pool._engine
    app.close()
    assert opened.reset() is None
    print("done")
"""


@pytest.mark.story
@pytest.mark.timeout(200)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
def test_every_migration_goes_back_and_forth_with_data_in_the_tables(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if kind == "mysql" and find_spec("MySQLdb") is None:
        pytest.skip("Django needs mysqlclient for MySQL")
    url = str(request.getfixturevalue(f"{kind}_url"))
    databases = {"default": database(url), "other": database(f"sqlite:///{tmp_path / 'other.db'}")}
    done = run(
        PROJECT, "-c", textwrap.dedent(PROGRAM), SUITE_DATABASES=as_json(databases), timeout=180
    )
    assert (done.stdout[-5:], done.returncode) == ("done\n", 0), done.stderr[-4000:]


KILLED = """
    import os, re
    os.environ["DJANGO_SETTINGS_MODULE"] = "project_settings"
    import django
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor
    from bide.contrib.django import app
    from bide.contrib.django.tables import LINES
    from bide.db import alone
    from bide.db.migrate import check
    from bide.errors import DatabaseBusy, DatabaseError

    execute = Editor.execute
    done = []

    class Killed(Exception):
        pass

    def execute_and_die(self, statement, params=()):
        execute(self, statement, params)
        if "bide_" in str(statement) and statement not in done:
            done.append(statement)
            with connection.cursor() as cursor:
                try:
                    cursor.execute("KILL CONNECTION CONNECTION_ID()")
                except Exception:
                    raise Killed

    def migrate(*words):
        before = -1
        while len(done) > before:
            before = len(done)
            try:
                call_command("migrate", *words, verbosity=0)
            except Killed:
                connection.close()

    call_command("migrate", "contenttypes", verbosity=0)
    alone.PATIENCE = 0
    with alone.alone(app.database):
        try:
            call_command("migrate", "bide", verbosity=0)
        except DatabaseBusy as busy:
            assert "another process" in str(busy)
        else:
            raise AssertionError("nobody waited for whoever migrates")
    alone.PATIENCE = 60
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE translations (id bigint AUTO_INCREMENT PRIMARY KEY, scope varchar(255),"
            " locale varchar(255), `key` varchar(255), value text, interpolations text,"
            " is_proc tinyint(1), created_at datetime(6), updated_at datetime(6)) COLLATE utf8mb4_bin"
        )
        cursor.execute(
            "INSERT INTO translations (locale, `key`) VALUES ('en', 'a'), ('en', 'A'), ('en', 'a')"
        )
        try:
            call_command("migrate", "bide", verbosity=0)
        except DatabaseError as error:
            assert "more than once: en.a 2 times" in str(error), error
        cursor.execute("DELETE FROM translations WHERE `key` = BINARY 'a' LIMIT 1")
    Editor.execute = execute_and_die
    migrate("bide")
    forwards = len(done)
    assert forwards > 30, done
    migrate("bide", "zero")
    assert len(done) - forwards > 15, done[forwards:]
    migrate("bide")
    Editor.execute = execute
    for line in LINES.values():
        check(app.database, line)
    call_command("migrate", verbosity=0)
    app.close()
    print("done")
"""


@pytest.mark.story
@pytest.mark.timeout(200)
def test_steps_go_on_where_the_connection_was_killed(mysql_url: str) -> None:
    """MySQL and MariaDB commit each statement by itself."""
    if find_spec("MySQLdb") is None:
        pytest.skip("Django needs mysqlclient for MySQL")
    databases = as_json({"default": database(mysql_url)})
    done = run(PROJECT, "-c", textwrap.dedent(KILLED), SUITE_DATABASES=databases, timeout=180)
    assert (done.stdout[-5:], done.returncode) == ("done\n", 0), done.stderr[-4000:]
