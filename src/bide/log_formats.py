"""Log lines for programs: JSON or key=value, with the job, attempt, worker and trace they belong to."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

#: What --log-format may be.
FORMATS: Final = ("text", "json", "logfmt")

Fields = Callable[[], dict[str, Any]]

_fields: list[Fields] = []
#: What a record has by itself; anything else was given as `extra`.
_PLAIN: Final = frozenset(
    {*vars(logging.makeLogRecord({})), "message", "asctime", "bide_event", "bide_facts"}
)


def add_fields(fields: Fields) -> None:
    """Let every structured line have what `fields()` returns at that moment; it must not fail or wait."""
    if fields not in _fields:
        _fields.append(fields)


class JSONFormatter(logging.Formatter):
    """A JSON object in each line. Usable for any logger: lines written inside a job name the job."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return json.dumps(_line_of(record), ensure_ascii=False, default=str)


class LogfmtFormatter(logging.Formatter):
    """key=value pairs in each line; values with spaces are quoted as JSON quotes them."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return " ".join(f"{name}={_quoted(value)}" for name, value in _line_of(record).items())


class TextFormatter(logging.Formatter):
    """Time and words, as Delayed::Job wrote them."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")


def formatter(name: str) -> logging.Formatter:
    """The formatter that one of FORMATS names."""
    classes: dict[str, Callable[[], logging.Formatter]] = {
        "text": TextFormatter,
        "json": JSONFormatter,
        "logfmt": LogfmtFormatter,
    }
    return classes[name]()


def _line_of(record: logging.LogRecord) -> dict[str, Any]:
    line = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
        "pid": record.process,
    }
    for fields in _fields:
        line |= fields()
    known = _PLAIN | line.keys()
    given = {name: value for name, value in vars(record).items() if name not in known}
    return line | given | _event(record) | _exception(record)


def _event(record: logging.LogRecord) -> dict[str, Any]:
    """What an event of Bide tells besides its words."""
    facts: dict[str, Any] = getattr(record, "bide_facts", {})
    told: dict[str, Any] = {}
    if hasattr(record, "bide_event"):
        told["event"] = record.bide_event
    for name, value in facts.items():
        told |= _told(name, value)
    return told


def _told(name: str, value: Any) -> dict[str, Any]:
    """A fact in words that programs understand; an object only by what is known of it."""
    if name == "job":
        return job_fields(value) if value is not None else {}
    if name == "worker":
        return {"worker": getattr(value, "name", value)}
    if isinstance(value, BaseException):
        return {"error": type(value).__name__}
    if value is None or isinstance(value, bool | int | float | str):
        return {name: value}
    return {}


def job_fields(job: Any) -> dict[str, Any]:
    """What every line about a job says: its id, name and queue, which attempt, on which worker."""
    fields = {"job_id": job.id, "job": job.name, "queue": job.queue, "attempt": job.attempts + 1}
    return fields | ({"worker": job.locked_by} if job.locked_by else {})


def _exception(record: logging.LogRecord) -> dict[str, Any]:
    if not record.exc_info or record.exc_info[1] is None:
        return {}
    try:
        return {"exception": "".join(traceback.format_exception(record.exc_info[1]))}
    except Exception:  # noqa: BLE001 - an error whose __str__ raises is the application's code
        return {"exception": f"{record.exc_info[0]} (it could not be shown)"}


def _quoted(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    plain = text and text.isprintable() and not set(text) & set(' "=')
    return text if plain else json.dumps(text, ensure_ascii=False)
