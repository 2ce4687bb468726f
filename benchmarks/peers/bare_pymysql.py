"""The ceiling on MariaDB and MySQL: PyMySQL alone, claims and finishes of a hundred, no framework."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from contest.peer import BATCH, Peer, tick

TABLE = """
    CREATE TABLE jobs (id bigint AUTO_INCREMENT PRIMARY KEY, queue varchar(191) NOT NULL,
      priority int NOT NULL, state smallint NOT NULL DEFAULT 0, payload longtext NOT NULL,
      locked_at datetime(6), locked_by varchar(191), KEY ready (state, priority, id)) ENGINE=InnoDB
"""
INSERT = "INSERT INTO jobs (queue, priority, payload) VALUES (%s, %s, %s)"
LOOK = """
    SELECT id, payload FROM jobs WHERE state = 0 ORDER BY priority, id LIMIT 100 FOR UPDATE SKIP LOCKED
"""
PAYLOAD = '{"job": "tick", "args": []}'


class BarePyMySQL(Peer):
    store = "mysql"
    requirements: ClassVar = ["pymysql"]
    jobs = 60_000
    left = "SELECT count(*) FROM jobs"

    def connect(self) -> None:
        import pymysql

        parts = urlsplit(self.url)
        self.connection = pymysql.connect(
            unix_socket=parse_qs(parts.query)["unix_socket"][0],
            user=parts.username,
            database=parts.path.lstrip("/"),
            autocommit=True,
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )
        self.cursor = self.connection.cursor()

    def setup(self) -> None:
        self.connect()
        self.cursor.execute(TABLE)

    def enqueue_one(self) -> None:
        self.cursor.execute(INSERT, ("default", 0, PAYLOAD))

    def enqueue_many(self, count: int) -> None:
        for begin in range(0, count, BATCH):
            self.cursor.executemany(INSERT, [("default", 0, PAYLOAD)] * min(BATCH, count - begin))

    def work(self) -> None:
        self.connect()
        while True:
            self.connection.begin()
            self.cursor.execute(LOOK)
            claimed = self.cursor.fetchall()
            ids = [number for number, _ in claimed]
            if ids:
                self.cursor.execute(
                    "UPDATE jobs SET state = 1, locked_at = now(6), locked_by = 'bare'"
                    " WHERE id IN %s",
                    (ids,),
                )
            self.connection.commit()
            for _ in claimed:
                tick()
            if ids:
                self.cursor.execute("DELETE FROM jobs WHERE id IN %s", (ids,))


if __name__ == "__main__":
    BarePyMySQL.main()
