"""Forked workers find ready what they need: they import nothing, and read no statement again; what one weighs."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import psutil
import pymysql
import pytest
import sqlalchemy
from sqlalchemy.engine.default import DefaultDialect

import bide
from bide import clock
from bide.jobs.store import Wanted
from bide.workers.timeouts import Deadline
from in_child import in_child
from servers.mariadb import with_pymysql
from workers.fleets import APPLICATION, fleet

WATCHED = """
import sys
known, rounds = set(), []

@app.lifecycle.before("before_fork")
def remember(supervisor): known.update(sys.modules)

@app.lifecycle.after("loop")
def tell(worker):
    rounds.append(1)
    if len(rounds) == 3:
        note(imported=sorted(set(sys.modules) - known))
"""


@pytest.mark.story
def test_a_forked_worker_imports_nothing(tmp_path: Path, database_url: str) -> None:
    """What it imports is its own memory, and time of each start."""
    with fleet(tmp_path, database_url, sleep_delay=0.05) as shop:
        (tmp_path / "shop.py").write_text(APPLICATION + WATCHED)
        shop.start("-n", "2")
        told = shop.wait_for(2, imported=None)
        assert [note["imported"] for note in told] == [[], []]


@pytest.mark.parametrize(
    "url",
    ["sqlite:///{}/no.db", "postgresql://localhost:1/no", "mysql://localhost:1/no"],
    ids=["sqlite", "postgresql", "mysql"],
)
def test_preparing_connects_to_nothing(tmp_path: Path, url: str) -> None:
    store = bide.App(url.format(tmp_path)).store
    store.prepare([Wanted()])  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_what_was_prepared_serves_the_child_and_every_later_one(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = bide.App(database_url)
    app.migrate()
    app.close()
    store = bide.App(database_url).store
    store.prepare([Wanted()])  # type: ignore[attr-defined]
    made: list[object] = []
    monkeypatch.setattr("bide.db.pool.create_engine", lambda *_, **__: made.append(1))
    monkeypatch.setattr("bide.db.drivers._compile", lambda *_: made.append(2))
    monkeypatch.setattr("bide.db.statements._read", lambda *_: made.append(3))

    def in_worker() -> tuple[object, list[object]]:
        ref = store.register("w", "h", 1, {})
        store.claim(ref, Wanted(), 1, clock.utc_now())
        return store.next_run_at(Wanted()), made

    assert in_child(in_worker) == (None, [])
    assert in_child(in_worker) == (None, [])


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_what_a_rehearsal_has_learnt_serves_children_and_nothing_stays_open(
    fresh_url: Callable[[str], str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_url = fresh_url(kind)
    app = bide.App(database_url)
    app.migrate()
    app.close()
    store = bide.App(database_url).store
    store.prepare([Wanted()])  # type: ignore[attr-defined]
    before = open_descriptors()
    store.rehearse(Wanted(), nullcontext())  # type: ignore[attr-defined]
    assert open_descriptors() <= before
    asked: list[object] = []
    for cls in DefaultDialect, type(store.database._pool._prepared.dialect):  # type: ignore[attr-defined]
        monkeypatch.setattr(cls, "initialize", lambda *_: asked.append(1))

    def in_worker() -> tuple[object, list[object]]:
        return store.next_run_at(Wanted()), asked

    assert in_child(in_worker) == (None, [])


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_rehearsal_waits_for_no_database(kind: str) -> None:
    """One that refuses, and one that takes the call and says nothing."""
    deadline = Deadline()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (1, silent.getsockname()[1]):
            store = bide.App(f"{kind}://root@127.0.0.1:{port}/no").store
            store.prepare([Wanted()])  # type: ignore[attr-defined]
            before, began = open_descriptors(), time.monotonic()
            store.rehearse(Wanted(), deadline.limit(0.2))  # type: ignore[attr-defined]
            assert time.monotonic() - began < 5
            assert open_descriptors() <= before
    deadline.disarm()


def open_descriptors() -> int:
    """How many there are, without what other tests have left; their threads may close some later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return psutil.Process().num_fds()


def test_no_rehearsal_opens_a_file_or_the_engine_of_the_application(
    tmp_path: Path, postgresql_url: str
) -> None:
    file = bide.App(f"sqlite:///{tmp_path}/no.db")
    file.store.rehearse(Wanted(), nullcontext())  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
    engine = sqlalchemy.create_engine(postgresql_url.replace("://", "+psycopg://"))
    opened: list[object] = []
    sqlalchemy.event.listen(engine, "connect", lambda raw, _: opened.append(raw))
    bide.App(engine).store.rehearse(Wanted(), nullcontext())  # type: ignore[attr-defined]
    assert opened == []


def test_the_next_moment_is_compiled_once_for_each_choice_of_jobs(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = bide.App(sqlite_url)
    app.migrate()
    compiled: list[object] = []
    kind = type(app.database.prepare())  # type: ignore[union-attr]
    compile_ = kind.compile
    monkeypatch.setattr(kind, "compile", lambda self, q: (compiled.append(q), compile_(self, q))[1])
    for wanted in (Wanted(), Wanted(queues=("a",)), Wanted(), Wanted(queues=("a",))):
        assert app.store.next_run_at(wanted) is None
    assert len(compiled) == 2
    app.close()


#: Megabytes of a worker that has nothing to do: what was measured, and 5 % (see performance.md).
LIMITS = {"sqlite": 41.0, "mysql": 46.5}

WEIGHED = """
import os, signal
import bide
app = bide.App.from_env()
rounds = []

@app.job
def nothing() -> None: ...

@app.lifecycle.after("loop")
def weigh(worker):
    rounds.append(1)
    if len(rounds) == 3:
        with open("/proc/self/statm") as file:
            print(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
"""

# PyMySQL uses it where it is installed, which takes 8 MB.
WORK = """
import sys
sys.modules["cryptography"] = None
from bide.cli.main import main
main(["--app", "weighed:app", "work", "-q", "--sleep-delay", "0.05"])
"""


@pytest.fixture(scope="module")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What compiles a module at its start keeps 5 MB of that."""
    return tmp_path_factory.mktemp("bytecode")


@pytest.mark.story
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells it")
@pytest.mark.skipif(
    not sqlalchemy.__version__.startswith("2.1"), reason="SQLAlchemy 2.0 loads asyncio"
)
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mysql", marks=with_pymysql)])
def test_an_idle_worker_weighs_no_more_than_it_did(
    tmp_path: Path, bytecode: Path, fresh_url: Callable[[str], str], kind: str
) -> None:
    app = bide.App(url := fresh_url(kind))
    app.migrate()
    app.close()
    (tmp_path / "weighed.py").write_text(WEIGHED)
    dropped = ("COVERAGE", "PYTHONDONTWRITEBYTECODE", "MALLOC")
    environment = {name: v for name, v in os.environ.items() if not name.startswith(dropped)}
    environment |= {"BIDE_DATABASE_URL": url, "PYTHONPYCACHEPREFIX": str(bytecode)}

    def weighed() -> float:
        told = subprocess.run(
            [sys.executable, "-c", WORK],
            env=environment,
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        return float(told.stdout)

    assert weighed() > 0  # writes bytecode
    other = kind == "mysql" and pymysql.VERSION[:2] != (1, 2)  # it reads certificates
    assert weighed() <= LIMITS[kind] + 5 * other
