"""Statistics: what is written is read, writers do not disturb each other, and no sum is ever lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bide.jobs.statistics import ALL_TIME, EMPTY, Statistic
from bide.jobs.store import Store
from bide.testing.contract.acting import HOUR, MINUTE, NOW

#: A full minute, as rows have it.
AT = NOW.replace(second=0, microsecond=0)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def counted(
    succeeded: int = 1, *, ago: timedelta = timedelta(0), queue: str = "mail", name: str = "send"
) -> Statistic:
    """Attempts of a quarter of a second each, which waited half a second."""
    return Statistic(
        AT - ago,
        queue,
        name,
        succeeded=succeeded,
        run_seconds=succeeded * 0.25,
        run_longest=0.25,
        wait_seconds=succeeded * 0.5,
        wait_longest=0.5,
        run_buckets=(0, 0, 0, succeeded, *EMPTY[4:]),
        wait_buckets=(0, 0, 0, succeeded, *EMPTY[4:]),
    )


def total(store: Store) -> list[Statistic]:
    """The sum over all time, by queue and name."""
    return store.statistics.read()


class StatisticsContract:
    """`statistics.write`, `read` and `prune`."""

    def test_nothing_was_counted_at_first(self, store: Store) -> None:
        assert store.statistics.read() == []
        assert store.statistics.read(NOW, step=MINUTE, by=()) == []

    def test_what_is_written_is_read(self, store: Store) -> None:
        row = Statistic(
            AT, "mail", "Order#invoice", 5, 4, 3, 2, 1, 1.5, 1.25, 2.5, 2.25,
            tuple(range(11)), tuple(range(11, 22)),
        )  # fmt: skip
        store.statistics.write(7, [row])
        assert store.statistics.read(AT, step=MINUTE) == [row]
        assert total(store) == [row._replace(minute=ALL_TIME)]

    def test_a_writer_replaces_what_it_wrote(self, store: Store) -> None:
        """So that a report whose answer was lost may be repeated."""
        for succeeded in (1, 5, 5):
            store.statistics.write(7, [counted(succeeded)])
        assert [row.succeeded for row in total(store)] == [5]

    def test_rows_of_all_writers_are_added_up(self, store: Store) -> None:
        store.statistics.write(7, [counted(1)])
        longer = counted(2)._replace(run_longest=9.0)
        store.statistics.write(2**62, [longer])
        [row] = store.statistics.read(AT, step=MINUTE)
        assert (row.succeeded, row.run_seconds, row.wait_seconds) == (3, 0.75, 1.5)
        assert (row.run_longest, row.run_buckets[3]) == (9.0, 3)

    def test_queues_and_names_are_told_apart_exactly(self, store: Store) -> None:
        rows = [counted(queue="mail"), counted(queue="Mail"), counted(name="send ")]
        store.statistics.write(7, rows)
        assert total(store) == sorted(row._replace(minute=ALL_TIME) for row in rows)

    def test_rows_are_told_apart_by_what_is_asked(self, store: Store) -> None:
        rows = [counted(1), counted(2, name="bounce"), counted(4, queue="slow")]
        store.statistics.write(7, rows)
        read = store.statistics.read
        assert [(row.queue, row.name, row.succeeded) for row in read(by=["queue"])] == [
            ("mail", "", 3),
            ("slow", "", 4),
        ]
        assert [(row.name, row.succeeded) for row in read(by=["name"])] == [
            ("bounce", 2),
            ("send", 5),
        ]
        assert [row.succeeded for row in read(by=())] == [7]

    def test_queue_and_name_choose(self, store: Store) -> None:
        store.statistics.write(7, [counted(1), counted(2, name="bounce"), counted(4, queue="slow")])
        read = store.statistics.read
        assert [row.succeeded for row in read(queue="mail", by=())] == [3]
        assert [row.succeeded for row in read(queue="mail", name="bounce")] == [2]
        assert read(queue="none") == []

    def test_a_range_includes_its_first_moment_and_not_its_last(self, store: Store) -> None:
        store.statistics.write(7, [counted(n, ago=n * MINUTE) for n in range(1, 5)])
        rows = store.statistics.read(AT - 3 * MINUTE, AT - MINUTE, step=MINUTE)
        assert [row.succeeded for row in rows] == [3, 2]

    def test_steps_longer_than_a_minute_are_added_up(self, store: Store) -> None:
        store.statistics.write(7, [counted(ago=n * MINUTE) for n in range(180)])
        rows = store.statistics.read(AT - 3 * HOUR, step=HOUR)
        assert sum(row.succeeded for row in rows) == 180
        assert {row.minute.minute for row in rows} == {0}
        assert all(row.succeeded == 60 for row in rows[1:-1])

    @pytest.mark.parametrize("wrong", [{"step": timedelta(seconds=59)}, {"by": ["worker"]}])
    def test_a_question_without_an_answer_is_refused(
        self, store: Store, wrong: dict[str, object]
    ) -> None:
        with pytest.raises(ValueError, match=r"step=|by="):
            store.statistics.read(**wrong)  # type: ignore[arg-type]

    def test_pruning_changes_no_sum(self, store: Store) -> None:
        ages = [timedelta(0), 2 * HOUR, 2 * HOUR + MINUTE, 3 * DAY, 3 * DAY + MINUTE, 30 * DAY]
        for writer in (7, 8):
            store.statistics.write(writer, [counted(ago=age) for age in ages])
        before = total(store)
        while store.statistics.prune(NOW, keep=WEEK, limit=3):
            assert total(store) == before
        assert [row.succeeded for row in total(store)] == [12]

    def test_many_may_prune_at_once_while_others_write(self, store: Store) -> None:
        """Each row goes into a sum once, whoever takes it."""
        for writer in range(1, 5):
            rows = [counted(ago=2 * HOUR + n * MINUTE) for n in range(50)]
            store.statistics.write(writer, rows)

        def prune() -> None:
            while store.statistics.prune(NOW, keep=WEEK, limit=20):
                pass

        def write() -> None:
            for n in range(20):
                store.statistics.write(9, [counted(n + 1)])

        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(work) for work in (prune, write, prune, prune)]:
                done.result(60)
        assert [row.succeeded for row in total(store)] == [4 * 50 + 20]

    def test_pruned_rows_are_known_in_the_sum_over_all_time_only(self, store: Store) -> None:
        store.statistics.write(7, [counted(1), counted(2, ago=30 * DAY)])
        while store.statistics.prune(NOW, keep=WEEK):
            pass
        assert [row.succeeded for row in store.statistics.read(NOW - 365 * DAY, step=DAY)] == [1]
        assert [row.succeeded for row in total(store)] == [3]

    def test_the_last_hours_are_known_by_the_minute(self, store: Store) -> None:
        store.statistics.write(7, [counted(n, ago=n * HOUR) for n in (1, 2, 40)])
        while store.statistics.prune(NOW, keep=WEEK):
            pass
        rows = store.statistics.read(NOW - 2 * DAY, step=MINUTE)
        assert [(row.minute, row.succeeded) for row in rows] == [
            (AT - n * HOUR, n) for n in (40, 2, 1)
        ]

    def test_thousands_of_rows_are_written_at_once(self, store: Store) -> None:
        store.statistics.write(7, [counted(name=f"job {n}") for n in range(3_000)])
        assert [row.succeeded for row in store.statistics.read(by=())] == [3_000]
