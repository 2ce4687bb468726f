"""Instead of one second: until the worker is there and has taken what it can."""

import time

from django_tasks_db.models import DBTaskResult

from bide.contrib.django.models import Worker


def started(case):
    for _ in range(600):
        time.sleep(0.1)
        if Worker.objects.exists() and not DBTaskResult.objects.ready().exists():
            return
    case.fail("no worker has started")
