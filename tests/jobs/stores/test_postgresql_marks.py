"""Low-water marks are only a place to start: whatever they pass over is found by the next look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bide.jobs.job import Filter, State
from bide.jobs.store import Store, Wanted, WorkerRef
from bide.jobs.stores import marks
from bide.testing.contract.acting import (
    ANYTHING,
    NOW,
    SECOND,
    a_job,
    claim,
    enlist,
    failure,
    ids,
    lease,
    put,
    put_many,
)
from waiting import wait_until

KIND = "postgresql"
FAR = NOW + timedelta(days=1)


class Scene(NamedTuple):
    """Two stores, as two processes have them: what one stores, the other does not know of."""

    there: Store
    here: Store
    worker: WorkerRef
    url: str

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url)


@pytest.fixture
def scene(make_store: Callable[[], Store], postgresql_url: str) -> Scene:
    there, here = make_store(), make_store()
    return Scene(there, here, enlist(here), postgresql_url)


def test_a_job_committed_behind_a_mark_is_found(scene: Scene) -> None:
    with scene.connect() as late:
        [job_id] = scene.there.insert([a_job()], on=late)
        overtaking = put_many(scene.there, 5)
        assert ids(claim(scene.here, scene.worker)) == overtaking
        assert claim(scene.here, scene.worker) == claim(scene.here, scene.worker) == []
    assert ids(claim(scene.here, scene.worker)) == [job_id]


def test_a_job_whose_claim_was_rolled_back_is_found(scene: Scene) -> None:
    new = put_many(scene.there, 3)
    with scene.connect() as aborted:
        aborted.execute("UPDATE bide_jobs SET state = 1 WHERE id = %s", [new[0]])
        assert ids(claim(scene.here, scene.worker)) == new[1:]
        assert claim(scene.here, scene.worker) == []
        aborted.rollback()
    assert ids(claim(scene.here, scene.worker)) == new[:1]


def test_a_scheduled_job_committed_late_is_found(scene: Scene) -> None:
    with scene.connect() as late:
        [job_id] = scene.there.insert([a_job(run_at=NOW + SECOND)], on=late)
        for later in range(10, 100, 30):
            assert claim(scene.here, scene.worker, now=NOW + later * SECOND) == []
    assert ids(claim(scene.here, scene.worker, now=FAR)) == [job_id]


def test_looks_that_are_dear_are_rare_and_come_in_the_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bad weather a look from zero takes half a second: it may not be taken at every claim."""
    monkeypatch.setattr(marks, "CHEAP", -1.0)
    monkeypatch.setattr(marks, "SHARE", 10**9)
    assert claim(scene.here, scene.worker) == []
    job_id = put(scene.there)
    claims = [claim(scene.here, scene.worker) for _ in range(5)]
    monkeypatch.setattr(marks, "SHARE", 0)
    monkeypatch.setattr(marks, "LOOK_EVERY", 0.0)
    assert claims == [[]] * 5
    assert ids(claim(scene.here, scene.worker)) == [job_id]


