"""Tasks and jobs of the project."""

from datetime import datetime, timedelta

from django.utils import timezone, translation

from bide.contrib.django import app, task
from shop.models import Order

RAN = []


@task
def add(a, b=0):
    return a + b


@task(priority=10, queue_name="mail")
def urgent():
    RAN.append("urgent")


@task
def plain():
    RAN.append("plain")


@task(max_attempts=2, backoff=timedelta(hours=1))
def twice(text):
    raise ValueError(text)


def told(error, result):
    RAN.append((type(error).__name__, result.attempts))
    return 0


@task(max_attempts=3, backoff=told)
def asks():
    raise LookupError("asked")


@task(takes_context=True)
async def attempt(context, *, fail=0):
    if context.attempt <= fail:
        raise ValueError("not yet")
    return [context.attempt, context.task_result.id]


@task
def unstorable():
    RAN.append("unstorable")
    return object()


@task(locale="fr")
def french():
    return translation.get_language()


@task
def here():
    return [translation.get_language(), timezone.get_current_timezone_name()]


@task(backend="once")
def once():
    raise ZeroDivisionError("once")


@task(backend="late")
def late():
    RAN.append("late")


@task(timeout=0.2)
def slow():
    import time

    time.sleep(30)


@app.job
def ship(order: Order, at: datetime) -> str:
    order.shipped_by = f"job at {at:%Y}"
    order.save()
    return order.text
