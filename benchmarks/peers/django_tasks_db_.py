"""django-tasks-db: its db_worker without a pause between looks, as its help suggests for speed."""

from __future__ import annotations

import os
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from contest.peer import Peer


def configure(url: str) -> None:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the contest's loop runs nothing beside it
    import django
    from django.conf import settings

    parts = urlsplit(url)
    query = parse_qs(parts.query)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "HOST": query["host"][0],
        "PORT": query["port"][0],
        "CONN_MAX_AGE": None,
    }
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["django_tasks", "django_tasks_db"],
        TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}},
        USE_TZ=True,
    )
    django.setup()


class DjangoTasksDB(Peer):
    requirements: ClassVar = ["django-tasks-db[compat]==0.13.0", "psycopg[binary]"]
    jobs = 800
    left = "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status IN ('READY', 'RUNNING')"

    def connect(self) -> None:
        configure(self.url)
        from peers.django_tasks_db_tick import no_op

        self.no_op: Any = no_op

    def setup(self) -> None:
        self.connect()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)

    def enqueue_one(self) -> None:
        self.no_op.enqueue(1)

    def enqueue_many(self, count: int) -> None:
        for _ in range(count):
            self.no_op.enqueue(1)

    def work(self) -> None:
        self.connect()
        from django.core.management import call_command

        call_command("db_worker", interval=0, startup_delay=False, reload=False)


if __name__ == "__main__":
    DjangoTasksDB.main()
