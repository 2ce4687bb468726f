"""Django's connections, in a program of their own because Django is configured once per process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

PROGRAM = """
    import asyncio, sys
    import django
    from django.conf import settings

    name = {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}
    settings.configure(DATABASES={"default": name})
    django.setup()
    from asgiref.sync import sync_to_async
    from django.db import connection, transaction

    from bide.db.borrowed import aexecute, after_commit, execute
    from bide.db.statements import Statement
    from bide.errors import NotMigrated, WrongConnection

    write = Statement("INSERT INTO notes (text) VALUES (:text)", "write")
    connection.cursor().execute("CREATE TABLE notes (text TEXT NOT NULL)")

    def notes():
        cursor = connection.cursor()
        cursor.execute("SELECT text FROM notes ORDER BY text")
        return [row[0] for row in cursor.fetchall()]

    told = []
    try:
        with transaction.atomic():
            execute("default", write, {"text": "gone 100%"}, "sqlite")
            assert after_commit("default", lambda: told.append("gone"))
            raise LookupError
    except LookupError:
        pass
    with transaction.atomic():
        execute("default", write, {"text": "kept 100%"}, "sqlite")
        assert after_commit("default", lambda: told.append("kept"))
        assert told == []
    assert (notes(), told) == (["kept 100%"], ["kept"])
    asyncio.run(aexecute("default", write, {"text": "later"}, "sqlite"))
    for alias, kind, error in (
        ("other", "sqlite", "no database alias of Django's settings, which has 'default'"),
        ("default", "postgresql", "connection to sqlite, but the jobs are in postgresql"),
    ):
        try:
            execute(alias, write, {"text": "x"}, kind)
        except WrongConnection as caught:
            assert error in str(caught), caught
        else:
            raise AssertionError(error)
    try:
        execute("default", Statement("INSERT INTO absent VALUES (1)", "absent"), {}, "sqlite")
    except NotMigrated:
        print("done", notes())
"""


def test_a_django_alias_writes_in_djangos_transaction(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "django.db")],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("done ['kept 100%'")
