"""The slate: what a supervisor and a keeper read of a worker, and a worker of them."""

from __future__ import annotations

from bide.workers.slate import Slate


def test_the_name_of_the_running_job_stands_there_whoever_wiped_the_entry() -> None:
    slate = Slate(2)
    entry, supervisors = slate.entry(1), slate.entry(1)
    for name in ("mail", "mail", "a longer name", "post"):
        entry.started(7, 1, 10.0, 20.0, name)
        assert supervisors.read().job_name == name
        entry.ended()
    supervisors.wipe(3)
    slate.entry(1).started(8, 1, 10.0, 20.0, "post")
    assert supervisors.read().job_name == "post"
    entry.wipe(3)
    entry.started(9, 1, 10.0, 20.0, "post")
    assert (supervisors.read().job_name, supervisors.read().place) == ("post", 3)
    assert slate.entry(0).read() == (0,) * 11 + (bytes(40),)


def test_jobs_are_counted_and_the_keepers_word_is_heard() -> None:
    slate = Slate(2)
    entry, keepers = slate.entry(1), slate.entry(1)
    for _ in range(300):
        entry.ended()
    assert keepers.read().done == 300
    keepers.beaten(12.5)
    keepers.gave_up()
    keepers.gave_up()
    assert (entry.beat, entry.given_up) == (12.5, 2)
    entry.entered(5, 6, 13.5)
    assert (entry.beat, entry.given_up, keepers.read().done) == (13.5, 2, 300)


def test_a_slate_is_continued_under_another_mapping() -> None:
    first = Slate(1)
    second = Slate(1, first.fd)
    first.entry(0).gave_up()
    second.entry(0).ended()
    assert second.entry(0).given_up == 1
    assert first.entry(0).read().done == 1
