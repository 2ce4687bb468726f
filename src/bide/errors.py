"""Every error that Bide raises, in one tree.

BideError
├── SettingsError            a setting has an impossible value (all problems in one error)
├── MissingDependency        a feature needs an extra that is not installed
├── DatabaseError
│   ├── ConnectionLost       the database went away; the caller may try again
│   ├── DatabaseBusy         a lock could not be had in time; the caller may try again
│   ├── NotMigrated          Bide's tables are missing or old
│   ├── WrongConnection      the session or connection given cannot take our statement
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
│   ├── UnsupportedResult    a job returned what cannot be kept
│   └── LeaseLost            the attempt was given to another worker meanwhile
├── InvalidCallback          no such lifecycle event, or wrong arguments
├── FatalBackendError        the store cannot be used at all
├── ForkError                a value or connection was used in a process that did not make it
├── DaemonError              a daemon could not be started, found, told or stopped
│   └── AlreadyRunning       a daemon of that name runs already
├── MailError                a mail cannot be written, delayed or sent
└── TextError                errors of bide.i18n
    ├── InvalidTextArgument  a key, value, format or object that cannot be used
    ├── Disabled             the locale is switched off (False)
    ├── InvalidLocale        a locale that is not available, or no locale at all
    ├── InvalidLocaleData    a file of texts that cannot be read
    ├── UnknownFileType      a file of texts with an unknown extension
    ├── InvalidFilenames     files whose names do not tell their locale
    ├── UnsupportedMethod    this backend cannot do that
    ├── TextConflict         a text would take others' place without anybody having agreed
    ├── EditError            an edit of a text that was not made
    │   ├── EditConflict     somebody else changed the text meanwhile
    │   ├── TextReplaces     texts above or below would go
    │   ├── TextRefused      a check found something
    │   └── TextReadOnly     nobody can edit it here
    ├── MissingTranslation   no text was found
    │   └── MissingTranslationData   the same, raised on request
    ├── InvalidPluralizationData     a plural form is missing
    ├── MissingInterpolationArgument a placeholder got no value
    └── ReservedInterpolationKey     a placeholder has the name of an option

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

    nothing_changed = True


class NotMigrated(DatabaseError):
    """Bide's tables are missing or older than this version: run `bide migrate`."""


class WrongConnection(DatabaseError, TypeError):
    """The session, connection or alias given is unknown, closed, of another kind, or async."""


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


class UnsupportedResult(JobError, TypeError):
    """A job that keeps its result returned what cannot be stored; it fails and is not tried again."""


class LeaseLost(JobError):
    """This attempt was given to another worker; its outcome must not be recorded."""


class InvalidCallback(BideError, ValueError):
    """Unknown lifecycle event or kind, or an event run with the wrong arguments."""


class FatalBackendError(BideError):
    """The store cannot be used at all, and trying again cannot help."""


class ForkError(BideError, RuntimeError):
    """A value or connection was used in a process that did not make it."""


class DaemonError(BideError, RuntimeError):
    """A daemon could not be started, found, told something or stopped."""


class AlreadyRunning(DaemonError):
    """A daemon of that name runs already; `pid` is its process, 0 when that cannot be known."""

    def __init__(self, path: object, owner: tuple[int, str] | None) -> None:
        self.pid = owner[0] if owner else 0
        which = f"process {self.pid}" if self.pid else "another process"
        super().__init__(
            f"already running: {which} holds {path}; stop or restart it, or give this one another "
            "name with --identifier"
        )


class MailError(BideError):
    """A mail cannot be written, delayed or sent."""


class TextError(BideError, ValueError):
    """The root of the errors of bide.i18n (the i18n gem's ArgumentError)."""


class InvalidTextArgument(TextError):
    """A key, value, format or object that bide.i18n cannot use."""


class Disabled(TextError):
    """A text was asked for while the locale is False, before the reader's language is known."""

    def __init__(self, method: str) -> None:
        super().__init__(
            f"I18n.{method} is currently disabled, likely because the application is still "
            "loading; pass locale=, or set a locale first"
        )


class InvalidLocale(TextError):
    """A locale that is not among the available ones, or none at all."""

    def __init__(self, locale: object) -> None:
        self.locale = locale
        super().__init__(
            f"{locale!r} is not a valid locale; add it to available_locales or store texts for it"
        )


class InvalidLocaleData(TextError):
    """A file of texts cannot be read, or does not hold texts by locale."""

    def __init__(self, filename: str, problem: str, line: int | None = None) -> None:
        self.filename, self.problem, self.line = filename, problem, line
        place = filename if line is None else f"{filename}, line {line}"
        super().__init__(f"can not load translations from {place}: {problem}")


class UnknownFileType(TextError):
    """A file of texts has an extension that no loader knows."""

    def __init__(self, type: str, filename: str, known: str = "") -> None:  # noqa: A002 - the gem's word
        self.type, self.filename = type, filename
        known = known or "yml, yaml, json, toml, po, or py named in full"
        super().__init__(
            f"can not load translations from {filename}, the file type {type!r} is not known; use {known}"
        )


