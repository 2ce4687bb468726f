"""Looking at jobs: filters, pages, counts."""

from __future__ import annotations

import pytest

from bide.jobs.job import Filter, State
from bide.jobs.store import Store, Wanted
from bide.testing.contract.acting import (
    ANYTHING,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    claim_one,
    enlist,
    failed_job,
    failure,
    finish,
    ids,
    put,
    put_many,
)


class ReadingContract:
    """`get`, `find`, `count`, `attempts` and `next_run_at`."""

    def test_a_job_that_was_never_stored_is_not_found(self, store: Store) -> None:
        assert store.get(10**9) is None
        assert store.attempts(10**9) == []

    def test_jobs_are_found_newest_first(self, store: Store) -> None:
        new = put_many(store, 5)
        assert ids(store.find(Filter())) == new[::-1]

    def test_jobs_are_found_a_page_at_a_time(self, store: Store) -> None:
        new = put_many(store, 7)
        pages = [store.find(Filter(), limit=3)]
        while pages[-1] and len(pages) < 9:
            pages.append(store.find(Filter(), limit=3, before_id=pages[-1][-1].id))
        assert [len(page) for page in pages] == [3, 3, 1, 0]
        assert [row.id for page in pages for row in page] == new[::-1]

    def test_pages_stay_in_place_while_jobs_are_stored(self, store: Store) -> None:
        new = put_many(store, 4)
        page = store.find(Filter(), limit=2)
        put_many(store, 3)
        assert ids(store.find(Filter(), limit=2, before_id=page[-1].id)) == new[1::-1]

    def test_pages_of_a_filter_hold_only_what_it_means(self, store: Store) -> None:
        new = [put(store, queue="ab"[n % 2]) for n in range(6)]
        assert ids(store.find(Filter(queue="b"), limit=2)) == [new[5], new[3]]
        assert ids(store.find(Filter(queue="b"), limit=2, before_id=new[3])) == [new[1]]

    def test_found_rows_are_the_rows(self, store: Store) -> None:
        job_id = put(store, locale="de", context="{}", payload='{"a":1}')
        assert store.find(Filter()) == [store.get(job_id)]

    def test_jobs_are_counted(self, store: Store) -> None:
        put_many(store, 3, queue="a")
        put_many(store, 2, queue="b")
        assert store.count(Filter()) == 5
        assert store.count(Filter(queue="a")) == 3
        assert store.count(Filter(queue="c")) == 0

    @pytest.mark.parametrize(("at_most", "counted"), [(2, 2), (5, 5), (9, 5)])
    def test_a_count_may_stop_early(self, store: Store, at_most: int, counted: int) -> None:
        put_many(store, 5)
        assert store.count(Filter(), at_most=at_most) == counted

    def test_jobs_are_filtered_by_state(self, store: Store) -> None:
        failed = failed_job(store)
        ready, scheduled = put(store), put(store, run_at=NOW + HOUR)
        assert _found(store, Filter(states=(State.FAILED,))) == {failed}
        assert _found(store, Filter(states=(State.READY, State.SCHEDULED))) == {ready, scheduled}
        assert _found(store, Filter(states=())) == set()

    def test_jobs_are_filtered_by_id(self, store: Store) -> None:
        new = put_many(store, 4)
        assert _found(store, Filter(ids=(new[1], new[3], 10**9))) == {new[1], new[3]}
        assert _found(store, Filter(ids=())) == set()

    def test_jobs_are_filtered_by_name_and_priority(self, store: Store) -> None:
        new = [put(store, name=name, priority=n) for n in (0, 1) for name in ("a", "b")]
        assert _found(store, Filter(name="a")) == {new[0], new[2]}
        assert _found(store, Filter(priority=0)) == {new[0], new[1]}
        assert _found(store, Filter(name="b", priority=1)) == {new[3]}

    def test_jobs_are_filtered_by_the_worker_that_runs_them(self, store: Store) -> None:
        put_many(store, 2)
        mine = claim_one(store, enlist(store, "one"))
        claim_one(store, enlist(store, "two"))
        assert _found(store, Filter(worker="one")) == {mine.id}
        assert _found(store, Filter(worker="nobody")) == set()

    def test_jobs_are_filtered_by_their_creation(self, store: Store) -> None:
        old, middle, new = (put(store, created_at=NOW + n * MINUTE) for n in range(3))
        assert _found(store, Filter(created_before=NOW + MINUTE)) == {old}
        assert _found(store, Filter(created_after=NOW + MINUTE)) == {middle, new}
        between = Filter(created_after=NOW + SECOND, created_before=NOW + MINUTE + SECOND)
        assert _found(store, between) == {middle}

    def test_text_is_looked_for_in_names(self, store: Store) -> None:
        order, _ = put(store, name="Order#invoice"), put(store, name="Newsletter")
        assert _found(store, Filter(text="invoice")) == {order}
        assert _found(store, Filter(text="r#i")) == {order}

    def test_text_is_looked_for_in_errors(self, store: Store) -> None:
        worker, job_id = enlist(store), put(store)
        put(store)
        told = failure(claim_one(store, worker), error="no such file: prices.csv", run_at=NOW)
        store.retry_later(worker, told, NOW)
        assert _found(store, Filter(text="prices.csv")) == {job_id}

    @pytest.mark.parametrize("text", ["100%", "a_c", "\\", "'", '"', "*", "[x]", "😀", "%"])
    def test_no_character_of_a_text_is_a_wildcard(self, store: Store, text: str) -> None:
        put(store, name="abc 1000", payload="0")
        job_id = put(store, name=f"<{text}>", payload="0")
        assert _found(store, Filter(text=text)) == {job_id}

    def test_all_of_a_filter_must_hold(self, store: Store) -> None:
        job_id = put(store, name="a", queue="x", priority=3)
        put(store, name="a", queue="x", priority=4)
        put(store, name="a", queue="y", priority=3)
        asked = Filter(
            states=(State.READY,), name="a", queue="x", priority=3, text="a", created_after=NOW
        )
        assert _found(store, asked) == {job_id}
        assert store.count(asked) == 1

    def test_the_next_run_at_is_the_earliest_scheduled(self, store: Store) -> None:
        assert store.next_run_at(ANYTHING) is None
        put(store)
        assert store.next_run_at(ANYTHING) is None
        put(store, run_at=NOW + HOUR)
        put(store, run_at=NOW + MINUTE)
        assert store.next_run_at(ANYTHING) == NOW + MINUTE

    def test_the_next_run_at_is_of_jobs_that_are_wanted(self, store: Store) -> None:
        put(store, run_at=NOW + SECOND, queue="a", priority=1)
        put(store, run_at=NOW + MINUTE, queue="b", priority=2)
        put(store, run_at=NOW + HOUR, queue="c", priority=3)
        assert store.next_run_at(Wanted(queues=("b", "c"))) == NOW + MINUTE
        assert store.next_run_at(Wanted(except_queues=("a", "b"))) == NOW + HOUR
        assert store.next_run_at(Wanted(min_priority=2)) == NOW + MINUTE
        assert store.next_run_at(Wanted(min_priority=3)) == NOW + HOUR
        assert store.next_run_at(Wanted(queues=("x",))) is None

    def test_a_job_that_is_not_waiting_any_more_has_no_next_run(self, store: Store) -> None:
        worker = enlist(store)
        put(store, run_at=NOW + MINUTE)
        row = claim_one(store, worker, now=NOW + MINUTE)
        assert store.next_run_at(ANYTHING) is None
        finish(store, worker, row)
        assert store.next_run_at(ANYTHING) is None


def _found(store: Store, which: Filter) -> set[int]:
    found = ids(store.find(which))
    assert store.count(which) == len(found)
    return set(found)
