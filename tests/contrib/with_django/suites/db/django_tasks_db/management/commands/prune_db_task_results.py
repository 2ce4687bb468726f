"""Their pruning: results of a queue that are old enough."""

from __future__ import annotations

import logging
from argparse import ArgumentTypeError
from datetime import timedelta

from django.core.management.base import BaseCommand
from django.db.models import Q
from django.utils import timezone

from django_tasks_db.management.commands.db_worker import backend_name
from django_tasks_db.models import DBTaskResult

logger = logging.getLogger("django_tasks_db.prune_db_task_results")


def days(value):
    if int(value) < 0:
        raise ArgumentTypeError("Must be greater than zero")
    return int(value)


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--backend", type=backend_name, default="default")
        parser.add_argument("--queue-name", default="default")
        parser.add_argument("--min-age-days", type=days, default=14)
        parser.add_argument("--failed-min-age-days", type=days, default=None)
        parser.add_argument("--dry-run", action="store_true")

    def handle(
        self, *, verbosity, backend, queue_name, min_age_days, failed_min_age_days, dry_run, **_
    ):
        logger.setLevel({0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG))
        if not logger.hasHandlers():
            logger.addHandler(logging.StreamHandler(self.stdout))
        failed = min_age_days if failed_min_age_days is None else failed_min_age_days
        now = timezone.now()
        old = Q(status="SUCCESSFUL", finished_at__lte=now - timedelta(days=min_age_days))
        old |= Q(status="FAILED", finished_at__lte=now - timedelta(days=failed))
        found = DBTaskResult.objects.filter(old, backend_name=backend)
        if "*" not in queue_name.split(","):
            found = found.filter(queue_name__in=queue_name.split(","))
        if dry_run:
            logger.info("Would delete %d task result(s)", found.count())
            return
        gone = [row.pk for row in found]
        found._raw_delete(found.db)
        logger.info("Deleted %d task result(s)", len(gone))
