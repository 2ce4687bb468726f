"""Bide: background jobs and translations that live in your database, and survive the fork."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bide.app import App, adelay, current_app, delay
    from bide.errors import (
        BideError,
        ConnectionLost,
        DatabaseBusy,
        DatabaseError,
        DeserializationError,
        EnqueueError,
        FatalBackendError,
        ForkError,
        IncompatibleJob,
        InvalidCallback,
        JobError,
        JobNotFound,
        JobStateError,
        LeaseLost,
        MalformedPayload,
        MissingDependency,
        NotAJob,
        NotMigrated,
        PayloadTooLarge,
        RecordNotFound,
        SettingsError,
        TextError,
        UnknownJob,
        UnsavedRecord,
        UnsupportedArgument,
        UnsupportedFeature,
        UnsupportedResult,
        WorkerStop,
        WorkerTimeout,
        WrongConnection,
    )
    from bide.jobs.handle import Job, current_job
    from bide.jobs.lifecycle import Lifecycle
    from bide.jobs.plugin import Plugin
    from bide.workers.settings import Settings
    from bide.workers.worker import Worker

__version__ = "0.1.0"

#: Where each public name lives. They are imported when they are first used, so that a program
#: pays only for what it needs.
_HOMES = {
    "App": "bide.app",
    "BideError": "bide.errors",
    "ConnectionLost": "bide.errors",
    "DatabaseBusy": "bide.errors",
    "DatabaseError": "bide.errors",
    "DeserializationError": "bide.errors",
    "EnqueueError": "bide.errors",
    "FatalBackendError": "bide.errors",
    "ForkError": "bide.errors",
    "IncompatibleJob": "bide.errors",
    "InvalidCallback": "bide.errors",
    "Job": "bide.jobs.handle",
    "JobError": "bide.errors",
    "JobNotFound": "bide.errors",
    "JobStateError": "bide.errors",
    "LeaseLost": "bide.errors",
    "Lifecycle": "bide.jobs.lifecycle",
    "MalformedPayload": "bide.errors",
    "MissingDependency": "bide.errors",
    "NotAJob": "bide.errors",
    "NotMigrated": "bide.errors",
    "PayloadTooLarge": "bide.errors",
    "Plugin": "bide.jobs.plugin",
    "RecordNotFound": "bide.errors",
    "Settings": "bide.workers.settings",
    "SettingsError": "bide.errors",
    "TextError": "bide.errors",
    "UnknownJob": "bide.errors",
    "UnsavedRecord": "bide.errors",
    "UnsupportedArgument": "bide.errors",
    "UnsupportedFeature": "bide.errors",
    "UnsupportedResult": "bide.errors",
    "Worker": "bide.workers.worker",
    "WorkerStop": "bide.errors",
    "WorkerTimeout": "bide.errors",
    "WrongConnection": "bide.errors",
    "adelay": "bide.app",
    "current_app": "bide.app",
    "current_job": "bide.jobs.handle",
    "delay": "bide.app",
}

__all__ = [
    "App",
    "BideError",
    "ConnectionLost",
    "DatabaseBusy",
    "DatabaseError",
    "DeserializationError",
    "EnqueueError",
    "FatalBackendError",
    "ForkError",
    "IncompatibleJob",
    "InvalidCallback",
    "Job",
    "JobError",
    "JobNotFound",
    "JobStateError",
    "LeaseLost",
    "Lifecycle",
    "MalformedPayload",
    "MissingDependency",
    "NotAJob",
    "NotMigrated",
    "PayloadTooLarge",
    "Plugin",
    "RecordNotFound",
    "Settings",
    "SettingsError",
    "TextError",
    "UnknownJob",
    "UnsavedRecord",
    "UnsupportedArgument",
    "UnsupportedFeature",
    "UnsupportedResult",
    "Worker",
    "WorkerStop",
    "WorkerTimeout",
    "WrongConnection",
    "adelay",
    "current_app",
    "current_job",
    "delay",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'bide' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    """What the module offers."""
    return sorted({*globals(), *__all__})
