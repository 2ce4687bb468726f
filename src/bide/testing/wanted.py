"""What a test wants of a stored job, and in what a stored one differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bide.app import App
from bide.errors import BideError, DeserializationError
from bide.jobs.brought_back import Payload
from bide.jobs.handle import Job

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job with some arguments and columns; None: whatever they are."""

    app: App
    job: Any
    args: Sequence[Any] | None
    kwargs: Mapping[str, Any] | None
    columns: Mapping[str, Any]

    def __post_init__(self) -> None:
        unknown = [name for name in self.columns if name not in Job.__slots__]
        if unknown:
            known = ", ".join(name for name in Job.__slots__ if not name.startswith("_"))
            raise TypeError(f"a Job has no {unknown[0]!r}; it has {known}")

    def __str__(self) -> str:
        name = getattr(self.job, "__qualname__", None) or repr(self.job)
        given = [repr(one) for one in self.args or ()]
        given += [f"{key}={value!r}" for key, value in (self.kwargs or {}).items()]
        more = "".join(f" {name}={value!r}" for name, value in self.columns.items())
        open_ended = self.args is None and self.kwargs is None
        return f"{name}({'...' if open_ended else ', '.join(given)}){more}"

    def differences(self, stored: Job) -> list[str]:
        """In words, one line each; none: it is such a job."""
        found = [*self._of_columns(stored)]
        if self.args is not None or self.kwargs is not None:
            found += self._of_arguments(stored.payload_object)
        return found

    def _of_columns(self, stored: Job) -> Iterable[str]:
        for name, value in self.columns.items():
            if (held := getattr(stored, name)) != value:
                yield f"{name}: wanted {value!r}, is {held!r}"

    def _of_arguments(self, payload: Payload) -> Iterable[str]:
        for index, (wanted, held) in enumerate(_paired(self.args, payload.args)):
            yield from self._compared(f"argument {index + 1}", wanted, held)
        names = {**payload.kwargs, **self.kwargs} if self.kwargs is not None else {}
        for name in names:
            wanted = (self.kwargs or {}).get(name, _MISSING)
            yield from self._compared(name, wanted, payload.kwargs.get(name, _MISSING))

    def _compared(self, place: str, wanted: Any, held: Any) -> Iterable[str]:
        if not self._equal(wanted, held):
            yield f"{place}: wanted {_shown(wanted)}, is {_shown(held)}"

    def _equal(self, wanted: Any, held: Any) -> bool:
        if wanted is held or wanted == held:
            return True
        records = self.app.records.adapter(type(wanted))
        if records is None or type(wanted) is not type(held):
            return False
        try:
            return records.key_of(wanted) == records.key_of(held)
        except BideError:  # one that has no row is no stored one
            return False

    def described(self, stored: Job) -> str:
        """A stored job in one line."""
        return f"{stored.name}{_call(stored)} queue={stored.queue!r} priority={stored.priority}"


def _paired(wanted: Sequence[Any] | None, held: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
    if wanted is None:
        return
    for index in range(max(len(wanted), len(held))):
        yield (
            wanted[index] if index < len(wanted) else _MISSING,
            held[index] if index < len(held) else _MISSING,
        )


def _shown(value: Any) -> str:
    return "absent" if value is _MISSING else repr(value)


def _call(job: Job) -> str:
    try:
        payload = job.payload_object
    except DeserializationError as error:
        return f" (unloadable: {error})"
    if payload.object is not None and not payload.args and not payload.kwargs:
        return f" {payload.object!r}"
    given = [repr(one) for one in payload.args]
    given += [f"{key}={value!r}" for key, value in payload.kwargs.items()]
    return f"({', '.join(given)})"
