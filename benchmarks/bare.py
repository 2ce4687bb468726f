"""Ceilings: what a database gives to bare drivers on Bide's own table, with no framework at all.

    python benchmarks/bare.py --url postgresql:///bench [--jobs 50000] [--rounds 3] [--json]

Drain in batches (claim, decode the payload, finish by delete), enqueue one by one and 1,000 a statement.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine.url import make_url

import bide
from bide.jobs.keys import new_key
from costs import options, plain, program, rates, show, timed

COLUMNS = "key, name, queue, priority, state, payload, run_at, created_at, pos"
PAYLOAD = '{"v":1,"job":"bench_app.nothing","args":[1],"kwargs":{}}'
#: What is measured: name -> method of the classes below, and its argument.
MEASURED: dict[str, tuple[str, int]] = {
    "drain 1": ("drain", 1),
    "drain batch 10": ("drain", 10),
    "drain batch 100": ("drain", 100),
    "enqueue one by one": ("enqueue", 1),
    "enqueue many": ("enqueue", 1000),
}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--one", choices=MEASURED, help="one measurement, in this process")
    given = parser.parse_args()
    if given.one:
        method, size = MEASURED[given.one]
        print(json.dumps(getattr(open_bare(given.url, given.jobs), method)(size)))
        return
    show(measure(given.url, given.jobs, given.rounds), as_json=given.json)


def measure(url: str, jobs: int = 50_000, rounds: int = 3) -> dict[str, dict[str, float]]:
    """Rates and CPU of every ceiling of the database behind `url`."""
    return {name: rates(*once(url, name, jobs, rounds)) for name in MEASURED}


def once(url: str, name: str, jobs: int, rounds: int = 1) -> tuple[int, list[dict[str, Any]]]:
    """One ceiling, `rounds` times; how many jobs each run had: fewer where each is a round trip."""
    count = jobs if MEASURED[name][1] >= 100 else max(jobs // 25, 200)
    runs = []
    for _ in range(rounds):
        bide.App(url).migrate()
        arguments = ("--url", url, "--jobs", str(count), "--one", name)
        runs.append(program("bare.py", *arguments, BIDE_DATABASE_URL=url))
    return count, runs


def open_bare(url: str, jobs: int) -> Bare:
    """The measurements of the database behind `url`."""
    kinds = {"postgresql": PostgreSQL, "sqlite": SQLite, "mysql": MySQL, "mariadb": MySQL}
    return kinds[make_url(url).get_backend_name()](url, jobs)


class Bare:
    """One connection, an empty table, and the rows that go into it."""

    moment: Any = datetime.now(UTC)

    def __init__(self, url: str, jobs: int) -> None:
        self.url, self.jobs, self.rows = url, jobs, self.make(jobs)

    def make(self, count: int) -> list[tuple[Any, ...]]:
        """Rows of Bide's table, in the order of COLUMNS."""
        return [
            (new_key(), "nothing", "default", 0, 0, PAYLOAD, self.moment, self.moment, n)
            for n in range(count)
        ]

    def drain(self, size: int) -> dict[str, float]:
        """Everything, `size` at a time."""
        self.clear()
        self.fill()
        return timed(self.url, lambda: self.empty(size))

    def enqueue(self, size: int) -> dict[str, float]:
        """Everything, `size` a statement, committed each."""
        self.clear()
        return timed(self.url, lambda: self.store(size))

    def clear(self) -> None:
        """An empty table."""
        raise NotImplementedError

    def fill(self) -> None:
        self.store(1000)

    @staticmethod
    def perform(payload: str) -> None:
        """One job."""
        json.loads(payload)

    def empty(self, size: int) -> None:
        raise NotImplementedError

    def store(self, size: int) -> None:
        raise NotImplementedError


