"""Django's aliases, in a program of their own because Django is configured once per process."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy.engine import make_url

PROGRAM = """
    import asyncio, json, sys, threading
    import django
    from django.conf import settings

    url, database = sys.argv[1], json.loads(sys.argv[2])
    settings.configure(DATABASES={"default": database}, USE_TZ=True)
    django.setup()
    from django.db import connection, models, transaction

    import bide
    from bide.jobs.job import Filter

    app = bide.App(url)
    app.migrate()
    heard = []

    class Visible(models.Manager):
        def get_queryset(self):
            return super().get_queryset().filter(hidden=False)

    class Order(models.Model):
        text = models.TextField()
        hidden = models.BooleanField(default=False)
        objects = Visible()
        class Meta:
            app_label = "shop"

    with connection.schema_editor() as editor:
        editor.create_model(Order)

    @app.job(name="read")
    def read(order: Order) -> None:
        heard.append(order.text)

    def stored():
        return sorted(row.id for row in app.store.find(Filter(), limit=1000))

    job = read.using(session="default")
    try:
        with transaction.atomic():
            gone = job.delay(Order.objects.create(text="gone"))
            raise LookupError
    except LookupError:
        pass
    assert stored() == []
    with transaction.atomic():
        order = Order.objects.create(text="before", hidden=True)
        first = job.delay(order)
        try:
            with transaction.atomic():
                job.delay(order)
                raise LookupError
        except LookupError:
            pass
        for wrong in (object(), Order(text="unsaved")):
            try:
                job.delay(wrong)
            except bide.EnqueueError:
                pass
            else:
                raise AssertionError(wrong)
        many = app.enqueue_many([read.bind(order) for _ in range(50)], session="default")
        assert stored() == []
        order.text = "after"
        order.save()
    assert stored() == sorted(one.id for one in [first, *many])
    assert app.worker().work_off() == (51, 0)
    assert set(heard) == {"after"}
    asyncio.run(job.adelay(order))

    async def blocking():
        job.delay(order)

    try:
        asyncio.run(blocking())
    except bide.WrongConnection as error:
        assert "adelay" in str(error), error
    else:
        raise AssertionError("a sync call in an event loop")
    assert app.worker().work_off() == (1, 0)

    other, idle, woken = bide.App(url), threading.Event(), threading.Event()

    @other.job(name="read")
    def hear(order: Order) -> None:
        woken.set()

    other.lifecycle.after("loop")(lambda worker: idle.set())
    worker = other.worker(sleep_delay=60)
    thread = threading.Thread(target=worker.start, daemon=True)
    thread.start()
    assert idle.wait(20)
    with transaction.atomic():
        job.delay(order)
    assert woken.wait(20)
    worker.stop()
    thread.join(20)
    lost = job.delay(order)
    Order.objects.get_queryset.__self__.model._base_manager.all().delete()
    assert app.worker().work_off() == (0, 1)
    assert lost.reload().state == "failed", lost.state
    assert "no row any more" in lost.last_error
    print("done")
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mysql"])
def test_a_django_alias_writes_jobs_in_djangos_transaction(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """DJ-065..068, DJ-101, DJ-102: atomic blocks, nested ones, wake-ups, records, event loops."""
    if kind == "mysql":
        pytest.importorskip("MySQLdb", reason="mysqlclient, which Django needs, is not installed")
    url = str(request.getfixturevalue(f"{kind}_url"))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), url, database(url)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr[-3000:]


def database(url: str) -> str:
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return json.dumps({"ENGINE": "django.db.backends.sqlite3", "NAME": parts.database})
    if parts.get_backend_name() == "mysql":
        options = {"unix_socket": parts.query["unix_socket"]}
        return json.dumps(
            {
                "ENGINE": "django.db.backends.mysql",
                "NAME": parts.database,
                "USER": parts.username,
                "OPTIONS": options,
            }
        )
    host = parts.host or parts.query.get("host")
    return json.dumps(
        {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.database,
            "USER": parts.username,
            "HOST": host,
            "PORT": str(parts.port or parts.query.get("port") or ""),
        }
    )
