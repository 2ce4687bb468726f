"""One subscriber that words events as log lines; the formats are interface: people grep them (queue.md 5.5)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from bide import events
from bide.errors import NotMigrated

logger = logging.getLogger("bide")

Words = Callable[[dict[str, Any]], str]


def _job(facts: dict[str, Any]) -> str:
    job = facts["job"]
    if job is None:
        return "no job"
    queue = f" (queue={job.queue})" if job.queue else ""
    return f"Job {job.name} (id={job.id}){queue}"


def _error(facts: dict[str, Any]) -> str:
    error = facts["error"]
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - an error whose __str__ raises is the application's code
        return f"{type(error).__name__} (its message could not be read)"


def _refusal(error: object) -> str:
    if isinstance(error, NotMigrated):
        return "The database lacks tables, trying again until it has them"
    return "The database does not answer, trying again until it does"


def _worker(facts: dict[str, Any]) -> str:
    return f"[Worker({facts['worker'].name})]"


#: Every event: level and words. The documentation prints this table.
LINES: dict[str, tuple[int, Words]] = {
    "enqueued": (logging.DEBUG, lambda f: f"{_job(f)} ENQUEUED"),
    "worker_started": (logging.INFO, lambda f: f"{_worker(f)} Starting job worker"),
    "worker_stopped": (logging.INFO, lambda f: f"{_worker(f)} Exiting..."),
    "nothing_left": (logging.INFO, lambda f: f"{_worker(f)} No more jobs available. Exiting"),
    "jobs_processed": (
        logging.INFO,
        lambda f: (
            f"{_worker(f)} {f['count']} jobs processed at "
            f"{f['count'] / max(f['seconds'], 1e-9):.4f} j/s, {f['failed']} failed"
        ),
    ),
    "job_started": (logging.INFO, lambda f: f"{_worker(f)} {_job(f)} RUNNING"),
    "job_completed": (
        logging.INFO,
        lambda f: f"{_worker(f)} {_job(f)} COMPLETED after {f['seconds']:.4f}",
    ),
    "job_failed": (
        logging.ERROR,
        lambda f: f"{_job(f)} FAILED ({f['prior_attempts']} prior attempts) with {_error(f)}",
    ),
    "job_failed_permanently": (
        logging.ERROR,
        lambda f: f"{_job(f)} FAILED permanently because of {f['attempts']} consecutive failures",
    ),
    "thread_lent": (logging.DEBUG, lambda _: "A thread begins to run a job beside others"),
    "thread_returned": (logging.DEBUG, lambda _: "A thread has run a job beside others"),
    "recycled": (
        logging.INFO,
        lambda f: f"{_worker(f)} has done its share ({f['jobs']} jobs) and is replaced",
    ),
    "job_given_back": (logging.INFO, lambda f: f"{_job(f)} GIVEN BACK, the worker stops"),
    "skipped": (
        logging.WARNING,
        lambda f: f"{_job(f)} SKIPPED: an around(perform) callback did not call proceed",
    ),
    "hook_failed": (
        logging.ERROR,
        lambda f: f"Error when running {f['hook']} callback: {_error(f)} ({_job(f)})",
    ),
    "callback_failed": (
        logging.ERROR,
        lambda f: f"Error when running a {f['event']} lifecycle callback: {_error(f)} ({_job(f)})",
    ),
    "lease_lost": (
        logging.WARNING,
        lambda f: (
            f"Job {f['name']} (id={f['id']}) {f['outcome']}, but its lease {f['lease']} was lost: "
            "it was deleted, cancelled or given to another worker; nothing was recorded"
        ),
    ),
    "rescued": (
        logging.WARNING,
        lambda f: (
            f"Job {f['rescued'].name} (id={f['rescued'].id}) RESCUED from {f['rescued'].worker}"
            + (", FAILED permanently" if f["rescued"].failed else "")
        ),
    ),
    "given_up": (
        logging.WARNING,
        lambda f: f"[Worker({f['worker']})] was given up for dead; its jobs went to others",
    ),
    "reserve_failed": (
        logging.ERROR,
        lambda f: f"{_worker(f)} Error while reserving job: {_error(f)}",
    ),
    "strays": (
        logging.WARNING,
        lambda f: (
            f"[Worker({f['worker']})] gives back {len(f['leases'])} jobs that ran for it in the "
            "database and not here: an answer of the database was lost"
        ),
    ),
    "database_lost": (
        logging.ERROR,
        lambda f: f"{_refusal(f['error'])}: {_error(f)}",
    ),
    "old_sqlite": (
        logging.WARNING,
        lambda f: (
            f"{f['version']} may damage a file that several processes write while it moves its log into "
            "the file (mended in 3.51.3). Bide's processes take turns; let no other program write to the "
            "file, or use a Python with a newer SQLite"
        ),
    ),
    "db.cut_off": (
        logging.WARNING,
        lambda f: f"A statement was cut off: the database was silent for {f['seconds']:.0f} s",
    ),
    "db.not_listening": (
        logging.WARNING,
        lambda f: (
            "Cannot listen for notifications, looking from time to time instead until it can: "
            f"{_error(f)}"
        ),
    ),
    "database_back": (logging.INFO, lambda _: "The database answers again"),
    "keeper_failed": (logging.ERROR, lambda f: f"Keeper: {f['duty']} failed: {_error(f)}"),
    "background_failed": (
        logging.ERROR,
        lambda f: f"A worker in the background of this process ended: {_error(f)}",
    ),
    "statistics_off": (
        logging.WARNING,
        lambda f: (
            "No statistics are kept, because the tables are older than this version: "
            f"run `bide migrate` and start again ({_error(f)})"
        ),
    ),
    "leaving_failed": (
        logging.ERROR,
        lambda f: (
            f"[Worker({f['worker']})] could not give its jobs back: {_error(f)}; "
            "another worker will rescue them"
        ),
    ),
    "job_without_locale": (
        logging.WARNING,
        lambda f: f"{_job(f)} runs in the default language: {_error(f)}",
    ),
    "mail_refused": (
        logging.WARNING,
        lambda f: (
            f"The mail server refused some recipients of {f['subject']!r}: {', '.join(f['refused'])}"
        ),
    ),
    "texts_unreachable": (
        logging.WARNING,
        lambda f: f"Texts in the database cannot be read, the last known ones serve: {_error(f)}",
    ),
    "texts_reachable": (logging.INFO, lambda _: "Texts in the database can be read again"),
    "text_unreadable": (
        logging.WARNING,
        lambda f: f"Text {f['locale']}.{f['key']} is passed over: {_error(f)}",
    ),
    "text_refused": (
        logging.WARNING,
        lambda f: f"Text {f['locale']}.{f['key']} cannot be filled: {f['error']}",
    ),
    "supervisor_started": (
        logging.INFO,
        lambda f: f"Supervisor {f['pid']} starts, workers: {f['workers']}",
    ),
    "supervisor_stopped": (logging.INFO, lambda f: f"Supervisor {f['pid']} stopped"),
    "supervisor_died": (
        logging.ERROR,
        lambda f: (
            f"Supervisor {f['pid']} died ({f['how']}), another one starts in {f['pause']:g} seconds"
        ),
    ),
    "start_given_up": (
        logging.ERROR,
        lambda f: (
            "The fleet does not start: a worker ended at once"
            + (f", {f['ends']} times in a row" if f["ends"] > 1 else "")
        ),
    ),
    "child_started": (
        logging.INFO,
        lambda f: f"Worker process {f['pid']} starts in place {f['place']}",
    ),
    "child_died": (
        logging.ERROR,
        lambda f: f"Worker process {f['pid']} in place {f['place']} died: {f['how']}",
    ),
    "child_killed": (
        logging.ERROR,
        lambda f: f"Worker process {f['pid']} in place {f['place']} {f['why']}".rstrip("; "),
    ),
    "child_crashed": (logging.ERROR, lambda f: f"This process ends: {_error(f)}"),
    "keeper_ended": (
        logging.ERROR,
        lambda f: f"Keeper process {f['pid']} ended ({f['how']}) and is replaced",
    ),
    "fleet_resized": (
        logging.INFO,
        lambda f: f"{'Now' if f['done'] else 'Still'} {f['workers']} workers, asked by signal",
    ),
    "background_not_here": (
        logging.INFO,
        lambda f: f"Process {f['pid']} only watches files for a reloader: the serving one works",
    ),
    "reload_began": (logging.INFO, lambda f: f"Supervisor {f['pid']} tries the new code"),
    "reload_refused": (
        logging.ERROR,
        lambda f: f"The new code fails (status {f['status']}), the old one works on:\n{f['words']}",
    ),
    "log_not_reopened": (
        logging.ERROR,
        lambda f: f"{f['path']} could not be opened again, the old file goes on: {_error(f)}",
    ),
    "outcome_unwritten": (
        logging.ERROR,
        lambda f: (
            f"[Worker({f['worker']})] stopped while the database was away; "
            "finished jobs that could not be reported run again"
        ),
    ),
    "job.display_name_failed": (
        logging.ERROR,
        lambda f: f"display_name of {f['job']} failed, its class name stands instead: {_error(f)}",
    ),
    "forks.sealed": (
        logging.WARNING,
        lambda f: (
            f"Connections of process {f['parent']} that this child must not use are cut: "
            + "; ".join(map(str, f["crossings"]))
        ),
    ),
    "forks.forget_failed": (
        logging.ERROR,
        lambda f: f"{f['value']!r} could not be forgotten in this child: {_error(f)}",
    ),
    "forks.threads": (
        logging.INFO,
        lambda f: "Forking with other threads alive: " + "; ".join(map(str, f["threads"])),
    ),
}


def is_written(name: str) -> bool:
    """Whether an event becomes a line at the level that the logger has now."""
    line = LINES.get(name)
    return line is not None and logger.isEnabledFor(line[0])


def write_line(name: str, facts: dict[str, Any]) -> None:
    """Word an event as a log line of the logger `bide`."""
    line = LINES.get(name)
    if line is None or not logger.isEnabledFor(line[0]):
        return
    error = facts.get("error")
    trace = error if isinstance(error, BaseException) and name.endswith("_failed") else None
    told = {"bide_event": name, "bide_facts": facts}
    logger.log(line[0], line[1](facts), exc_info=trace, extra=told)


events.subscribe(write_line, wants=is_written)
