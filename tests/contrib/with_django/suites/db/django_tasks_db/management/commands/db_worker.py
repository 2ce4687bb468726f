"""Their worker's options and words, around Bide's worker."""

from __future__ import annotations

import logging
import math
from argparse import ArgumentTypeError

from django.core.management.base import BaseCommand, CommandError
from django.utils.crypto import get_random_string

from bide.contrib.django.application import project_app
from bide.contrib.django.tasks_api import LOGGER, task_backends
from bide.jobs.store import Wanted
from django_tasks_db import DatabaseBackend

logger = logging.getLogger("django_tasks_db")


class Worker:
    """Bide's, told in their words."""

    def __init__(self, **options):
        self.options = options

    def run(self):
        told = self.options
        queues = None if "*" in told["queue_names"] else tuple(told["queue_names"])
        logger.info(
            "Starting worker worker_id=%s queues=%s",
            told["worker_id"],
            ",".join(told["queue_names"]),
        )
        if isinstance(task_backends[told["backend_name"]], DatabaseBackend):
            self._work(Wanted(queues, tuple(told["excluded_queue_names"])))
        if told["batch"]:
            logger.info(
                "No more tasks to run for worker_id=%s - exiting gracefully.", told["worker_id"]
            )

    def _work(self, wanted):
        told = self.options
        worker = project_app().worker_for(
            wanted, name=told["worker_id"], exit_on_complete=told["batch"],
            sleep_delay=told["interval"] or 0.01,
        )  # fmt: skip
        if told["max_tasks"] is None:
            worker.start()
            return
        done = sum(worker.work_off(told["max_tasks"]))
        logger.info(
            "Run maximum tasks (%d) on worker=%s - exiting gracefully.", done, told["worker_id"]
        )


def backend_name(value):
    try:
        found = task_backends[value]
    except Exception as error:
        raise ArgumentTypeError(str(error)) from error
    if not isinstance(found, DatabaseBackend):
        raise ArgumentTypeError(f"Backend '{value}' is not a database backend")
    return value


def interval(value):
    number = float(value)
    if not math.isfinite(number):
        raise ArgumentTypeError("Must be a finite floating point value")
    if number < 0:
        raise ArgumentTypeError("Must be zero or greater")
    return number


def max_tasks(value):
    if int(value) <= 0:
        raise ArgumentTypeError("Must be greater than zero")
    return int(value)


def worker_id(value):
    if not value:
        raise ArgumentTypeError("Worker id must not be empty")
    if len(value) > 64:
        raise ArgumentTypeError("Worker ids must be shorter than 64 characters")
    return value


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--queue-name", default="default")
        parser.add_argument("--exclude-queues", default="")
        parser.add_argument("--interval", type=interval, default=1)
        parser.add_argument("--batch", action="store_true")
        parser.add_argument("--reload", action="store_true")
        parser.add_argument("--backend", type=backend_name, default="default", dest="backend_name")
        parser.add_argument("--no-startup-delay", action="store_false", dest="startup_delay")
        parser.add_argument("--max-tasks", type=max_tasks, default=None)
        parser.add_argument("--worker-id", type=worker_id, default=get_random_string(32))

    def handle(self, *, verbosity, queue_name, exclude_queues, **options):
        for one in (logging.getLogger(LOGGER), logger):
            one.setLevel({0: logging.CRITICAL, 1: logging.INFO}.get(verbosity, logging.DEBUG))
            if not one.hasHandlers():
                one.addHandler(logging.StreamHandler(self.stdout))
        queues, excluded = queue_name.split(","), [one for one in exclude_queues.split(",") if one]
        if excluded and "*" not in queues:
            raise CommandError("--exclude-queues can only be used with --queue-name=*")
        known = ("interval", "batch", "backend_name", "startup_delay", "max_tasks", "worker_id")
        Worker(
            queue_names=queues, excluded_queue_names=excluded,
            **{name: options[name] for name in known},
        ).run()  # fmt: skip
