"""The audit list: what was written is read, newest first."""

from __future__ import annotations

from typing import Any

from bide.jobs.audit import AuditEntry
from bide.jobs.store import Store
from bide.testing.contract.acting import HOUR, NOW, SECOND


def entry(number: int = 0, **values: Any) -> AuditEntry:
    """The `number`th thing that ada did."""
    told = {"who": "ada@shop", "action": "jobs.retry", "what": "41", "detail": {"number": number}}
    return AuditEntry(**{"at": NOW + number * SECOND, **told, **values})


class AuditContract:
    """`audit.write`, `read` and `prune`."""

    def test_what_is_written_is_read(self, store: Store) -> None:
        given = entry(detail={"changed": 3, "filter": {"queue": "mail", "states": ["failed"]}})
        store.audit.write([given])
        [row] = store.audit.read()
        assert row[1:] == given
        assert row.id > 0

    def test_the_newest_comes_first_a_page_at_a_time(self, store: Store) -> None:
        store.audit.write([entry(number) for number in range(5)])
        first = store.audit.read(limit=2)
        second = store.audit.read(limit=2, before_id=first[-1].id)
        assert [row.detail["number"] for row in first + second] == [4, 3, 2, 1]

    def test_who_action_and_what_choose(self, store: Store) -> None:
        store.audit.write([entry(0), entry(1, who="bob"), entry(2, what="42")])
        store.audit.write([entry(3, action="queues.pause", what="mail")])

        def numbers(**chosen: Any) -> list[int]:
            return [row.detail["number"] for row in store.audit.read(**chosen)]

        assert numbers(who="bob") == [1]
        assert numbers(action="jobs.retry") == [2, 1, 0]
        assert numbers(what="41", who="ada@shop") == [0]
        assert numbers(action="texts.edit") == []

    def test_any_text_can_be_written(self, store: Store) -> None:
        """A key of a text, or a filter, may be anything that somebody typed."""
        what = "naïve \0 \ud800 «" + "x" * 1000
        store.audit.write([entry(what=what, who="", detail={"note": "\0 \ud800 ☂"})])
        [row] = store.audit.read()
        assert row.what.startswith("naïve ? ? «xxx")
        assert (len(row.what), row.what[-1], row.who) == (255, "…", "")
        assert row.detail == {"note": "\0 \ud800 ☂", "what": what}

    def test_old_entries_are_pruned(self, store: Store) -> None:
        store.audit.write([entry(number) for number in range(4)])
        store.audit.write([entry(4, at=NOW + HOUR)])
        assert store.audit.prune(NOW + 3 * SECOND, limit=2) == 2
        assert store.audit.prune(NOW + 3 * SECOND) == 1
        assert store.audit.prune(NOW + 3 * SECOND) == 0
        assert [row.detail["number"] for row in store.audit.read()] == [4, 3]

    def test_nothing_to_write_is_written(self, store: Store) -> None:
        store.audit.write([])
        assert store.audit.read() == []
