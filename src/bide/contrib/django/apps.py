"""The application `bide.contrib.django`."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from bide.contrib.django.application import project_app, use_texts


class BideConfig(AppConfig):
    """Makes the project's App when every application is loaded; it opens nothing."""

    name = "bide.contrib.django"
    label = "bide"
    verbose_name = _("Jobs and texts")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the App with its texts, and register the checks."""
        from bide.contrib.django.checks import check_database, check_project
        from bide.contrib.django.flushing import flushed

        checks.register(check_project, checks.Tags.compatibility)
        checks.register(check_database, checks.Tags.database)
        post_migrate.connect(flushed, sender=self)
        use_texts(project_app())
