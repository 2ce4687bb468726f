"""An application whose jobs sign a table of its own, with enqueuers that note what was acknowledged.

Every run of a job signs once: job, lease, number and process. What is acknowledged and has no
signature was lost; two signatures of one lease are two runs under one claim.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import psutil

import bide
from bide.jobs.job import Filter
from waiting import wait_until

APPLICATION = """
import os, time, uuid
import bide
from signing import connect, sign

app = bide.App.from_env()
url = app.settings.database_url
pause = float(os.environ.get("LEDGER_PAUSE", "0"))

@app.job
def enter(number):
    job = bide.current_job()
    run = uuid.uuid4().hex
    time.sleep(pause)
    sign(url, (run, job.id, job.lease, number, os.getpid()))

@app.job
def long(number, seconds):
    job = bide.current_job()
    time.sleep(seconds)
    sign(url, (uuid.uuid4().hex, job.id, job.lease, number, os.getpid()))
"""

SIGNING = '''
import os, sqlite3, time
from urllib.parse import parse_qs, urlsplit

TABLE = """CREATE TABLE ledger (run VARCHAR(32) PRIMARY KEY, job_id BIGINT, lease INTEGER,
    number BIGINT, pid INTEGER)"""
_mine = {}

def connect(url):
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60, isolation_level=None)
    if url.startswith("postgresql"):
        import psycopg
        return psycopg.connect(url, autocommit=True, connect_timeout=5)
    import pymysql
    parts = urlsplit(url)
    return pymysql.connect(
        unix_socket=parse_qs(parts.query)["unix_socket"][0], user="root",
        database=parts.path.strip("/"), autocommit=True, read_timeout=5,
    )

def execute(connection, sql, row=()):
    cursor = connection.cursor()
    if not sql.startswith("CREATE") and not isinstance(connection, sqlite3.Connection):
        sql = sql.replace("?", "%s")
    cursor.execute(sql, row)
    return cursor

def sign(url, row):
    """Once per run, however often the server goes away meanwhile."""
    verb = {"s": "INSERT OR IGNORE", "m": "INSERT IGNORE", "p": "INSERT"}[url[0]]
    tail = " ON CONFLICT DO NOTHING" if url[0] == "p" else ""
    sql = f"{verb} INTO ledger VALUES (?, ?, ?, ?, ?){tail}"
    while True:
        try:
            if os.getpid() not in _mine:
                _mine[os.getpid()] = connect(url)
            return execute(_mine[os.getpid()], sql, row)
        except Exception:
            _mine.pop(os.getpid(), None)
            time.sleep(0.1)
'''

ENQUEUER = """
import os, random, sys, time
import bide, ledger_app
pause = float(os.environ.get("LEDGER_ENQUEUE_PAUSE", "0"))
first, count, acknowledged = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
fd = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
done, number = 0, first
while done < count:
    some = range(number, number + min(random.choice([1, 1, 5, 50]), count - done))
    number = some.stop
    time.sleep(pause)
    try:
        if len(some) == 1:
            ledger_app.enter.delay(some[0])
        else:
            ledger_app.app.enqueue_many(ledger_app.enter.bind(n) for n in some)
    except bide.DatabaseError as error:
        print("not acknowledged:", error, flush=True)
        continue
    os.write(fd, b"".join(b"%d\\n" % n for n in some))
    done += len(some)