def test_what_this_process_stores_needs_no_look(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert claim(scene.here, scene.worker) == []
    monkeypatch.setattr(marks, "CHEAP", -1.0)
    monkeypatch.setattr(marks, "SHARE", 10**9)
    new = [put(scene.here, queue="new"), put(scene.here, priority=-3)]
    assert ids(claim(scene.here, scene.worker)) == new[::-1]
    scene.here.release(scene.worker, [(new[0], 1)], NOW)
    assert ids(claim(scene.here, scene.worker)) == new[:1]


def test_an_operators_retry_is_seen_at_once(scene: Scene) -> None:
    [job_id] = put_many(scene.there, 1)
    scene.there.cancel(Filter(), NOW)
    assert claim(scene.here, scene.worker) == []
    scene.there.retry(Filter(), NOW)
    assert ids(claim(scene.here, scene.worker)) == [job_id]


def test_urgent_jobs_of_another_process_pass_a_backlog(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims that come back full look from time to time for levels that others have begun to use."""
    monkeypatch.setattr(marks, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(marks, "SHARE", 0)
    put_many(scene.there, 20)
    assert len(claim(scene.here, scene.worker, 5)) == 5
    urgent = put(scene.there, priority=-9)
    assert ids(claim(scene.here, scene.worker, 1)) == [urgent]


def test_a_claim_does_not_read_what_is_before_its_mark(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot held open keeps a thousand finished jobs at the head of the index: none is visited."""
    put_many(scene.there, 3000)
    with scene.connect() as holder:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT 1 FROM bide_jobs LIMIT 1")
        for _ in range(30):
            rows = claim(scene.here, scene.worker, 100)
            scene.here.finish(scene.worker, [lease(row) for row in rows], NOW, keep=False)
        monkeypatch.setattr(marks, "CHEAP", -1.0)
        monkeypatch.setattr(marks, "SHARE", 10**9)
        put_many(scene.here, 10)
        aside = holder.info.backend_pid
        before = entries(scene, aside)
        assert len(claim(scene.here, scene.worker, 10)) == 10
        assert entries(scene, aside) - before < 400


def entries(scene: Scene, aside: int) -> int:
    """How many entries of the ready index were read so far, but for those that `aside` reads."""
    return counted(scene, READ_OF_INDEX, aside)


def scans(scene: Scene) -> int:
    """How many times the whole table of jobs was read so far."""
    return counted(scene, SCANS_OF_TABLE)


def counted(scene: Scene, query: str, aside: int = 0) -> int:
    """A figure of the statistics, once every backend but `aside` has told its part by ending."""
    scene.here.close()
    scene.there.close()
    with psycopg.connect(scene.url, autocommit=True) as looking:
        wait_until(lambda: not looking.execute(OTHERS, [aside]).fetchone()[0], within=30)
        return int(looking.execute(query).fetchone()[0])


READ_OF_INDEX = (
    "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'bide_jobs_ready'"
)
SCANS_OF_TABLE = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'bide_jobs'"
#: A backend leaves this list after its statistics were written. A server's own processes come and go.
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid NOT IN (pg_backend_pid(), %s)
"""


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["put", "begin", "commit", "abort", "claim", "retry", "release", "due", "own"]
        ),
        st.integers(0, 3),
    ),
    max_size=25,
)


class Play:
    """One random story, told by steps."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.open, self.held = scene, [], []

    def put(self, n: int) -> None:
        put(self.scene.there, queue="ab"[n % 2], priority=n // 2)

    def own(self, n: int) -> None:
        put(self.scene.here, queue="ab"[n % 2], priority=n // 2)

    def due(self, n: int) -> None:
        put(self.scene.there, run_at=NOW + SECOND, queue="ab"[n % 2], priority=n // 2)

    def begin(self, n: int) -> None:
        self.open.append(self.scene.connect())
        self.scene.there.insert([a_job(queue="ab"[n % 2], priority=n // 2)], on=self.open[-1])

    def commit(self, n: int) -> None:
        if self.open:
            with self.open.pop(n % len(self.open)) as late:
                late.commit()

    def abort(self, n: int) -> None:
        if self.open:
            with self.open.pop(n % len(self.open)) as late:
                late.rollback()

    def claim(self, n: int) -> None:
        self.held += self.scene.here.claim(self.scene.worker, ANYTHING, n + 1, NOW)

    def retry(self, n: int) -> None:
        if self.held:
            told = failure(self.held.pop(), run_at=NOW)
            self.scene.here.retry_later(self.scene.worker, told, NOW)

    def release(self, n: int) -> None:
        if self.held:
            self.scene.here.release(self.scene.worker, [lease(self.held.pop())], NOW)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_every_job_is_found_within_one_look(scene: Scene, steps: list[tuple[str, int]]) -> None:
    """Late commits, aborts, retries, priorities, queues in any order: nothing stays behind a mark."""
    play = Play(scene)
    for step, n in steps:
        getattr(play, step)(n)
    while play.open:
        play.commit(0)
    ready = {row.id for row in scene.there.find(Filter(states=(State.READY,)), limit=100)}
    assert set(ids(claim(scene.here, scene.worker, 100))) == ready
    scene.there.delete(Filter())


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(queues=("a", "b")), Wanted(queues=("a",))])
def test_a_burst_does_not_run_on_the_plan_of_an_empty_table(scene: Scene, wanted: Wanted) -> None:
    """The server keeps plans: one made for a few rows would read a whole large table at each claim."""
    for _ in range(8):
        put(scene.here, queue="a")
        rows = scene.here.claim(scene.worker, wanted, 1, NOW)
        scene.here.finish(scene.worker, [lease(row) for row in rows], NOW, keep=False)
    scene.there.insert([a_job(queue="ab"[n % 2], payload="x" * 500) for n in range(20_000)])
    scene.here.claim(scene.worker, wanted, 1, NOW)
    before = scans(scene)
    for _ in range(10):
        rows = scene.here.claim(scene.worker, wanted, 1, NOW)
        scene.here.finish(scene.worker, [lease(row) for row in rows], NOW, keep=False)
    assert scans(scene) == before
