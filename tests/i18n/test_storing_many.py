"""Thousands of texts in one `store`: as few statements as can be, and the same outcome as one by one."""

from __future__ import annotations

import pytest

from bide.db.engine import Database as Door
from bide.i18n import Database
from bide.i18n.rows import BATCH
from plans import recorded

Texts = dict[str, dict[str, str]]


def nested(count: int, word: str) -> Texts:
    return {
        f"page{number}": {f"line{line}": f"{word} {line}" for line in range(10)}
        for number in range(count // 10)
    }


def test_the_table_is_read_once_and_written_by_the_batch(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = Database(door)
    batches = 3

    def sent(word: str) -> list[str]:
        with recorded(monkeypatch, "translations") as statements:
            texts.live.rows.database.run(
                lambda c: texts.live.rows.write(
                    c, "en", {f"a.b{each}": word for each in range(batches * BATCH)}
                )
            )
        return [text.split()[0] for text, _ in statements]

    assert sent("one") == ["SELECT", *["INSERT"] * batches]
    assert sent("one") == ["SELECT"]
    assert sent("two") == ["SELECT", *["UPDATE"] * batches]


def test_what_stood_above_and_below_goes_and_the_rest_stays(door: Door) -> None:
    texts = Database(door)
    before: dict[str, object] = dict(nested(40, "old"))
    texts.store("de", before)
    # Below texts that come, above one that comes, another spelling, the start of a name only.
    before |= {"deep": {"er": {"x": "gone", "y": "gone"}}, "leaf": "gone", "PAGE1": "kept"}
    before |= {"page": "kept", "deeper": "kept", "leaf-2": {"x": "kept"}}
    texts.store("en", before)
    came = nested(3 * BATCH, "new") | {"deep": {"er": "new"}, "leaf": {"x": {"y": "new"}}}
    texts.store("en", came, author="Ann")
    kept = {"PAGE1": "kept", "page": "kept", "deeper": "kept", "leaf-2": {"x": "kept"}}
    found = Database(door).translations()
    assert found["en"] == came | kept
    assert found["de"] == nested(40, "old")
    history = door.read(
        lambda c: c.execute(
            "SELECT action, count(*) FROM bide_text_history WHERE author = 'Ann' GROUP BY action"
        )
    )
    assert dict(history) == {"delete": 3, "update": 40, "insert": 3 * BATCH - 40 + 2}


def test_a_scope_is_left_alone_by_another(door: Door) -> None:
    one, two = Database(door, scope="one"), Database(door, scope="two")
    one.store("en", nested(2 * BATCH, "one") | {"leaf": "one"})
    two.store("en", nested(2 * BATCH, "two") | {"leaf": {"x": "two"}})
    assert one.translations()["en"] == nested(2 * BATCH, "one") | {"leaf": "one"}
    assert two.translations()["en"] == nested(2 * BATCH, "two") | {"leaf": {"x": "two"}}


def test_of_keys_that_exclude_each_other_the_last_is_kept(door: Door) -> None:
    texts = Database(door)
    flat = {f"a{each}.x": "below" for each in range(BATCH)}
    flat |= {f"a{each}": "above" for each in range(BATCH)}
    flat |= {"a0.y.z": "last", "b": "above", "b.c": "below", "b.d": "below"}
    texts.store("en", flat, escape=False)
    wanted = {f"a{each}": "above" for each in range(1, BATCH)}
    assert texts.translations()["en"] == wanted | {
        "a0": {"y": {"z": "last"}},
        "b": {"c": "below", "d": "below"},
    }
