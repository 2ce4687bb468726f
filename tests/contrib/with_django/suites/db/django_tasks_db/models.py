"""What the suite reads and changes by its model, as a view on Bide's tables."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import models
from django.db.models import F
from django.utils import timezone as zones
from django.utils.module_loading import import_string

from bide.contrib.django.moments import MomentField
from bide.contrib.django.tasks_api import DjangoTask, TaskResultStatus, task_backends


def get_date_max():
    return datetime(9999, 1, 1, tzinfo=UTC if settings.USE_TZ else None)


class RunAfter(MomentField):
    """Their «no time» is the end of days, ours is none."""

    def get_db_prep_value(self, value, connection, prepared=False):
        if isinstance(value, datetime) and value.year == 9999:
            value = None
        return super().get_db_prep_value(value, connection, prepared)


class Rows(models.QuerySet):
    def ready(self):
        due = models.Q(run_after=None) | models.Q(run_after__lte=zones.now())
        return self.filter(due, status="READY")

    def successful(self):
        return self.filter(status="SUCCESSFUL")

    def failed(self):
        return self.filter(status="FAILED")

    def running(self):
        return self.filter(status="RUNNING")

    def finished(self):
        return self.failed() | self.successful()

    def get_locked(self):
        return self.select_for_update(skip_locked=True).first()


class DBTaskResult(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    status = models.CharField(max_length=20, choices=TaskResultStatus.choices, default="READY")
    enqueued_at = MomentField(default=zones.now)
    started_at = MomentField(null=True)
    finished_at = MomentField(null=True)
    args_kwargs = models.JSONField(default=dict)
    priority = models.IntegerField(default=0)
    task_path = models.TextField(default="")
    worker_ids = models.JSONField(default=list)
    queue_name = models.CharField(max_length=32, default="default")
    backend_name = models.CharField(max_length=32, default="default")
    run_after = RunAfter(null=True)
    return_value = models.JSONField(default=None, null=True)
    exception_class_path = models.TextField(default="")
    traceback = models.TextField(default="")

    objects = Rows.as_manager()

    class Meta:
        managed = False
        db_table = "task_results_view"
        ordering = [
            F("priority").desc(),
            F("run_after").asc(nulls_last=True),
            F("enqueued_at").asc(),
        ]

    def save(self, **options):
        """A view does not tell whether an UPDATE found its row."""
        known = type(self).objects.filter(pk=self.pk)
        if self._state.adding or not known.exists():
            super().save(**options)
            return
        names = [one.attname for one in self._meta.concrete_fields if not one.primary_key]
        known.update(**{name: getattr(self, name) for name in names})

    @property
    def task(self):
        found = import_string(self.task_path)
        if not isinstance(found, DjangoTask):
            raise SuspiciousOperation(f"Task {self.id} does not point to a Task ({self.task_path})")
        return self.task_result.task

    @property
    def task_result(self):
        return task_backends[self.backend_name].get_result(str(self.id))

    @property
    def task_name(self):
        return self.task_path.rpartition(".")[2]
