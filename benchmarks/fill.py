"""A million jobs in seconds: the server copies one stored job, so that filling takes no part of a measurement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

#: Rows of one statement.
PIECE = 250_000
COPIED = """
    name, queue, priority, state, payload, attempts, crashes, max_attempts, lease, created_at, locale, context
"""


class Words(NamedTuple):
    """How a database says: numbers `n`, a key made of one, a later moment, a place behind all others."""

    numbers: str
    key: str
    later: str
    pos: str


WORDS = {
    "postgresql": Words(
        "SELECT generate_series({first}, {last}) AS n",
        "'{model}-' || lpad(n::text, 9, '0')",
        "run_at + n * interval '1 second'",
        "nextval('bide_jobs_pos_seq')",
    ),
    "sqlite": Words(
        "WITH RECURSIVE c (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last})"
        " SELECT n FROM c",
        "printf('{model}-%09d', n)",
        "strftime('%Y-%m-%d %H:%M:%f000', run_at, n || ' seconds')",
        "pos + n",
    ),
    "mysql": Words(
        "SELECT seq AS n FROM seq_{first}_to_{last}",
        "concat('{model}-', lpad(n, 9, '0'))",
        "run_at + INTERVAL n SECOND",
        "pos + n",
    ),
}


def fill(app: Any, job: Any, count: int, *, scheduled: bool = False) -> None:
    """Store `count` calls of `job`, ready or scheduled for a month later and the seconds after that."""
    model = job.using(run_at=timedelta(days=30)) if scheduled else job
    [first] = app.enqueue_many([model.bind(0)])
    for begin in range(1, count, PIECE):
        statement = copies(app.database.kind, first.id, begin, min(begin + PIECE, count) - 1)
        app.database.run(lambda connection, text=statement: connection.execute(text))


def copies(kind: str, model: int, first: int, last: int) -> str:
    """The statement that stores copies numbered from `first` to `last`."""
    words = WORDS[kind]
    key = "`key`" if kind == "mysql" else "key"
    return f"""
        INSERT INTO bide_jobs ({COPIED}, {key}, run_at, pos)
        SELECT {COPIED}, {words.key}, CASE WHEN state = 2 THEN {words.later} ELSE run_at END, {words.pos}
        FROM bide_jobs AS model, ({words.numbers}) AS numbers WHERE id = {{model}} ORDER BY n
    """.format(model=model, first=first, last=last)


def settle(app: Any) -> None:
    """Let a server do now what it would do a minute after a change of that size."""
    if app.database.kind == "postgresql":
        app.database.read(lambda connection: connection.execute("VACUUM ANALYZE bide_jobs"))
        app.database.read(lambda connection: connection.execute("CHECKPOINT"))
    elif app.database.kind == "mysql":
        app.database.read(lambda connection: connection.execute("ANALYZE TABLE bide_jobs"))
