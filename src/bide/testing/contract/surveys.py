"""Looking at very many jobs in bounded time: pages, counts that stop, queues and groups."""

from __future__ import annotations

import pytest

from bide.jobs.job import Filter, State
from bide.jobs.store import Store
from bide.jobs.surveys import Group, Page
from bide.testing.contract.acting import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    claim_one,
    enlist,
    failure,
    ids,
    put,
    put_many,
)


class SurveysContract:
    """`surveys.page`, `.counts`, `.queues` and `.groups`."""

    @pytest.mark.parametrize("state", [None, *State])
    def test_pages_hold_every_job_of_a_state_once(self, store: Store, state: State | None) -> None:
        _one_of_each(store)
        _one_of_each(store)
        which = Filter(states=None if state is None else (state,))
        pages = _pages(store, which, limit=1)
        assert [len(page.rows) for page in pages] == [1] * len(pages)
        seen = [page.rows[0].id for page in pages]
        assert sorted(seen) == sorted(ids(store.find(which)))
        assert not any(page.looked_through for page in pages)

    def test_a_page_of_all_states_is_newest_first(self, store: Store) -> None:
        new = put_many(store, 3)
        assert ids(store.surveys.page(Filter()).rows) == new[::-1]

    def test_ready_jobs_stand_in_the_order_of_the_claim_within_their_queue(
        self, store: Store
    ) -> None:
        late = put(store, queue="b", priority=5)
        other = put(store, queue="a", priority=9)
        first = put(store, queue="b", priority=-5)
        last = put(store, queue="b", priority=5)
        page = store.surveys.page(Filter(states=(State.READY,)))
        assert ids(page.rows) == [other, first, late, last]
        which = Filter(states=(State.READY,), queue="b")
        assert [ids(one.rows) for one in _pages(store, which, limit=2)] == [[first, late], [last]]

    def test_a_queue_of_any_name_can_be_gone_on_from(self, store: Store) -> None:
        names = ["a.b", "a", "é.1.2", "%", "日本.", ".5."]
        new = {name: put(store, queue=name) for name in names}
        pages = _pages(store, Filter(states=(State.READY,)), limit=1)
        assert sorted(page.rows[0].id for page in pages) == sorted(new.values())

    def test_scheduled_jobs_stand_in_the_order_of_their_moment(self, store: Store) -> None:
        moments = [NOW + HOUR, NOW + MINUTE, NOW + HOUR]
        later, soon, same = [put(store, run_at=moment) for moment in moments]
        which = Filter(states=(State.SCHEDULED,))
        assert [ids(p.rows) for p in _pages(store, which, limit=1)] == [[soon], [later], [same]]

    def test_failed_jobs_stand_with_the_newest_failure_first(self, store: Store) -> None:
        put_many(store, 3)
        worker = enlist(store)
        failed = []
        for n in range(3):
            row = claim_one(store, worker)
            store.fail(worker, failure(row), NOW + n * SECOND, keep=True)
            failed.append(row.id)
        which = Filter(states=(State.FAILED,))
        assert [ids(p.rows) for p in _pages(store, which, limit=2)] == [failed[:0:-1], failed[:1]]

    def test_a_page_looks_through_so_many_jobs_and_no_further(self, store: Store) -> None:
        [rare] = put_many(store, 1, name="rare")
        put_many(store, 9, name="common")
        page = store.surveys.page(Filter(name="rare"), among=4)
        assert page.rows == []
        assert page.looked_through
        pages = _pages(store, Filter(name="rare"), limit=5, among=4)
        assert [ids(page.rows) for page in pages] == [[], [], [rare]]
        assert not pages[-1].looked_through

    def test_a_full_page_of_a_filter_goes_on_behind_its_last_job(self, store: Store) -> None:
        new = [put(store, name="ab"[n % 2], run_at=NOW + HOUR + n * SECOND) for n in range(8)]
        which = Filter(states=(State.SCHEDULED,), name="a")
        pages = _pages(store, which, limit=3)
        assert [ids(page.rows) for page in pages] == [new[0:6:2], new[6::2]]

    @pytest.mark.parametrize(
        "after", ["", "x", "1.2.3.4.5", "-1", "9" * 30, "9" * 18 + ".1", "0.0.0.\0", "é", "1e3"]
    )
    @pytest.mark.parametrize("state", [None, State.READY, State.FAILED])
    def test_a_mark_that_no_page_gave_harms_nobody(
        self, store: Store, after: str, state: State | None
    ) -> None:
        put_many(store, 2)
        states = None if state is None else (state,)
        assert len(store.surveys.page(Filter(states=states), after=after).rows) <= 2

    def test_states_are_counted_and_the_count_stops(self, store: Store) -> None:
        _one_of_each(store)
        put_many(store, 4)
        everything = store.surveys.counts()
        assert everything == {state: 5 if state == State.READY else 1 for state in State}
        assert store.surveys.counts(at_most=3)[State.READY] == 3

    def test_no_job_gives_no_count(self, store: Store) -> None:
        assert store.surveys.counts() == {}
        assert store.surveys.queues() == []
        assert store.surveys.groups(Filter(), "name") == []
        assert store.surveys.page(Filter()) == Page([], None)

    def test_queues_are_those_of_the_listing(self, store: Store) -> None:
        _one_of_each(store)
        put_many(store, 3, queue="Mail", priority=7)
        put(store, queue="mail", priority=-7)
        put(store, queue="later", run_at=NOW + HOUR)
        store.pause("later", NOW)
        store.pause("empty", NOW)
        assert store.surveys.queues() == store.queues()

    def test_the_oldest_ready_job_is_first_in_line_of_some_priority(self, store: Store) -> None:
        put(store, queue="a", priority=1, created_at=NOW - MINUTE)
        put(store, queue="a", priority=0, created_at=NOW)
        [queue] = store.surveys.queues()
        assert queue.oldest_ready == NOW - MINUTE

    def test_ready_jobs_are_counted_in_each_queue_up_to_the_bound(self, store: Store) -> None:
        put_many(store, 5, queue="a")
        put_many(store, 2, queue="b")
        counts = {row.name: row.counts[State.READY] for row in store.surveys.queues(at_most=3)}
        assert counts == {"a": 3, "b": 2}

    def test_jobs_are_grouped_by_name(self, store: Store) -> None:
        a, b = put_many(store, 3, name="a"), put_many(store, 1, name="b")
        groups = store.surveys.groups(Filter(), "name")
        assert groups == [Group("a", 3, a[-1]), Group("b", 1, b[-1])]
        assert store.surveys.groups(Filter(name="b"), "name") == [Group("b", 1, b[-1])]

    def test_failed_jobs_are_grouped_by_the_first_line_of_their_error(self, store: Store) -> None:
        put_many(store, 3)
        worker = enlist(store)
        for error in ("KeyError: 'a'\nline 1", "KeyError: 'a'\nline 2", "x" * 500):
            row = claim_one(store, worker)
            store.fail(worker, failure(row, error=error), NOW, keep=True)
        groups = store.surveys.groups(Filter(states=(State.FAILED,)), "error")
        assert [(group.value, group.number) for group in groups] == [
            ("KeyError: 'a'", 2),
            ("x" * 200, 1),
        ]
        for group in groups:
            assert store.count(Filter(error=group.value)) == group.number

    def test_groups_look_through_so_many_jobs_and_no_further(self, store: Store) -> None:
        put_many(store, 9)
        [group] = store.surveys.groups(Filter(), "name", among=4)
        assert group.number == 4

    def test_text_is_looked_for_in_arguments_too(self, store: Store) -> None:
        job_id = put(store, payload='{"args":["50% off_é"]}')
        put(store)
        assert ids(store.surveys.page(Filter(text="50% off_é")).rows) == [job_id]
        assert ids(store.find(Filter(text="% off_"))) == [job_id]
        assert store.find(Filter(text="5_%")) == []

    def test_jobs_are_found_by_locale(self, store: Store) -> None:
        german, _ = put(store, locale="de"), put(store, locale="fr")
        assert ids(store.find(Filter(locale="de"))) == [german]


def _one_of_each(store: Store) -> None:
    """A job in every state."""
    worker = enlist(store)
    put_many(store, 4)
    for state in (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.RUNNING):
        row = claim_one(store, worker)
        if state == State.SUCCEEDED:
            store.finish(worker, [(row.id, row.lease)], NOW, keep=True)
        elif state == State.FAILED:
            store.fail(worker, failure(row), NOW, keep=True)
        elif state == State.CANCELLED:
            store.cancel(Filter(ids=(row.id,)), NOW)
    put(store, run_at=NOW + HOUR)
    put(store)


def _pages(store: Store, which: Filter, *, limit: int, among: int = 1000) -> list[Page]:
    """Every page of a list."""
    pages = [store.surveys.page(which, limit=limit, among=among)]
    while pages[-1].after is not None and len(pages) < 30:
        pages.append(store.surveys.page(which, limit=limit, after=pages[-1].after, among=among))
    return pages
