"""What a command line leaves out until it is used, and that nobody who uses it sees a difference."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy

import bide

PLAIN = """
import bide
app = bide.App.from_env()

@app.job
def note(text):
    with open("notes", "a") as file:
        file.write(text)
"""

AWAITS = """
import bide
app = bide.App.from_env()

@app.job
async def note(text):
    import asyncio, threading
    found = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(asyncio.sleep(0, text))))
    thread.start()
    thread.join()
    await asyncio.wait_for(asyncio.sleep(0), 10)
    with open("notes", "a") as file:
        file.write(found[0])
"""

ASKS = """
import asyncio, ssl
import bide
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
app = bide.App.from_env()

@app.job
async def note(word):
    engine = create_async_engine("sqlite+aiosqlite:///other.db")
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT :word"), {"word": word})).one()
    await engine.dispose()
    with open("notes", "a") as file:
        file.write(row[0])
"""

WORK_OFF = """
import sys
from bide.cli.main import main
try:
    main(["--app", "shop:app", "workoff"])
except SystemExit as ended:
    assert not ended.code, ended
print(*sys.modules)
"""

VERSION = tuple(map(int, sqlalchemy.__version__.split(".")[:2]))
with_2_1 = pytest.mark.skipif(VERSION < (2, 1), reason="SQLAlchemy 2.0 has use for asyncio itself")

SPARED = "from bide.cli.sparing import spare; spare()\n"


def python(program: str, directory: Path, url: str = "") -> str:
    """The last line that a program of its own prints."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("COVERAGE")}
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | {"BIDE_DATABASE_URL": url} if url else environment,
        cwd=directory,
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout.splitlines()[-1]


def worked_off(program: str, directory: Path, url: str) -> set[str]:
    """The modules of a command line that has performed `note("done")`."""
    (directory / "shop.py").write_text(program)
    app = bide.App(url)
    app.migrate()

    @app.job(name="shop.note")
    def note(text: str) -> None: ...

    note.delay("done")
    app.close()
    modules = set(python(WORK_OFF, directory, url).split())
    assert (directory / "notes").read_text() == "done"
    return modules


@with_2_1
def test_a_worker_of_plain_functions_loads_no_asyncio(tmp_path: Path, sqlite_url: str) -> None:
    loaded = worked_off(PLAIN, tmp_path, sqlite_url)
    assert "bide.workers.worker" in loaded
    assert loaded & {"asyncio", "ssl", "hashlib", "_hashlib"} == set()
    assert loaded & {"importlib.metadata", "importlib.resources", "email", "zipfile"} == set()
    assert loaded & {"tempfile", "subprocess", "msgspec.inspect"} == set()
    assert {name for name in loaded if name.startswith("sqlalchemy.dialects.sqlite.")} == {
        f"sqlalchemy.dialects.sqlite.{part}" for part in ("base", "dml", "json", "pysqlite")
    }


@pytest.mark.parametrize("program", [AWAITS, ASKS], ids=["late", "early"])
def test_jobs_that_await_find_asyncio_as_ever(
    program: str, tmp_path: Path, sqlite_url: str
) -> None:
    assert "asyncio" in worked_off(program, tmp_path, sqlite_url)


def test_nothing_is_spared_where_bide_is_imported(tmp_path: Path) -> None:
    program = """
import sys
import bide.app
import sqlalchemy.util.compat as compat
print(compat.asyncio is sys.modules["asyncio"], *(type(each).__module__ for each in sys.meta_path))
"""
    same, *finders = python(program, tmp_path).split()
    assert same == "True"
    assert not [name for name in finders if name.startswith("bide")]


@with_2_1
def test_errors_are_known_without_asyncio_and_cancellations_with_it(tmp_path: Path) -> None:
    program = (
        SPARED
        + """
import sys
import sqlalchemy
from sqlalchemy import util
asked = (util.is_exit_exception, util.is_cancellation_exception)
before = [ask(error) for error in (ValueError(), TimeoutError(), SystemExit()) for ask in asked]
with sqlalchemy.create_engine("sqlite://").connect() as connection:
    try:
        connection.exec_driver_sql("nonsense")
    except sqlalchemy.exc.OperationalError:
        before.append("asyncio" in sys.modules)
import asyncio
print(before == [False, False, True, False, True, False, False], *(ask(asyncio.CancelledError()) for ask in asked))
"""
    )
    assert python(program, tmp_path).split() == ["True", "True", "True"]


@with_2_1
def test_a_stand_in_loads_what_it_stands_for(tmp_path: Path) -> None:
    program = (
        SPARED
        + """
import sys
from sqlalchemy.util import compat, concurrency, queue
stood = not {"asyncio", "hashlib"} & sys.modules.keys()
digest = compat.md5_not_for_security().hexdigest()
async def nothing(): pass
coroutine = nothing()
known = concurrency.iscoroutine(coroutine), concurrency.iscoroutine(1)
coroutine.close()
import asyncio
print(stood, digest[:6], *known, queue.asyncio.Queue is asyncio.Queue)
"""
    )
    assert python(program, tmp_path).split() == ["True", "d41d8c", "True", "False", "True"]


def test_a_driver_that_was_left_out_is_the_real_one_for_whoever_asks(tmp_path: Path) -> None:
    program = (
        SPARED
        + """
import sys
import sqlalchemy
import sqlalchemy.dialects.mysql as package
found = [f"{package.__name__}.{name}" in sys.modules for name in ("aiomysql", "pyodbc", "pymysql")]
from sqlalchemy.dialects.mysql import aiomysql
found += [aiomysql is sys.modules["sqlalchemy.dialects.mysql.aiomysql"], hasattr(package, "nosuch")]
for name in ("mysql+pyodbc", "mariadb+mysqlconnector", "mysql+nosuch", "nosuch"):
    try:
        dialect = sqlalchemy.make_url(f"{name}://").get_dialect()
        found.append(type(dialect) is type and dialect.__module__ in sys.modules)
    except sqlalchemy.exc.NoSuchModuleError:
        found.append("none")
print(*found)
"""
    )
    told = "False False True True False True True none none"
    assert python(program, tmp_path) == told


def test_what_msgspec_and_sqlalchemy_leave_out_is_there_when_they_need_it(tmp_path: Path) -> None:
    program = (
        SPARED
        + """
import sys
import msgspec
import sqlalchemy
from sqlalchemy.util import langhelpers
late = {"msgspec.inspect", "msgspec.yaml"}
found = [not late & sys.modules.keys(), msgspec.json.schema(list[int])["type"]]
found += [msgspec.yaml is sys.modules["msgspec.yaml"], type(msgspec.inspect.type_info(int)).__name__]
if hasattr(langhelpers, "parse_version_from_metadata"):
    version = langhelpers.parse_version_from_metadata("sqlalchemy")
    found.append(version[0] == int(sqlalchemy.__version__[0]))
else:
    found.append(True)
print(*found)
"""
    )
    assert python(program, tmp_path) == "True array True IntType True"


@with_2_1
def test_a_module_that_another_thread_is_importing_is_the_real_one(tmp_path: Path) -> None:
    """It is loaded, or waited for; its package has it only once it is imported."""
    program = (
        SPARED
        + """
import sys
from sqlalchemy.util import langhelpers
import importlib.metadata
del importlib.metadata
print(langhelpers.importlib.metadata is sys.modules["importlib.metadata"])
"""
    )
    assert python(program, tmp_path) == "True"
