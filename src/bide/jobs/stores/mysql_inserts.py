"""Storing jobs in MySQL: rows by statement, then their ids by key, on our connection or the caller's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bide.db.connection import Connection, Row
from bide.db.statements import Statement, Statements
from bide.errors import EnqueueError
from bide.jobs.job import NewJob, State
from bide.jobs.stores.mysql_texts import Repeated, numbered

Step = tuple[Statement, dict[str, Any]]
#: Statements in order, each sent with its rows; the ids at the end.
Story = Generator[Step, list[Row], list[int]]

#: Rows and characters of text in one statement: a server refuses packets that are too large.
_ROWS: Final = 256
_TEXT: Final = 2**20
_KEYS: Final = 1000
#: Characters that the columns of names hold.
_NAME: Final = 255

_SQL_MODE: Final = Statement("SELECT @@SESSION.sql_mode", "sql_mode")
_BE_STRICT: Final = Statement(
    "SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES')", "sql_mode"
)
_AS_BEFORE: Final = Statement("SET SESSION sql_mode = :mode", "sql_mode")


class Inserts:
    """The statements of `insert`; who runs them is the store's business."""

    def __init__(self, statements: Statements, repeated: Repeated) -> None:
        self._statements = statements
        self._repeated = repeated

    def one(self, connection: Connection, job: NewJob) -> int:
        """Store one job by one statement, which also tells the id of a key that is known."""
        connection.execute(self._repeated.insert(1), numbered([_params(job)]))
        return int(connection.raw.insert_id())

    def story(self, jobs: Sequence[NewJob]) -> Story:
        """What stores `jobs`; refuses what the columns could not hold before anything is sent."""
        rows = [_params(job) for job in jobs]
        return self._stored(rows, [job.key for job in jobs])

    def strictly(self, story: Story) -> Story:
        """`story` in a session of somebody else, which may let the server cut texts (DJ-522)."""
        [[mode]] = yield _SQL_MODE, {}
        if "STRICT_" in mode:
            return (yield from story)
        yield _BE_STRICT, {}
        try:
            return (yield from story)
        finally:
            yield _AS_BEFORE, {"mode": mode}

    def _stored(self, rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> Story:
        for some in _statements_of(rows):
            yield self._repeated.insert(len(some)), numbered(some)
        ids: dict[str, int] = {}
        for start in range(0, len(keys), _KEYS):
            asked = tuple(keys[start : start + _KEYS])
            found = yield self._statements["ids_of_keys"], {"keys": asked}
            ids |= {key: job_id for job_id, key in found}
            late = tuple(key for key in asked if key not in ids)
            if late:
                found = yield self._statements["ids_of_late_keys"], {"keys": late}
                ids |= {key: job_id for job_id, key in found}
        return [ids[key] for key in keys]


def play(story: Story, execute: Callable[[Statement, dict[str, Any]], list[Row]]) -> list[int]:
    """Run a story; an error is told to it first."""
    try:
        step = next(story)
        while True:
            try:
                rows = execute(*step)
            except Exception as error:  # noqa: BLE001 - the story raises it again
                step = story.throw(error)
            else:
                step = story.send(rows)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def aplay(
    story: Story, execute: Callable[[Statement, dict[str, Any]], Awaitable[list[Row]]]
) -> list[int]:
    """The same for callers in an event loop."""
    try:
        step = next(story)
        while True:
            try:
                rows = await execute(*step)
            except Exception as error:  # noqa: BLE001 - the story raises it again
                step = story.throw(error)
            else:
                step = story.send(rows)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _statements_of(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """Pieces whose lengths are powers of two, so that few different statements are written."""
    start = 0
    while start < len(rows):
        count, text = 0, 0
        while start + count < len(rows) and count < _ROWS:
            text += len(rows[start + count]["payload"]) + len(rows[start + count]["context"] or "")
            if count and text > _TEXT:
                break
            count += 1
        count = 1 << (count.bit_length() - 1)
        yield rows[start : start + count]
        start += count


def _params(job: NewJob) -> dict[str, Any]:
    created_at = job.created_at.astimezone(UTC)
    run_at = created_at if job.run_at is None else job.run_at.astimezone(UTC)
    _refuse_unstorable(job)
    return {
        "key": job.key,
        "name": job.name,
        "queue": job.queue,
        "priority": job.priority,
        "state": int(State.SCHEDULED if run_at > created_at else State.READY),
        "payload": job.payload,
        "max_attempts": job.max_attempts,
        "run_at": _naive(run_at),
        "created_at": _naive(created_at),
        "locale": job.locale,
        "context": job.context,
    }


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _refuse_unstorable(job: NewJob) -> None:
    for field in ("key", "name", "queue", "payload", "locale", "context"):
        text = getattr(job, field) or ""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise EnqueueError(
                f"the {field} of job {job.name!a} cannot be stored as it is: character "
                f"{error.start} is half of a pair ({text[error.start]!a}); decode the text anew"
            ) from error
    for field in ("name", "queue", "locale"):
        text = getattr(job, field) or ""
        if len(text) > _NAME:
            raise EnqueueError(
                f"the {field} of job {job.name[:40]!r} has {len(text)} characters; "
                f"at most {_NAME} can be stored"
            )
