"""The ceiling on SQLite: the sqlite3 module alone, WAL, claims and finishes of a hundred, no framework."""

from __future__ import annotations

import sqlite3
from typing import ClassVar

from contest.peer import BATCH, Peer, tick

TABLE = """
    CREATE TABLE jobs (id integer PRIMARY KEY AUTOINCREMENT, queue text NOT NULL, priority int NOT NULL,
      state int NOT NULL DEFAULT 0, payload text NOT NULL, locked_at text, locked_by text);
    CREATE INDEX ready ON jobs (priority, id) WHERE state = 0
"""
INSERT = "INSERT INTO jobs (queue, priority, payload) VALUES (?, ?, ?)"
CLAIM = """
    UPDATE jobs SET state = 1, locked_at = datetime(), locked_by = 'bare' WHERE id IN
      (SELECT id FROM jobs WHERE state = 0 ORDER BY priority, id LIMIT 100) RETURNING id, payload
"""
PAYLOAD = '{"job": "tick", "args": []}'


class BareSQLite(Peer):
    store = "sqlite"
    requirements: ClassVar = []
    jobs = 100_000
    left = "SELECT count(*) FROM jobs"

    def connect(self) -> None:
        self.connection = sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")

    def setup(self) -> None:
        self.connect()
        self.connection.executescript(TABLE)

    def enqueue_one(self) -> None:
        self.connection.execute(INSERT, ("default", 0, PAYLOAD))

    def enqueue_many(self, count: int) -> None:
        for begin in range(0, count, BATCH):
            rows = [("default", 0, PAYLOAD)] * min(BATCH, count - begin)
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany(INSERT, rows)
            self.connection.execute("COMMIT")

    def work(self) -> None:
        self.connect()
        while True:
            self.connection.execute("BEGIN IMMEDIATE")
            claimed = self.connection.execute(CLAIM).fetchall()
            self.connection.execute("COMMIT")
            for _ in claimed:
                tick()
            ids = [(number,) for number, _ in claimed]
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany("DELETE FROM jobs WHERE id = ?", ids)
            self.connection.execute("COMMIT")


if __name__ == "__main__":
    BareSQLite.main()
