"""Every setting of an App: names, defaults, checks; all problems are reported together."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bide.errors import SettingsError

#: No duration is longer, in seconds: what sleeps and timers can take.
LONGEST = 10 * 365 * 86400.0
#: Settings that count bytes, and may be larger than 32 bits.
_BYTES = ("max_payload_size", "recycle_above_memory")

FORK, SPAWN = "fork", "spawn"
#: What SQLite calls how it waits for the disk.
NORMAL, FULL = "NORMAL", "FULL"

Check = Callable[[Any], str | None]


def _at_least(least: float) -> Check:
    return lambda value: None if value >= least else f"must be at least {least:g}"


def _above(bound: float) -> Check:
    return lambda value: None if value > bound else f"must be above {bound:g}"


def _setting(
    default: Any, help_: str, *, example: str, check: Check | None = None, secret: bool = False
) -> Any:
    """One field; what is `secret` (a URL may hold a password) is never printed."""
    told = {"default": default, "help": help_, "example": example, "check": check, "secret": secret}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=told)
    return field(default=default, metadata=told, repr=not secret)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of an App. Durations are seconds.

    Each is given to `bide.App(...)` by name. `bide.App.from_env()` looks also for an environment variable
    (`BIDE_` and the name in capitals), then into `[tool.bide]` of pyproject.toml; the first that names it counts.
    """

    database_url: str = _setting(
        "sqlite:///bide.db",
        "Where jobs and texts are kept.",
        example="postgresql://localhost/shop",
        secret=True,
    )
    listen_url: str = _setting(
        "",
        "PostgreSQL behind a pooler in transaction mode (PgBouncer): the URL at which workers listen for "
        "notifications directly; without it they look every second or two.",
        example="postgresql://db.internal:5432/shop",
        secret=True,
    )
    default_queue: str = _setting(
        "default", "The queue of jobs for which no queue is named.", example="default"
    )
    default_priority: int = _setting(
        0, "The priority of jobs for which none is given; lower runs first.", example="0"
    )
    queue_priorities: Mapping[str, int] = _setting(
        {},
        "Default priorities of queues (Delayed::Job's queue_attributes).",
        example="mail=10,slow=50",
    )
    max_attempts: int = _setting(
        25, "How often a job is tried before it ends failed.", example="25", check=_at_least(1)
    )
    max_run_time: float = _setting(
        4 * 3600.0,
        "Seconds after which a running job is timed out; a job's own limit is capped by it.",
        example="14400",
        check=_above(0),
    )
    max_crashes: int = _setting(
        3, "How many workers a job may kill before it ends failed.", example="3", check=_at_least(1)
    )
    max_payload_size: int = _setting(
        1024 * 1024,
        "The largest payload in bytes; a larger one is refused.",
        example="1048576",
        check=_at_least(64),
    )
    destroy_failed_jobs: bool = _setting(
        False, "Delete jobs that failed for the last time instead of keeping them.", example="false"
    )
    keep_finished: float = _setting(
        0.0,
        "Seconds for which succeeded jobs are kept to be looked at; 0 deletes them at once.",
        example="86400",
        check=_at_least(0),
    )
    statistics: bool = _setting(
        True,
        "Count per minute, queue and job name what succeeded, failed, and how long it waited and ran.",
        example="true",
    )
    keep_statistics: float = _setting(
        14 * 86400.0,
        "Seconds for which statistics are known by the hour (two days of them by the minute); "
        "older ones are added up.",
        example="1209600",
        check=_at_least(86400),
    )
    keep_audit: float = _setting(
        365 * 86400.0,
        "Seconds for which the list of what operators did is kept; 0: for ever.",
        example="31536000",
        check=_at_least(0),
    )
    retry_on_hook_error: bool = _setting(
        False,
        "Run a job again when its success or after hook raised, as Delayed::Job does; "
        "otherwise the error is logged and the job is done.",
        example="false",
    )
    sleep_delay: float = _setting(
        5.0,
        "Seconds between looks for work when nothing wakes the worker.",
        example="5",
        check=_above(0),
    )
    read_ahead: int = _setting(
        100,
        "The most jobs a worker claims at once; it claims only what it will finish soon.",
        example="100",
        check=_at_least(1),
    )
    heartbeat_interval: float = _setting(
        10.0, "Seconds between a worker's signs of life.", example="10", check=_above(0)
    )
    missed_heartbeats: int = _setting(
        2,
        "How many heartbeats a worker may miss before its jobs are given to others.",
        example="2",
        check=_at_least(2),
    )
    grace_time: float = _setting(
        25.0,
        "Seconds a stopping worker waits for its running job before it gives it back.",
        example="25",
        check=_at_least(0),
    )
    start_method: str = _setting(
        SPAWN if sys.platform == "darwin" else FORK,
        "How processes of a fleet begin: `fork` shares the memory of the application; `spawn` imports it "
        "anew in each, as macOS needs, whose own libraries abort forked children.",
        example=FORK,
        check=lambda value: None if value in (FORK, SPAWN) else f"must be {FORK} or {SPAWN}",
    )
    recycle_after_jobs: int = _setting(
        0,
        "Jobs after which a worker process is replaced; 0: never.",
        example="10000",
        check=_at_least(0),
    )
    recycle_after: float = _setting(
        0.0,
        "Seconds after which a worker process is replaced; 0: never.",
        example="86400",
        check=_at_least(0),
    )
    recycle_above_memory: int = _setting(
        0,
        "Resident bytes above which a worker process is replaced; 0: never.",
        example="536870912",
        check=_at_least(0),
    )
    kill_after: float = _setting(
        5.0,
        "Seconds past its limit after which a job that ignores its timeout is killed with its "
        "worker (workers of a supervisor only).",
        example="5",
        check=_above(0),
    )
    statement_timeout: float = _setting(
        15.0,
        "Seconds of silence after which a statement on a frozen database is cut off.",
        example="15",
        check=_above(0),
    )
    sqlite_synchronous: str = _setting(
        NORMAL,
        "How SQLite waits for the disk: `NORMAL` now and then, so that a power failure can take the last "
        "commits; `FULL` at each commit, which takes longer. An engine that you give has its own.",
        example=FULL,
        check=lambda value: None if value in (NORMAL, FULL) else f"must be {NORMAL} or {FULL}",
    )
    metrics_token: str = _setting(
        "",
        "The word that a scraper must send (Authorization: Bearer ...) to read /metrics of the screens; "
        "without one only those may who can log in.",
        example="a-long-random-word",
        secret=True,
    )
    table_prefix: str = _setting(
        "bide_", "What the names of Bide's tables begin with.", example="bide_"
    )
    job_modules: tuple[str, ...] = _setting(
        (),
        "Modules whose import declares jobs; workers import them when a job needs one.",
        example="shop.tasks,shop.mail",
    )
    delay_jobs: bool = _setting(
        True, "Store jobs; false runs each at once where it is enqueued.", example="true"
    )

    def __post_init__(self) -> None:
        problems = [
            text for one in fields(self) if (text := _problem(one, getattr(self, one.name)))
        ]
        if problems:
            raise SettingsError(*problems)

    @classmethod
    def load(cls, given: Mapping[str, Any], *, environment: bool = False) -> Settings:
        """Settings from `given` names, then (if asked) BIDE_* variables, then [tool.bide].

        Raises SettingsError naming every unknown name and every wrong value at once.
        """
        known = {one.name: one for one in fields(cls)}
        problems = [
            f"unknown setting {name!r}; the settings are {', '.join(known)}"
            for name in given
            if name not in known
        ]
        sources = [("", {name: given[name] for name in given if name in known})]
        if environment:
            sources += [
                ("BIDE_", _from_environment(known)),
                ("[tool.bide] ", _of_pyproject(known)),
            ]
        values: dict[str, Any] = {}
        for source, named in sources:
            for name, raw in named.items():
                if name in values:
                    continue
                value, problem = _converted(known[name].metadata["default"], raw)
                values[name] = value
                if problem:
                    shown = _given(known[name], raw)
                    if source == "BIDE_":
                        shown = name.upper() + shown.removeprefix(name)
                    problems.append(
                        f"{source}{shown}: {problem}, e.g. {known[name].metadata['example']}"
                    )
        return cls._built(values, problems)

    @classmethod
    def _built(cls, values: dict[str, Any], problems: list[str]) -> Settings:
        if problems:
            raise SettingsError(*problems)
        return cls(**values)

    def changed(self, **values: Any) -> Settings:
        """A copy with some values changed and checked; without any, these themselves."""
        return replace(self, **values) if values else self


