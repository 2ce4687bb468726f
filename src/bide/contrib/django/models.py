"""Bide's tables as models, to be read; what changes jobs are the methods of bide.Job and the admin."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from bide.contrib.django.managers import OnAlias
from bide.contrib.django.moments import MomentField
from bide.contrib.django.settings import table
from bide.jobs.job import State


class Job(models.Model):
    """A stored job; `app.find(pk)` is the bide.Job."""

    class State(models.IntegerChoices):
        """What the column `state` holds."""

        READY = State.READY.value, _("ready")
        RUNNING = State.RUNNING.value, _("running")
        SCHEDULED = State.SCHEDULED.value, _("scheduled")
        FAILED = State.FAILED.value, _("failed")
        SUCCEEDED = State.SUCCEEDED.value, _("succeeded")
        CANCELLED = State.CANCELLED.value, _("cancelled")

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    queue = models.CharField(max_length=255)
    priority = models.IntegerField()
    state = models.SmallIntegerField(choices=State.choices)
    payload = models.TextField()
    attempts = models.IntegerField()
    crashes = models.IntegerField()
    max_attempts = models.IntegerField(null=True)
    run_at = MomentField()
    locked_at = MomentField(null=True)
    locked_by = models.CharField(max_length=255, null=True)
    worker_id = models.BigIntegerField(null=True)
    lease = models.IntegerField()
    failed_at = MomentField(null=True)
    finished_at = MomentField(null=True)
    last_error = models.TextField(null=True)
    created_at = MomentField()
    locale = models.CharField(max_length=255, null=True)
    context = models.TextField(null=True)

    objects = OnAlias()

    class Meta:
        """Read only."""

        managed = False
        db_table = table("jobs")
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Attempt(models.Model):
    """An attempt that did not succeed."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(
        Job, models.DO_NOTHING, related_name="failures", db_constraint=False, db_index=False
    )
    attempt = models.IntegerField()
    lease = models.IntegerField()
    worker = models.CharField(max_length=255)
    started_at = MomentField(null=True)
    ended_at = MomentField()
    kind = models.CharField(max_length=255)
    error = models.TextField()

    objects = OnAlias()

    class Meta:
        """Read only."""

        managed = False
        db_table = table("attempts")
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")

    def __str__(self) -> str:
        return f"{self.attempt} ({self.kind})"


class Result(models.Model):
    """What a job returned, as JSON text."""

    job = models.OneToOneField(
        Job, models.DO_NOTHING, primary_key=True, related_name="result", db_constraint=False
    )
    worker = models.CharField(max_length=255)
    started_at = MomentField(null=True)
    value = models.TextField()
    keep_until = MomentField()

    objects = OnAlias()

    class Meta:
        """Read only."""

        managed = False
        db_table = table("results")
        verbose_name = _("result")
        verbose_name_plural = _("results")

    def __str__(self) -> str:
        return self.value[:80]


class Worker(models.Model):
    """A worker that is registered."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=255)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    started_at = MomentField()
    heartbeat_at = MomentField()
    info = models.TextField()

    objects = OnAlias()

    class Meta:
        """Read only."""

        managed = False
        db_table = table("workers")
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name


class Queue(models.Model):
    """A queue that is paused."""

    name = models.CharField(max_length=255, primary_key=True)
    paused_at = MomentField(null=True)

    objects = OnAlias()

    class Meta:
        """Read only."""

        managed = False
        db_table = table("queues")
        verbose_name = _("paused queue")
        verbose_name_plural = _("paused queues")

    def __str__(self) -> str:
        return self.name


class Text(models.Model):
    """A text in the table that Rails' i18n-active_record knows too; edit it on the screens."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=255, null=True)
    locale = models.CharField(max_length=255, null=True)
    key = models.CharField(max_length=255, null=True)
    value = models.TextField(null=True)
    interpolations = models.TextField(null=True)
    is_proc = models.BooleanField(null=True)

    objects = OnAlias()

    class Meta:
        """Read only; the permissions open the screens."""

        managed = False
        db_table = "translations"
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        permissions = (
            ("suggest_text", _("Can suggest texts")),
            ("approve_text", _("Can approve texts")),
        )

    def __str__(self) -> str:
        return f"{self.locale}.{self.key}"
