"""SQLite: where the file lies, who may write it, and whether this version is safe with several writers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bide.db.dialects import FEATURES, dotted
from bide.db.engine import Database
from bide.db.health.plan import Check, Plan
from bide.errors import BideError
from bide.forks.findings import ERROR, OK, WARNING, Finding

_BESIDE: Final = ("-wal", "-shm", "-journal")


def _file(database: Database, _: Plan) -> Iterable[Finding]:
    """Nothing is opened: that would make a database that was not there."""
    try:
        path = database.file
    except BideError as error:
        yield Finding(ERROR, "file", str(error), "put it on a local disk of this machine")
        return
    if not path.exists():
        text = f"{str(path)!r} is not there"
        yield Finding(ERROR, "file", text, "run `bide migrate`, here or in the right directory")
        return
    yield Finding(OK, "file", f"{str(path)!r}, {path.stat().st_size:,} bytes, on a local disk")
    yield from _permissions(path)


def _permissions(path: Path) -> Iterable[Finding]:
    for each in (path, path.parent):
        if not os.access(each, os.W_OK):
            text = f"{str(each)!r} cannot be written by user {os.geteuid()}"
            advice = "SQLite writes the file and, beside it, its log: give the user both"
            yield Finding(ERROR, "permissions", text, advice)
    facts = path.stat()
    if facts.st_mode & stat.S_IWOTH:
        text = f"{str(path)!r} can be written by everybody on this machine"
        yield Finding(WARNING, "permissions", text, f"chmod o-w {path}")
    for each in (path.with_name(path.name + end) for end in _BESIDE):
        if each.exists() and each.stat().st_uid != facts.st_uid:
            text = f"{str(each)!r} belongs to user {each.stat().st_uid}, the database to {facts.st_uid}"
            advice = "run every process as one user; with none running, chown the file"
            yield Finding(WARNING, "permissions", text, advice)


def _version(database: Database, plan: Plan) -> Iterable[Finding]:
    dialect, safe = database.dialect, dotted(FEATURES["safe_wal_reset"]["SQLite"])
    if dialect.has("safe_wal_reset"):
        yield Finding(OK, "version", f"{dialect}")
        return
    text = (
        f"{dialect} has the fault of versions before {safe}: a checkpoint that meets the reset of the "
        "write-ahead log in another process can leave pages out"
    )
    level = WARNING if plan.processes > 1 else OK
    yield Finding(level, "version", text, f"use SQLite {safe} or newer, or PostgreSQL")


def _write_ahead_log(database: Database, _: Plan) -> Iterable[Finding]:
    [[mode]] = database.read(lambda c: c.execute("PRAGMA journal_mode"))
    if mode == "wal":
        yield Finding(OK, "journal", "write-ahead log: readers do not wait for writers")
    else:
        advice = "PRAGMA journal_mode=WAL, once, while nobody else has the file open"
        yield Finding(
            ERROR, "journal", f"journal_mode is {mode}: each reader stops writers", advice
        )


BEFORE: Final[tuple[Check, ...]] = (_file,)
CHECKS: Final[tuple[Check, ...]] = (_version, _write_ahead_log)