class PostgreSQL(Bare):
    """psycopg 3 with prepared statements."""

    claim = """
    UPDATE bide_jobs
    SET state = 1, lease = lease + 1, locked_at = now(), locked_by = 'bare', worker_id = 1
    WHERE id = ANY (ARRAY(
        SELECT id FROM bide_jobs WHERE state = 0 AND queue = 'default' AND priority = 0
        ORDER BY pos LIMIT {} FOR UPDATE SKIP LOCKED
    )) RETURNING id, lease, payload
    """
    finish = """
    DELETE FROM bide_jobs
    WHERE id = ANY (%s::bigint[]) AND lease = 1 AND worker_id + 0 = 1 AND state + 0 = 1
    """
    types = ("text", "text", "text", "int", "smallint", "text", "timestamptz", "timestamptz")

    def __init__(self, url: str, jobs: int) -> None:
        import psycopg

        super().__init__(url, jobs)
        self.connection = psycopg.connect(plain(url), autocommit=True)

    def clear(self) -> None:
        self.connection.execute("TRUNCATE bide_jobs")

    def fill(self) -> None:
        super().fill()
        self.connection.execute("VACUUM ANALYZE bide_jobs")

    def empty(self, size: int) -> None:
        cursor, claim = self.connection.cursor(), self.claim.format(size)
        cursor.execute("SET synchronous_commit = off")  # as Bide claims and reports
        while taken := cursor.execute(claim, prepare=True).fetchall():
            for row in taken:
                self.perform(row[2])
            cursor.execute(self.finish, ([row[0] for row in taken],), prepare=True)

    def store(self, size: int) -> None:
        cursor = self.connection.cursor()
        given = [row[:-1] for row in self.rows]
        pos = "nextval('bide_jobs_pos_seq')"
        if size == 1:
            insert = f"INSERT INTO bide_jobs ({COLUMNS}) VALUES ({'%s, ' * 8}{pos}) RETURNING id"
            for row in given:
                cursor.execute(insert, row, prepare=True).fetchone()
            return
        lists = ", ".join(f"%s::{kind}[]" for kind in self.types)
        insert = f"INSERT INTO bide_jobs ({COLUMNS}) SELECT g.*, {pos} FROM unnest({lists}) AS g RETURNING id"
        for start in range(0, self.jobs, size):
            columns = [list(column) for column in zip(*given[start : start + size], strict=True)]
            cursor.execute(insert, columns, prepare=True).fetchall()


class SQLite(Bare):
    """sqlite3 with the settings that everybody recommends."""

    moment = "2026-01-01 00:00:00.000000"
    claim = """
    UPDATE bide_jobs SET state = 1, lease = lease + 1, locked_at = ?, locked_by = 'bare', worker_id = 1
    WHERE id IN (
        SELECT id FROM bide_jobs WHERE state = 0 AND queue = 'default' ORDER BY priority, pos LIMIT {}
    ) RETURNING id, lease, payload
    """
    finish = "DELETE FROM bide_jobs WHERE id = ? AND lease = ? AND worker_id = 1 AND state = 1"
    insert = f"INSERT INTO bide_jobs ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

    def __init__(self, url: str, jobs: int) -> None:
        super().__init__(url, jobs)
        self.connection = sqlite3.connect(make_url(url).database or "", isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"):
            self.connection.execute(statement)

    def clear(self) -> None:
        self.connection.execute("DELETE FROM bide_jobs")

    def empty(self, size: int) -> None:
        execute, claim = self.connection.execute, self.claim.format(size)
        while True:
            execute("BEGIN IMMEDIATE")
            taken = execute(claim, (self.moment,)).fetchall()
            execute("COMMIT")
            if not taken:
                return
            for row in taken:
                self.perform(row[2])
            execute("BEGIN IMMEDIATE")
            self.connection.executemany(self.finish, [row[:2] for row in taken])
            execute("COMMIT")

    def store(self, size: int) -> None:
        for start in range(0, self.jobs, size):
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany(self.insert, self.rows[start : start + size])
            self.connection.execute("COMMIT")


class MySQL(Bare):
    """PyMySQL at READ COMMITTED."""

    moment = datetime.now(UTC).replace(tzinfo=None)
    look = """
    SELECT id, lease, payload FROM bide_jobs WHERE state = 0 AND queue = 'default' AND priority = 0
    ORDER BY pos LIMIT {} FOR UPDATE SKIP LOCKED
    """
    take = """
    UPDATE bide_jobs SET state = 1, lease = lease + 1, locked_at = %s, locked_by = 'bare', worker_id = 1
    WHERE id IN %s
    """
    finish = "DELETE FROM bide_jobs WHERE id IN %s AND worker_id = 1 AND state = 1"
    insert = f"INSERT INTO bide_jobs ({COLUMNS.replace('key', '`key`')}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"

    def __init__(self, url: str, jobs: int) -> None:
        import pymysql

        super().__init__(url, jobs)
        made = make_url(url)
        where: dict[str, Any] = {"host": made.host or "localhost", "port": made.port or 3306}
        if "unix_socket" in made.query:
            where = {"unix_socket": made.query["unix_socket"]}
        self.connection = pymysql.connect(
            **where, user=made.username, password=made.password or "", database=made.database,
            autocommit=True, charset="utf8mb4",
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )  # fmt: skip
        self.cursor = self.connection.cursor()

    def clear(self) -> None:
        self.cursor.execute("TRUNCATE TABLE bide_jobs")

    def empty(self, size: int) -> None:
        cursor, look = self.cursor, self.look.format(size)
        while True:
            self.connection.begin()
            cursor.execute(look)
            taken = cursor.fetchall()
            ids = tuple(row[0] for row in taken)
            if taken:
                cursor.execute(self.take, (self.moment, ids))
            self.connection.commit()
            if not taken:
                return
            for row in taken:
                self.perform(row[2])
            cursor.execute(self.finish, (ids,))

    def store(self, size: int) -> None:
        for start in range(0, self.jobs, size):
            self.cursor.executemany(self.insert, self.rows[start : start + size])


if __name__ == "__main__":
    main()