"""

#: Numbers of one life of one enqueuer; a killed one goes on with fresh ones.
NUMBERS = 10_000_000


class Enqueuer:
    """A process that stores `count` jobs and notes each that was acknowledged; it may be killed."""

    def __init__(self, ledger: Ledger, index: int, count: int) -> None:
        self.ledger, self.count = ledger, count
        self.file = ledger.directory / f"acknowledged-{index}"
        self._next = index * 1000 * NUMBERS
        self.process: subprocess.Popen[bytes] | None = None

    def acknowledged(self) -> list[int]:
        """Whole lines only: the rest was never written."""
        if not self.file.exists():
            return []
        *lines, _ = self.file.read_bytes().split(b"\n")
        return [int(line) for line in lines]

    def start(self) -> None:
        left = self.count - len(self.acknowledged())
        command = ["-c", ENQUEUER, str(self._next), str(left), str(self.file)]
        self._next += NUMBERS
        self.process = self.ledger.spawn(*command)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def done(self) -> bool:
        return len(self.acknowledged()) >= self.count


class Ledger:
    """The application `ledger_app` on a database, its enqueuers, and `bide work` as often as asked."""

    def __init__(self, directory: Path, url: str, **settings: Any) -> None:
        self.directory, self.url = directory, url
        (directory / "ledger_app.py").write_text(APPLICATION)
        (directory / "signing.py").write_text(SIGNING)
        endless = {"max_crashes": 10**6, "max_attempts": 10**6, **settings}
        self.environment = {
            **os.environ,
            "BIDE_DATABASE_URL": url,
            "PYTHONPATH": str(directory),
            **{
                (name if name.isupper() else f"BIDE_{name.upper()}"): str(value)
                for name, value in endless.items()
            },
        }
        self.app = bide.App(url)
        self.app.migrate()
        self._module: ModuleType | None = None
        self.signing: dict[str, Any] = {}
        exec(SIGNING, self.signing)
        self.ask(self.signing["TABLE"])
        self.processes: list[subprocess.Popen[bytes]] = []
        self.enqueuers: list[Enqueuer] = []
        self.log = directory / "log"

    def app_module(self) -> ModuleType:
        """The application, imported here: the next test has another one."""
        if self._module is not None:
            return self._module
        names = {"ledger_app": "ledger_app.py", "signing": "signing.py"}
        with mock.patch.dict(os.environ, self.environment):
            for name in reversed(names):
                spec = importlib.util.spec_from_file_location(name, self.directory / names[name])
                assert spec is not None
                assert spec.loader is not None
                module = importlib.util.module_from_spec(spec)
                sys.modules[name] = module
                spec.loader.exec_module(module)
        self._module = module
        return module

    def processes_here(self) -> list[psutil.Process]:
        """Processes of the application that are still there."""
        here = str(self.directory)
        return [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == here]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self.signing["connect"](self.url)) as connection:
            cursor = self.signing["execute"](connection, sql)
            return list(cursor.fetchall()) if cursor.description else []

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=self.directory, env=self.environment,
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def work(self, *options: str) -> subprocess.Popen[bytes]:
        """`bide work` with these options."""
        return self.spawn("-m", "bide.cli", "--app", "ledger_app:app", "work", "-q", *options)

    def enqueue(self, count: int, processes: int = 2) -> None:
        """Let `processes` enqueuers store `count` jobs together."""
        for index in range(processes):
            enqueuer = Enqueuer(self, index + 1, count // processes)
            enqueuer.start()
            self.enqueuers.append(enqueuer)

    def acknowledged(self) -> list[int]:
        return [number for one in self.enqueuers for number in one.acknowledged()]

    def left(self) -> int:
        """Jobs in any state, as far as it matters."""
        return self.app.store.count(Filter(), at_most=100_000)

    def wait_until_done(self, within: float) -> None:
        """Everything acknowledged and performed, and the dead workers forgotten."""
        wait_until(lambda: all(one.done for one in self.enqueuers), within=within, every=0.1)
        try:
            wait_until(lambda: self.left() == 0, within=within, every=0.1)
        except AssertionError:
            rows = self.app.store.find(Filter(), limit=5)
            raise AssertionError(
                f"{self.left()} jobs are left, for example {rows}; the workers are "
                f"{self.app.store.workers()}"
            ) from None

    def wait_until_the_dead_are_forgotten(self, within: float = 30.0) -> None:
        wait_until(
            lambda: all(psutil.pid_exists(row.pid) for row in self.app.store.workers()), within
        )

    def lost(self) -> set[int]:
        """Acknowledged and not signed by any run."""
        return set(self.acknowledged()) - {
            number for (number,) in self.ask("SELECT number FROM ledger")
        }

    def runs(self) -> Counter[tuple[int, int]]:
        """How many runs each (job, lease) had."""
        rows = self.ask("SELECT job_id, lease FROM ledger")
        return Counter((int(job_id), int(lease)) for job_id, lease in rows)

    def doubled_leases(self) -> dict[tuple[int, int], int]:
        return {lease: count for lease, count in self.runs().items() if count > 1}

    def jobs_run_again(self) -> int:
        """Runs beyond the first one of each job."""
        jobs = Counter(job_id for job_id, _ in self.runs().elements())
        return sum(count - 1 for count in jobs.values())

    def stop(self, within: float = 40.0) -> None:
        """Everybody orderly."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(within)

    def end(self) -> None:
        """Everybody at once, with children."""
        for process in self.processes:
            if process.poll() is not None:
                continue
            for child in children(process.pid):
                end_one(child)
            process.kill()
            process.wait(10)
        self.app.close()
        if self._module is not None:
            self._module.app.close()


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def end_one(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


@contextmanager
def ledger(directory: Path, url: str, **settings: Any) -> Iterator[Ledger]:
    """A Ledger whose processes are gone afterwards; the log is shown when something failed."""
    made = Ledger(directory, url, **settings)
    try:
        yield made
    except BaseException:
        if made.log.exists():
            sys.stderr.write(made.log.read_text(errors="replace")[-8000:])
        raise
    finally:
        made.end()
