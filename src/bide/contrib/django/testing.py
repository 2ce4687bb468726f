"""Jobs in Django's tests: TestCase and TransactionTestCase, databases in memory too.

In Django's test environment the project's App works on Django's own connection, so jobs that a test
stores in its transaction are there for `drain`, and gone with it. bide.testing works as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bide.app import App
from bide.contrib.django.application import project_app


def drain(most: int = 10_000) -> tuple[int, int]:
    """Run what is ready, and what that makes ready, until nothing is: (succeeded, failed).

    AssertionError when `most` jobs were not the end of it.
    """
    app: App = project_app()
    succeeded, failed = app.worker().work_off(most)
    if succeeded + failed >= most:
        raise AssertionError(f"{most} jobs ran and there are more: do jobs enqueue each other?")
    return succeeded, failed


@contextmanager
def inline() -> Iterator[None]:
    """Run jobs where they are enqueued, for the body; errors reach the caller, nothing is stored."""
    app: App = project_app()
    before = app.delay_jobs
    app.delay_jobs = False
    try:
        yield
    finally:
        app.delay_jobs = before
