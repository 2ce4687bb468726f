"""What is kept no longer is deleted in batches, by which nobody else is kept from their duties."""

from __future__ import annotations

from datetime import timedelta

import pytest

import bide
from bide import clock
from bide.jobs.job import Filter, State
from bide.workers import housekeeping
from bide.workers.duties import RETRY, Duty
from bide.workers.housekeeping import LONGEST_PRUNE, Housekeeping

HOUR = timedelta(hours=1)


def test_an_action_that_left_a_rest_comes_again_soon_and_one_that_did_not_after_its_interval() -> (
    None
):
    rest = [True, False]
    duty = Duty(lambda: rest.pop(0), 60.0)
    duty.due = 0.0
    duty.do()
    assert duty.due <= clock.monotonic() + RETRY
    duty.due = 0.0
    duty.do()
    assert duty.due > clock.monotonic() + 30.0
    assert not rest


@pytest.mark.parametrize("kept", ["jobs", "results"])
def test_pruning_goes_on_until_nothing_is_left_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    """A thousand a minute would be less than a busy queue keeps."""
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    app = bide.App("memory://", keep_finished=3600 if kept == "jobs" else 0)
    options = {"keep_result": 3600} if kept == "results" else {}
    declared = app.job(lambda: 1, name="short", **options)
    for _ in range(5):
        declared.delay()
    app.worker().work_off()
    keeping = Housekeeping(app._home, app.lifecycle, app.settings, set)
    assert app.store.count(Filter(states=(State.SUCCEEDED,))) == 5
    assert not keeping.prune()
    later = clock.utc_now() + 2 * HOUR
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    assert [keeping.prune(), keeping.prune(), keeping.prune()] == [True, True, False]
    assert app.store.count(Filter()) == 0


@pytest.mark.parametrize(("keep", "interval"), [(0, LONGEST_PRUNE), (3600, 60.0), (60, 6.0)])
def test_who_keeps_nothing_seldom_looks_for_what_is_over(keep: float, interval: float) -> None:
    app = bide.App("memory://", keep_finished=keep)
    keeping = Housekeeping(app._home, app.lifecycle, app.settings, set)
    pruning = next(one for one in keeping.duties(None) if one._action == keeping.prune)
    assert pruning._interval == interval
