"""Every error that Bide raises, in one tree.

BideError
├── SettingsError            a setting has an impossible value (all problems in one error)
├── MissingDependency        a feature needs an extra that is not installed
├── DatabaseError
│   ├── ConnectionLost       the database went away; the caller may try again
│   ├── DatabaseBusy         a lock could not be had in time; the caller may try again
│   ├── NotMigrated          Bide's tables are missing or old
│   └── UnsupportedFeature   this database cannot do that, with the reason
├── EnqueueError             a job was refused before it was stored
│   ├── NotAJob              the object has no perform(), or was never declared
│   ├── UnsupportedArgument  an argument cannot come back from the database
│   ├── UnsavedRecord        a record without a row
│   └── PayloadTooLarge      over `max_payload_size`
├── DeserializationError     a stored payload cannot be brought back
│   ├── MalformedPayload     it is not a payload of ours
│   ├── RecordNotFound       its record is gone
│   └── UnknownJob           its function or class is not known here (yet): retried
│       └── IncompatibleJob  the function or class is known, and takes other arguments: retried
├── JobError
│   ├── JobNotFound          no job has that id
│   ├── JobStateError        the job's state does not allow that
│   └── LeaseLost            the attempt was given to another worker meanwhile
├── InvalidCallback          no such lifecycle event, or wrong arguments
├── FatalBackendError        the store cannot be used at all
├── ForkError                a value or connection was used in a process that did not make it
└── TextError                errors of bide.i18n

WorkerTimeout, WorkerStop    derive from BaseException: no `except Exception` of a job swallows them
"""

from __future__ import annotations


class BideError(Exception):
    """The root of all errors of Bide."""


class SettingsError(BideError, ValueError):
    """One or several settings have impossible values; `problems` lists each in a sentence."""

    def __init__(self, *problems: str) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problems))


class MissingDependency(BideError, ImportError):
    """A feature needs a library that is not installed; the message holds the install command."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(f"{feature} needs an extra library: pip install 'bide[{extra}]'")


class DatabaseError(BideError):
    """The database refused or failed. `nothing_changed`: it is certain that nothing took effect."""

    nothing_changed: bool = False


class ConnectionLost(DatabaseError, ConnectionError):
    """The connection to the database is gone; whether the last statement took effect is unknown."""


class DatabaseBusy(DatabaseError, TimeoutError):
    """A lock could not be had in time (deadlock, lock timeout, SQLite busy); nothing was changed."""


class NotMigrated(DatabaseError):
    """Bide's tables are missing or older than this version: run `bide migrate`."""


class UnsupportedFeature(DatabaseError, NotImplementedError):
    """The database lacks something; the message names feature, version found and version needed."""


class EnqueueError(BideError):
    """A job was refused before anything was stored.

    `path` leads to the refused value inside an argument, e.g. `args[1].items[3]`; may be empty.
    """

    path: str = ""


class NotAJob(EnqueueError, TypeError):
    """The object has no perform() method, or its function or class was never declared a job."""


class UnsupportedArgument(EnqueueError, TypeError):
    """An argument cannot come back from the database; the message names job, argument and remedy."""


class UnsavedRecord(EnqueueError, ValueError):
    """A record has no row (new or deleted), so a job could not load it."""


class PayloadTooLarge(EnqueueError, ValueError):
    """The payload is larger than the setting `max_payload_size`."""


class DeserializationError(BideError):
    """A stored payload cannot be brought back (Delayed::Job's DeserializationError)."""


class MalformedPayload(DeserializationError):
    """The payload column does not hold a payload of Bide."""


class RecordNotFound(DeserializationError):
    """A record named in the payload has no row any more."""


class UnknownJob(DeserializationError):
    """The payload names a function or class that is not declared in this process (deploy skew)."""


class IncompatibleJob(UnknownJob):
    """The stored arguments do not fit the function or class as it is here (deploy skew)."""


class JobError(BideError):
    """An operation on a stored job failed."""


class JobNotFound(JobError, LookupError):
    """No job has that id (it may have succeeded and been deleted)."""


class JobStateError(JobError):
    """The state of the job does not allow the operation."""


class LeaseLost(JobError):
    """This attempt was given to another worker; its outcome must not be recorded."""


class InvalidCallback(BideError, ValueError):
    """Unknown lifecycle event or kind, or an event run with the wrong arguments."""


class FatalBackendError(BideError):
    """The store cannot be used at all, and trying again cannot help."""


class ForkError(BideError, RuntimeError):
    """A value or connection was used in a process that did not make it."""


class TextError(BideError):
    """The root of the errors of bide.i18n."""


class WorkerTimeout(BaseException):
    """A job ran longer than its max_run_time. No `except Exception` in a job swallows it."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds
        unit = "second" if seconds == 1 else "seconds"
        super().__init__(f"execution expired (max_run_time is only {seconds:g} {unit})")


class WorkerStop(BaseException):
    """The worker stops now and gives the running job back with no attempt counted."""
