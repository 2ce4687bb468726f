"""What the supervisor tells its keeper of deaths is reported, whatever becomes of keeper and database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

import bide
from bide import clock, events
from bide.errors import ConnectionLost
from bide.jobs.job import State
from bide.jobs.store import Wanted
from bide.workers.deaths import REMEMBERED, Death, Deaths
from bide.workers.fleet import RETRY, Fleet
from bide.workers.slate import Slate
from waiting import wait_until


@pytest.fixture
def deaths() -> Iterator[Deaths]:
    made = Deaths()
    yield made
    os.close(made.reader)
    os.close(made.writer)


@pytest.fixture
def app() -> bide.App:
    app = bide.App("memory://")

    @app.job
    def work() -> None: ...

    work.delay()
    return app


def keeper_of(app: bide.App, deaths: Deaths) -> Fleet:
    slate, ends = Slate(1), Deaths((deaths.reader, deaths.writer))
    return Fleet(app._home, app.lifecycle, app.settings, slate, ends, {})


def test_deaths_that_a_dead_keeper_had_heard_are_told_to_the_next_one(deaths: Deaths) -> None:
    death = Death(1, 4711, [(1, 1)], "killed by SIGKILL")
    deaths.tell(death)
    assert [one.pid for one in Deaths((deaths.reader, deaths.writer)).heard()] == [4711]
    deaths.tell_again()
    [again] = Deaths((deaths.reader, deaths.writer)).heard()
    assert (again.worker_id, again.pid, again.how) == (1, 4711, "killed by SIGKILL")


def test_a_supervisor_never_waits_for_keepers_that_do_not_listen(deaths: Deaths) -> None:
    """Keepers that die before they have heard anything leave the pipe full, and everybody would stand."""
    for number in range(2000):
        deaths.tell(Death(number, number, [(number, 1)] * 50, "killed by SIGKILL"))
    for _ in range(50):
        deaths.tell_again()
    keeper, heard = Deaths((deaths.reader, deaths.writer)), set()
    wait_until(
        lambda: (
            heard.update(one.pid for one in keeper.heard()) or deaths.flush() or len(heard) == 2000
        )
    )
    assert len(heard) > REMEMBERED


def test_what_is_left_of_a_line_that_a_dead_keeper_began_to_read_is_no_death(
    deaths: Deaths,
) -> None:
    deaths.tell(Death(1, 4711, [(1, 1)], "killed by SIGKILL"))
    os.read(deaths.reader, 20)
    deaths.tell_again()
    assert [one.pid for one in Deaths((deaths.reader, deaths.writer)).heard()] == [4711]


def test_a_death_that_is_reported_twice_counts_once(app: bide.App, deaths: Deaths) -> None:
    worker = app.store.register("ada", "host", 4711, {})
    [row] = app.store.claim(worker, Wanted(), 1, clock.utc_now())
    deaths.tell(Death(worker.id, 4711, [(row.id, row.lease)], "killed by SIGKILL"))
    deaths.tell_again()
    keeper = keeper_of(app, deaths)
    keeper._waiting += keeper._deaths.heard()
    keeper._report()
    assert keeper._waiting == []
    found = app.store.get(row.id)
    assert found is not None
    assert (found.state, found.crashes) == (State.READY, 1)
    assert app.store.workers() == []


def test_a_keeper_whose_database_is_away_says_so_once_and_reports_later(
    app: bide.App, deaths: Deaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = app.store.register("ada", "host", 4711, {})
    deaths.tell(Death(worker.id, 4711, [], "killed by SIGKILL"))
    keeper, said = keeper_of(app, deaths), list[str]()
    keeper._waiting += keeper._deaths.heard()

    def away(*_: Any) -> int:
        raise ConnectionLost("away")

    end = events.subscribe(lambda name, facts: said.append(name))
    with monkeypatch.context() as patch:
        patch.setattr(app.store, "retire", away)
        for _ in range(3):
            keeper._report_at = 0.0
            keeper._report()
    end()
    assert said == ["database_lost"]
    assert 0 < keeper._busy() <= RETRY
    keeper._report_at = 0.0
    keeper._report()
    assert app.store.workers() == []
