"""The part of `bide doctor` about settings: values that are possible, and that will be regretted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Final

from bide.errors import SettingsError
from bide.forks.findings import ERROR, OK, WARNING, Finding
from bide.workers.casualties import LAST_GRACE
from bide.workers.settings import Settings

#: Seconds between SIGTERM and SIGKILL of Docker with `--stop-timeout`, of Kubernetes and of Heroku.
CONTAINER_GRACE: Final = 30.0
#: Bytes that a worker has before it did anything.
_EMPTY_WORKER: Final = 64 * 1024 * 1024
_OF_THE_COMMANDS: Final = ("BIDE_APP", "BIDE_TRACE_CONNECTIONS")


def examine(settings: Settings, *, processes: int = 1) -> list[Finding]:
    """Every finding about `settings` with so many worker processes planned."""
    found = [
        *_stopping(settings),
        *_life_signs(settings),
        *_waiting(settings),
        *_recycling(settings),
        *_place(settings, processes),
        *_misspelt(os.environ),
        *_unheard(settings, os.environ),
    ]
    return found or [Finding(OK, "settings", "every value is sound")]


def unusable(problems: Iterable[str]) -> list[Finding]:
    """The problems of a SettingsError as findings."""
    return [Finding(ERROR, "settings", problem) for problem in problems]


def _stopping(settings: Settings) -> Iterator[Finding]:
    if settings.grace_time + LAST_GRACE > CONTAINER_GRACE:
        yield Finding(
            WARNING,
            "settings",
            f"grace_time={settings.grace_time:g}: a stop can take {settings.grace_time + LAST_GRACE:g} "
            f"s, and containers are killed after {CONTAINER_GRACE:g} s",
            f"set it to {CONTAINER_GRACE - LAST_GRACE:g}, or raise the container's own grace period",
        )


def _life_signs(settings: Settings) -> Iterator[Finding]:
    given_up = settings.heartbeat_interval * settings.missed_heartbeats
    how = (
        f"heartbeat_interval={settings.heartbeat_interval:g} and "
        f"missed_heartbeats={settings.missed_heartbeats}"
    )
    if given_up < 5:
        text = f"{how}: a host that pauses for {given_up:g} s loses its jobs to others"
        yield Finding(WARNING, "settings", text, "keep the product above 5 s")
    elif given_up > 300:
        text = f"{how}: the jobs of a lost host wait for {given_up:g} s"
        yield Finding(WARNING, "settings", text, "keep the product below 300 s")
    if settings.statement_timeout >= given_up:
        text = (
            f"statement_timeout={settings.statement_timeout:g} is not below the {given_up:g} s after "
            "which a silent worker is given up: a frozen statement costs its jobs"
        )
        yield Finding(WARNING, "settings", text, "lower statement_timeout")


def _waiting(settings: Settings) -> Iterator[Finding]:
    if settings.sleep_delay > 60:
        text = f"sleep_delay={settings.sleep_delay:g}: a job whose notice is lost waits that long"
        yield Finding(WARNING, "settings", text, "set it to 60 or less")
    if not settings.delay_jobs:
        text = "delay_jobs is false: each job runs where it is enqueued, workers get none"
        yield Finding(WARNING, "settings", text, "leave it out in production")


def _recycling(settings: Settings) -> Iterator[Finding]:
    limit = settings.recycle_above_memory
    if 0 < limit < _EMPTY_WORKER:
        text = f"recycle_above_memory={limit}: a worker that did nothing has about {_EMPTY_WORKER}"
        yield Finding(WARNING, "settings", text, f"set it to {8 * _EMPTY_WORKER}, in bytes")
    if 0 < settings.recycle_after_jobs < 10:
        text = f"recycle_after_jobs={settings.recycle_after_jobs}: mostly forks, hardly any jobs"
        yield Finding(WARNING, "settings", text, "set it to 1000 or more")


def _place(settings: Settings, processes: int) -> Iterator[Finding]:
    url = settings.database_url
    if url.startswith("memory:"):
        level = ERROR if processes > 1 else WARNING
        text = f"database_url={url!r}: jobs are seen by one process only, and lost at its end"
        yield Finding(level, "settings", text, "name a database; memory is for tests")
    elif url.startswith("sqlite") and ":///" in url and not url.split(":///")[1].startswith("/"):
        text = f"database_url={url!r} is another file in each directory that a command starts in"
        yield Finding(WARNING, "settings", text, "name the whole path: sqlite:////srv/shop/bide.db")


def _misspelt(environment: Mapping[str, str]) -> Iterator[Finding]:
    known = [f"BIDE_{one.name.upper()}" for one in fields(Settings)]
    for name in sorted(environment):
        if not name.startswith("BIDE_") or name in known or name in _OF_THE_COMMANDS:
            continue
        import difflib

        if near := difflib.get_close_matches(name, known, 1, 0.8):
            text = f"the variable {name} is no setting"
            yield Finding(WARNING, "settings", text, f"{near[0]}?")


def _unheard(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that somebody set in vain: `App(...)` reads none, and what code names comes first."""
    for setting in fields(Settings):
        name = f"BIDE_{setting.name.upper()}"
        if name not in environment:
            continue
        try:
            wanted = Settings.load({setting.name: environment[name]})
        except SettingsError:
            continue
        if getattr(wanted, setting.name) != getattr(settings, setting.name):
            text = f"the variable {name} does not count: the code gives this App its settings"
            yield Finding(WARNING, "settings", text, "make it by bide.App.from_env(), or unset it")
