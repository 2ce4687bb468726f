"""Hostile text: a payload is stored as it is or refused, and an error text never costs the record."""

from __future__ import annotations

import contextlib

import pytest

from bide.errors import BideError
from bide.jobs.job import Filter, State
from bide.jobs.store import Loss, Store
from bide.testing.contract.acting import (
    HOUR,
    NOW,
    SECOND,
    a_job,
    claim_one,
    claimable,
    enlist,
    failure,
    lease,
    present,
    put,
)

MEBIBYTE = 2**20

PLAIN = {
    "four bytes": "😀🏳️‍🌈",
    "right to left": "שלום עולם",
    "combining": "e\u0301 ≠ é",
    "quotes": """it's "quoted" `so` $1 %s :name ? -- /* */ ; \\ \\' \\0""",
    "escaped NUL": r'{"a":"\u0000","b":"\ud800"}',
    "lines": "one\r\ntwo\n\ttab\x0b\x0c\x1b[31m\x7f\u2028",
    "spaces": "  both ends  ",
    "noncharacters": "\ufeff \ufffe \uffff \U0010ffff",
    "long": "ä" * (MEBIBYTE // 2),
    "nothing": "",
}
HOSTILE = {
    "NUL": "before\x00after",
    "lone surrogate": "before\ud800after",
    "undecodable byte": b"before\xffafter".decode("utf-8", "surrogateescape"),
    "reversed pair": "before\udc00\ud800after",
}


class TextsContract:
    """Texts in payloads, names, queues and errors."""

    @pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN.keys())
    def test_payloads_come_back_unchanged(self, store: Store, text: str) -> None:
        """DJ-051, DJ-522."""
        job_id = put(store, payload=text, context=text)
        row = present(store, job_id)
        assert (row.payload, row.context) == (text, text)
        assert claim_one(store, enlist(store)).payload == text

    def test_a_payload_of_a_mebibyte_comes_back_whole(self, store: Store) -> None:
        """DJ-051, DJ-522."""
        payload = '{"args":["' + "x" * (MEBIBYTE - 14) + '"]}'
        assert present(store, put(store, payload=payload)).payload == payload

    def test_a_batch_may_hold_many_megabytes(self, store: Store) -> None:
        """Above 16 MiB, which some servers refuse in one packet."""
        payloads = [str(n) * (MEBIBYTE // 2) for n in range(10)] * 4
        new = store.insert([a_job(payload=payload) for payload in payloads])
        assert all(
            present(store, job_id).payload == payload
            for job_id, payload in zip(new, payloads, strict=True)
        )

    @pytest.mark.parametrize("text", ["😀", "it's; --", "a\tb", "é", "%s $1 ?", "\\"])
    def test_names_queues_and_workers_may_hold_any_text(self, store: Store, text: str) -> None:
        job_id = put(store, name=text, queue=text)
        row = claim_one(store, enlist(store, text))
        assert (row.name, row.queue, row.locked_by) == (text, text, text)
        assert [queue.name for queue in store.queues()] == [text]
        assert store.pause(text, NOW)
        assert store.count(Filter(name=text, queue=text, worker=text)) == 1
        assert store.get(job_id) == row

    @pytest.mark.parametrize("field", ["payload", "name", "queue", "context"])
    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
    def test_what_cannot_be_stored_as_it_is_is_refused_whole(
        self, store: Store, field: str, text: str
    ) -> None:
        """DJ-522: nothing is cut or replaced, and nothing of the batch stays behind."""
        job = a_job(**{field: text})
        try:
            new = store.insert([a_job(), job, a_job()])
        except (BideError, ValueError):
            assert store.count(Filter()) == 0
        else:
            assert getattr(present(store, new[1]), field) == text

    def test_a_refused_job_does_not_harm_the_store(self, store: Store) -> None:
        for text in HOSTILE.values():
            try:
                store.delete(Filter(ids=tuple(store.insert([a_job(payload=text)]))))
            except (BideError, ValueError):
                continue
        job_id = put(store)
        assert claimable(store) == [job_id]

    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
    def test_a_hostile_error_text_is_recorded(self, store: Store, text: str) -> None:
        """DJ-521."""
        worker, job_id = enlist(store), put(store)
        told = failure(claim_one(store, worker), error=text, run_at=NOW + SECOND)
        assert store.retry_later(worker, told, NOW)
        told = failure(claim_one(store, worker, now=NOW + SECOND), error=text)
        assert store.fail(worker, told, NOW, keep=True)
        texts = [attempt.error for attempt in store.attempts(job_id)]
        texts.append(present(store, job_id).last_error or "")
        assert len(texts) == 3
        assert all("before" in kept and "after" in kept for kept in texts)

    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
    def test_a_hostile_crash_text_is_recorded(self, store: Store, text: str) -> None:
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        assert store.crashed(worker, lease(row), Loss(text), NOW, limits=(3, 25))
        assert "before" in (present(store, job_id).last_error or "")

    @pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN.keys())
    def test_plain_error_texts_are_recorded_unchanged(self, store: Store, text: str) -> None:
        """DJ-074, DJ-521."""
        worker, job_id = enlist(store), put(store)
        row = claim_one(store, worker)
        assert store.fail(worker, failure(row, error=text), NOW + HOUR, keep=True)
        assert present(store, job_id).last_error == text
        assert [attempt.error for attempt in store.attempts(job_id)] == [text]
        assert present(store, job_id).state == State.FAILED

    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
    def test_looking_for_hostile_text_finds_nothing_and_harms_nothing(
        self, store: Store, text: str
    ) -> None:
        job_id = put(store)
        with contextlib.suppress(BideError, ValueError):
            assert store.find(Filter(text=text)) == []
        assert claimable(store) == [job_id]
