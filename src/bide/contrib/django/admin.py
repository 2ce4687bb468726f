"""Jobs, workers and queues in Django's admin."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import display_for_value, unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bide.contrib.django.actions import EACH, act
from bide.contrib.django.models import Job, Queue, Text, Worker

#: Characters of a payload or result that a page shows.
_SHOWN_PAYLOAD = 20_000

#: The buttons of a job's page: what they do, what they say, in which states they do something.
_BUTTONS = (
    ("retry", _("Retry"), (Job.State.FAILED, Job.State.CANCELLED)),
    ("run_now", _("Run now"), (Job.State.SCHEDULED,)),
    ("cancel", _("Cancel"), (Job.State.READY, Job.State.RUNNING, Job.State.SCHEDULED)),
)


class ReadOnly(admin.ModelAdmin):
    """Rows that only Bide writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody by hand."""
        return False


def _action(name: str, label: Any, permission: str) -> Callable[..., None]:
    @admin.action(description=label, permissions=[permission])
    def act_on(modeladmin: JobAdmin, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        modeladmin.do(request, name, [*chosen.values_list("id", flat=True)])

    act_on.__name__ = name
    return act_on


@admin.register(Job)
class JobAdmin(ReadOnly):
    """Jobs with their errors; `change_job` allows retry, cancel and run now, `delete_job` deleting.

    Rows are written by Bide alone, on connections of its own: nothing here may hold a transaction.
    """

    class Media:
        """Long lines stay inside the page."""

        css: ClassVar = {"all": ["bide/admin.css"]}

    list_display = ("id", "name", "queue", "state", "priority", "attempts", "run_at", "locked_by",
                    "created_at")  # fmt: skip
    list_filter = ("state", "queue", "name", ("created_at", admin.DateFieldListFilter))
    search_fields = ("=id", "=key", "name", "last_error")
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = EACH  # what is ticked by hand is noted one by one
    actions = (
        _action("retry", _("Retry failed and cancelled jobs"), "operate"),
        _action("run_now", _("Run scheduled jobs now"), "operate"),
        _action("cancel", _("Cancel unfinished jobs"), "operate"),
        "delete_selected",
    )
    change_form_template = "bide/admin/job.html"
    fieldsets = (
        (None, {"fields": ("name", "state", "queue", "priority", "run_at", "arguments", "answer")}),
        (_("Attempts"), {"fields": ("attempts", "max_attempts", "crashes", "errors")}),
        (_("Now"), {"fields": ("locked_by", "locked_at", "finished_at", "failed_at")}),
        (_("Stored"), {"fields": ("key", "created_at", "locale", "context")}),
    )

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may retry, cancel and run now."""
        return request.user.has_perm("bide.change_job")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may delete."""
        return request.user.has_perm("bide.delete_job")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All of them."""
        return [name for _title, part in self.fieldsets for name in part["fields"]]

    @admin.action(description=_("Delete jobs"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, chosen: QuerySet[Any]) -> Any:
        """Django asks whether it is meant; Bide deletes, with attempts and results."""
        if request.POST.get("post"):
            self.do(request, "delete", [*chosen.values_list("id", flat=True)])
            return None
        return delete_selected(self, request, chosen)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One job; the buttons below it send the name of an action."""
        job = self.get_object(request, unquote(object_id))
        buttons = self._buttons(request, job)
        for name, _label in buttons:
            if job is not None and f"_{name}" in request.POST:
                self.do(request, name, [job.pk])
                return HttpResponseRedirect(request.get_full_path())
        more = {**(extra_context or {}), "bide_buttons": buttons}
        return super().change_view(request, object_id, form_url, more)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """As `delete_selected`, for one job."""
        job = self.get_object(request, unquote(object_id))
        if request.method == "POST" and job is not None and self.has_delete_permission(request):
            self.do(request, "delete", [job.pk])
            return HttpResponseRedirect(reverse("admin:bide_job_changelist"))
        return super().delete_view(request, object_id, extra_context)

    def _buttons(self, request: HttpRequest, job: Any) -> list[tuple[str, Any]]:
        if job is None or not self.has_operate_permission(request):
            return []
        return [(name, label) for name, label, states in _BUTTONS if job.state in states]

    def do(self, request: HttpRequest, name: str, ids: list[int]) -> None:
        """Do it and say what became of it."""
        changed = act(name, ids, request.user, request.META.get("QUERY_STRING", ""))
        text = ngettext("%(count)d job changed.", "%(count)d jobs changed.", changed)
        level = messages.SUCCESS if changed else messages.WARNING
        self.message_user(request, text % {"count": changed}, level)

    @admin.display(description=_("payload"))
    def arguments(self, job: Job) -> str:
        """The payload, to be read."""
        try:
            shown = json.dumps(json.loads(job.payload), indent=2, ensure_ascii=False)
        except ValueError:
            shown = job.payload
        return format_html("<pre>{}</pre>", shown[:_SHOWN_PAYLOAD])

    @admin.display(description=_("result"))
    def answer(self, job: Job) -> str:
        """What it returned."""
        kept = getattr(job, "result", None)
        return format_html("<pre>{}</pre>", kept.value[:_SHOWN_PAYLOAD]) if kept else "-"

    @admin.display(description=_("errors"))
    def errors(self, job: Job) -> str:
        """The traceback of every attempt."""
        failures = job.failures.order_by("-id")
        parts = (
            (one.attempt, one.kind, one.worker, display_for_value(one.ended_at, "-"), one.error)
            for one in failures
        )
        return format_html_join("", "<p>{} · {} · {} · {}</p><pre>{}</pre>", parts) or "-"


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    """Workers that are registered, with their last sign of life."""

    list_display = ("name", "host", "pid", "started_at", "heartbeat_at")
    ordering = ("name",)


@admin.register(Queue)
class QueueAdmin(ReadOnly):
    """Queues that are paused."""

    list_display = ("name", "paused_at")


@admin.register(Text)
class TextAdmin(ReadOnly):
    """Texts, to be found; they are edited on Bide's screens."""

    list_display = ("locale", "key", "value")
    list_filter = ("locale",)
    search_fields = ("key", "value")
    ordering = ("key", "locale")