def _from_environment(known: Iterable[str]) -> dict[str, str]:
    named = {name: os.environ.get(f"BIDE_{name.upper()}") for name in known}
    return {name: value for name, value in named.items() if value is not None}


def _of_pyproject(known: Iterable[str]) -> dict[str, Any]:
    table = from_pyproject()
    return {name: table[name] for name in known if name in table}


def from_pyproject() -> dict[str, Any]:
    """[tool.bide] of this directory's pyproject.toml, as it stands there. Raises SettingsError."""
    path = Path("pyproject.toml")
    if not path.is_file():
        return {}
    import tomllib

    try:
        tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (ValueError, OSError) as error:
        raise SettingsError(f"pyproject.toml cannot be read: {error}; mend it first") from error
    table = tool.get("bide", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(
            f"[tool.bide] in pyproject.toml must be a table of settings, found {table!r}; "
            'e.g. [tool.bide] and below it app = "shop.tasks:app"'
        )
    return table


def _problem(one: Any, value: Any) -> str | None:
    check = one.metadata["check"]
    expected = type(one.metadata["default"])
    if expected is float and type(value) in (int, float):
        wrong = None
    elif expected is dict or isinstance(value, expected):
        wrong = None if not (expected is int and isinstance(value, bool)) else "must be a number"
    else:
        wrong = f"must be {_KINDS.get(expected, expected.__name__)}"
    wrong = wrong or (check(value) if check else None)
    if not wrong and expected is float and value > LONGEST:
        wrong = f"must be at most {LONGEST:g} (ten years)"
    if not wrong and expected is int and abs(value) >= 2**31 and one.name not in _BYTES:
        wrong = "must fit 32 bits"
    return f"{_given(one, value)}: {wrong}, e.g. {one.metadata['example']}" if wrong else None


def _given(one: Any, value: Any) -> str:
    return f"{one.name}={'(hidden)' if one.metadata['secret'] else repr(value)}"


_KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number of seconds",
    str: "text",
    bool: "true or false",
    tuple: "a list of names",
}
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _converted(default: Any, raw: Any) -> tuple[Any, str | None]:
    """`raw` as the type of `default`, or what is wrong with it."""
    if isinstance(raw, timedelta):
        raw = raw.total_seconds()
    try:
        if isinstance(raw, str):
            return _parsed(default, raw), None
        if isinstance(default, float) and type(raw) in (int, float):
            return float(raw), None
        if isinstance(default, tuple) and isinstance(raw, list | tuple):
            return tuple(str(one) for one in raw), None
    except ValueError as error:
        return default, str(error)
    return raw, None


def _parsed(default: Any, text: str) -> Any:
    match default:
        case bool():
            if text.strip().lower() not in _TRUE + _FALSE:
                raise ValueError("must be true or false")
            return text.strip().lower() in _TRUE
        case int():
            return _number(int, text, "a whole number")
        case float():
            return _number(float, text, "a number of seconds")
        case tuple():
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case dict():
            return dict(_pair(part) for part in text.split(",") if part.strip())
        case _:
            return text


def _number(kind: Callable[[str], Any], text: str, words: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"must be {words}") from None


def _pair(text: str) -> tuple[str, int]:
    name, separator, number = text.partition("=")
    if not separator:
        raise ValueError(f"{text!r} must be a queue and its priority")
    return name.strip(), int(_number(int, number, "a whole number after ="))
