"""Named events: who hears what."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from bide import events


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No level at which job_started becomes a log line, and nobody but the log who listens."""
    log = [at for at, one in enumerate(events._subscribers) if one.__module__ == "bide.log"]
    for name in ("_subscribers", "_wants"):
        known = getattr(events, name)
        monkeypatch.setattr(events, name, [known[at] for at in log])
    logger = logging.getLogger("bide")
    level = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("quiet")
def test_an_event_that_only_the_log_would_write_is_heard_at_its_level_alone() -> None:
    assert not events.heard("job_started")
    logging.getLogger("bide").setLevel(logging.INFO)
    try:
        assert events.heard("job_started")
    finally:
        logging.getLogger("bide").setLevel(logging.WARNING)


@pytest.mark.usefixtures("quiet")
def test_a_subscriber_hears_everything_unless_it_says_what_it_wants() -> None:
    picky = events.subscribe(lambda name, facts: None, wants=lambda name: name == "job_started")
    assert events.heard("job_started")
    assert not events.heard("job_completed")
    every = events.subscribe(lambda name, facts: None)
    assert events.heard("job_completed")
    picky()
    every()
    assert not events.heard("job_started")


@pytest.mark.usefixtures("quiet")
def test_an_ear_hears_of_a_subscriber_at_once_and_of_a_changed_level_soon() -> None:
    ear = events.Ear("job_started")
    assert not ear.hears(100.0)
    leave = events.subscribe(lambda name, facts: None)
    assert ear.hears(100.0)
    leave()
    assert not ear.hears(100.0)
    logging.getLogger("bide").setLevel(logging.INFO)
    assert not ear.hears(100.0 + events.BELIEVED)
    assert ear.hears(100.1 + events.BELIEVED)


@pytest.mark.usefixtures("quiet")
def test_no_ear_is_left_out_when_another_is_gone_meanwhile() -> None:
    class Ends(events.Ear):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            others.clear()

    others: list[events.Ear] = []
    first, ends, ear = events.Ear("job_started"), Ends("job_started"), events.Ear("job_started")
    others.append(first)
    del first
    assert ends
    assert not ear.hears(100.0)
    leave = events.subscribe(lambda name, facts: None)
    assert ear.hears(100.0)
    leave()
