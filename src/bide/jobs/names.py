"""What people read of a job: the column `name`, made when it is stored, whatever its payload says."""

from __future__ import annotations

from typing import Any

from bide import events
from bide.jobs.registry import Declared

#: What the column holds.
MAX_LENGTH = 255


def name_of_object(job: Any, declared: Declared) -> str:
    """`display_name` of a job object (text, or a method that returns it), else its class' name.

    One that raises or returns no text is reported and replaced by the class' name: a label stops
    no job (`queue.md DJ-519`).
    """
    try:
        label = getattr(job, "display_name", None)
        if callable(label):
            label = label()
        return declared.label if label is None else _text(label)
    except Exception as error:  # noqa: BLE001 - reported, and no label stops a job
        events.emit("job.display_name_failed", job=declared.name, error=error)
        return declared.label


def _text(label: Any) -> str:
    if not isinstance(label, str):
        raise TypeError(f"display_name is {label!r}, not text")
    return label


def problem_with(text: str, longest: int = MAX_LENGTH) -> str | None:
    """Why not every database keeps `text` in a short column as it is; None when they do."""
    if len(text) <= longest:
        plain = text.isascii() and "\0" not in text
        if plain or storable(text) == text:
            return None
    return f"must be at most {longest} whole characters without NUL"


def storable(name: str) -> str:
    """The name as every database can keep it: no NUL, whole characters, at most 255."""
    return name.replace("\0", "").encode(errors="replace").decode()[:MAX_LENGTH]
