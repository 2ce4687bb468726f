from __future__ import annotations

from typing import Any

import pytest

import bide
from bide import clock


def test_a_queue_whose_last_job_is_taken_while_it_is_surveyed_is_left_out(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement sees what is committed when it starts."""
    app = bide.App(sqlite_url)
    app.migrate()
    surveys: Any = app.store.surveys
    monkeypatch.setattr(surveys, "_levels", lambda _: {("mail", 0): clock.utc_now()})
    assert surveys.queues() == []
    app.close()
