"""Storing jobs in PostgreSQL: what a batch has in common is sent once, the rest as lists in one text each.

The driver would write the lists in Python, value by value; the server reads its own writing of them as
fast as the driver's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from bide.db.connection import Row
from bide.db.pipeline import Asked
from bide.db.statements import Statement, Statements
from bide.jobs.job import NewJob, State

#: How many jobs one INSERT stores, and about how many characters.
BATCH_ROWS: Final = 1000
BATCH_SIZE: Final = 8_000_000

Execute = Callable[[Statement, dict[str, Any]], list[Row]]


class Inserts:
    """The statements that store many; who runs them is the store's business."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def store(self, jobs: Sequence[NewJob], execute: Execute, stored: list[Row]) -> list[int]:
        """The id of each; `stored` gets a row of each level and state of those that were not there: queue,
        priority, lowest place, state, ids, keys."""
        ids: dict[str, int] = {}
        for batch in _batches(jobs):
            self._insert(batch, execute, stored, ids)
            self._complete(batch, execute, stored, ids)
        return [ids[job.key] for job in jobs]

    def asked(self, jobs: Sequence[NewJob]) -> Asked | None:
        """The one statement that stores them; None when it takes more."""
        batches = list(islice(_batches(jobs), 2))
        return (self._statements["insert"], columns(batches[0])) if len(batches) == 1 else None

    def complete(self, jobs: Sequence[NewJob], execute: Execute, stored: list[Row]) -> list[int]:
        """The same as `store`, where the statement `asked` has run and brought the rows in `stored`."""
        ids: dict[str, int] = {}
        _note(stored, ids)
        self._complete(jobs, execute, stored, ids)
        return [ids[job.key] for job in jobs]

    def _complete(
        self, batch: Sequence[NewJob], execute: Execute, stored: list[Row], ids: dict[str, int]
    ) -> None:
        # A job that is there now may be finished before we look: then there is room for ours.
        while missing := {job.key: job for job in batch if job.key not in ids}:
            ids |= dict(execute(self._statements["known_keys"], {"keys": list(missing)}))
            gone = [job for key, job in missing.items() if key not in ids]
            if gone:
                self._insert(gone, execute, stored, ids)

    def _insert(
        self, batch: Sequence[NewJob], execute: Execute, stored: list[Row], ids: dict[str, int]
    ) -> None:
        rows = execute(self._statements["insert"], columns(batch))
        stored += rows
        _note(rows, ids)


def _note(rows: Sequence[Row], ids: dict[str, int]) -> None:
    for *_, new, keys in rows:
        ids.update(zip(keys, new, strict=True))


def columns(batch: Sequence[NewJob]) -> dict[str, Any]:
    """The parameters of insert.sql: of each column the list, or the value that all have in common."""
    (
        keys, names, queues, priorities, payloads, given, created_ats, max_attempts, locales, contexts,
    ) = zip(*batch, strict=True)  # fmt: skip
    run_ats = tuple(
        job.created_at if run_at is None else run_at
        for job, run_at in zip(batch, given, strict=True)
    )
    states = tuple(
        int(State.SCHEDULED if run_at > created_at else State.READY)
        for run_at, created_at in zip(run_ats, created_ats, strict=True)
    )
    params: dict[str, Any] = {"keys": texts(keys), "payloads": texts(payloads)}
    varied: list[tuple[str, Sequence[Any], Callable[[Sequence[Any]], str]]] = [
        ("name", names, texts),
        ("queue", queues, texts),
        ("priority", priorities, _numbers),
        ("state", states, _numbers),
        ("max_attempts", max_attempts, _numbers),
        ("run_at", run_ats, _moments),
        ("created_at", created_ats, _moments),
        ("locale", locales, texts),
        ("context", contexts, texts),
    ]
    for name, values, write in varied:
        alike = values.count(values[0]) == len(values)
        params[name] = values[0] if alike else None
        params[f"each_{name}"] = None if alike else write(values)
    return params


def texts(values: Sequence[str | None]) -> str:
    """An array of texts: between quotation marks all but two characters stand for themselves."""
    return _array(
        None if value is None else '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'
        for value in values
    )


def _numbers(values: Sequence[int | None]) -> str:
    return _array(None if value is None else str(value) for value in values)


def _moments(values: Sequence[datetime]) -> str:
    return _array(value.isoformat() for value in values)


def _array(written: Iterator[str | None]) -> str:
    return "{" + ",".join("NULL" if value is None else value for value in written) + "}"


def _batches(jobs: Sequence[NewJob]) -> Iterator[Sequence[NewJob]]:
    batch: list[NewJob] = []
    size = 0
    for job in jobs:
        if batch and (len(batch) >= BATCH_ROWS or size + len(job.payload) > BATCH_SIZE):
            yield batch
            batch, size = [], 0
        batch.append(job)
        size += len(job.payload)
    if batch:
        yield batch