class InvalidFilenames(TextError):
    """Files of texts whose names do not tell the locale they hold; the first 20 are shown."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"- {problem}" for problem in problems[:20])
        super().__init__(
            f"Found {len(problems)} file(s) that do not hold the locale in their name:\n{lines}"
        )


class UnsupportedMethod(TextError):
    """A backend cannot do what was asked; the message says what it offers instead."""

    def __init__(self, method: str, backend: str, remedy: str) -> None:
        self.method, self.backend = method, backend
        super().__init__(f"{backend} does not support {method}: {remedy}")


class TextConflict(TextError):
    """An import would replace texts above or below others, and nobody agreed to that; `keys` lists where."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys
        more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
        super().__init__(
            f"importing would take away what stands above or below {', '.join(keys[:5])}{more}; nothing was changed"
        )


class MissingTranslation(TextError):
    """No text was found. `key` is the full key, `considered` every key that was tried."""

    def __init__(
        self,
        locale: object,
        key: object,
        options: dict[str, object] | None = None,
        considered: tuple[str, ...] = (),
    ) -> None:
        self.locale, self.key = locale, key
        given = options or {}
        self.options: dict[str, object] = {
            name: given[name] for name in ("scope", "default") if name in given
        }
        self.considered = considered or (f"{locale}.{'no key' if key is None else key}",)
        if len(self.considered) > 1:
            lines = "\n".join(f"- {name}" for name in self.considered)
            message = f"Translation missing. Options considered were:\n{lines}"
        else:
            message = f"Translation missing: {self.considered[0]}"
        self.message = message
        super().__init__(message)


class MissingTranslationData(MissingTranslation):
    """A missing translation, raised because the caller asked for it (`raise_=True`)."""


class InvalidPluralizationData(TextError):
    """The texts of a plural key lack the form that the count needs."""

    def __init__(self, entry: object, count: object, key: str) -> None:
        self.entry, self.count, self.key = entry, count, key
        super().__init__(
            f"translation data {entry!r} can not be used with count={count!r}: "
            f"key {key!r} is missing."
        )


class MissingInterpolationArgument(TextError):
    """A placeholder of a text got no value."""

    def __init__(self, key: str, values: object, string: str) -> None:
        self.key, self.values, self.string = key, values, string
        super().__init__(f"missing interpolation argument {key!r} in {string!r} ({values!r} given)")


class ReservedInterpolationKey(TextError):
    """A placeholder has a name that is an option of t(), e.g. `%{scope}`."""

    def __init__(self, key: str, string: str) -> None:
        self.key, self.string = key, string
        super().__init__(f"reserved key {key!r} used in {string!r}; rename the placeholder")


class WorkerTimeout(BaseException):
    """A job ran longer than its max_run_time. No `except Exception` in a job swallows it."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds
        unit = "second" if seconds == 1 else "seconds"
        super().__init__(f"execution expired (max_run_time is only {seconds:g} {unit})")


class WorkerStop(BaseException):
    """The worker stops now and gives the running job back with no attempt counted."""


#: Raised into running code from outside: whoever guards against a hook's own errors lets them pass.
INTERRUPTIONS = (KeyboardInterrupt, WorkerStop, WorkerTimeout)


class EditError(TextError):
    """The root of the errors of editing one text, `key` in `locale`; nothing was written."""

    def __init__(self, locale: str, key: str, message: str) -> None:
        self.locale, self.key = locale, key
        super().__init__(f"{locale}.{key} {message}")


class EditConflict(EditError):
    """Somebody changed the text after it was read: `theirs` stands there now, `yours` was to be
    saved. `author` and `changed_at` tell whose change it was, where that is known."""

    def __init__(
        self, locale: str, key: str, theirs: object, yours: object, change: object
    ) -> None:
        self.theirs, self.yours = theirs, yours
        self.author = getattr(change, "author", None)
        self.changed_at = getattr(change, "created_at", None)
        who = self.author or "somebody"
        remedy = "look at both texts, then save again on top of the new one"
        super().__init__(locale, key, f"was changed by {who} after you read it; {remedy}")


class TextReplaces(EditError):
    """A text cannot stand beside texts above or below it: `keys` would go, and history keeps them."""

    def __init__(self, locale: str, key: str, keys: list[str]) -> None:
        self.keys = keys
        listed = ", ".join(keys[:10]) + (", ..." if len(keys) > 10 else "")
        super().__init__(locale, key, f"would replace {listed}; pass replace=True if you mean it")


class TextRefused(EditError):
    """Checks found something: `findings`. `confirmable`: only warnings."""

    def __init__(self, locale: str, key: str, findings: list[object], *, confirmable: bool) -> None:
        self.findings, self.confirmable = findings, confirmable
        said = "; ".join(str(getattr(finding, "message", finding)) for finding in findings)
        remedy = (
            "pass confirmed=True to save it" if confirmable else "mend it, or keep it as a draft"
        )
        super().__init__(locale, key, f"was not saved: {said}; {remedy}")


class TextReadOnly(EditError):
    """A text that nobody can edit here; the message says why."""
