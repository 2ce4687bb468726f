"""Citations of behaviour rows are real, and rows left out have a reason."""

from __future__ import annotations

import pytest

from spec.rows import SPECS, Coverage, cited, left_out


@pytest.mark.parametrize("spec", SPECS)
def test_only_rows_that_exist_and_are_followed_are_cited(spec: str) -> None:
    assert Coverage.of(spec).problems == []


@pytest.mark.parametrize("spec", SPECS)
def test_every_row_left_out_has_a_reason(spec: str) -> None:
    assert [row for row, reason in left_out(spec).items() if len(reason) < 15] == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("DJ-072.", ["DJ-072"]),
        ("DJ-072, DJ-075", ["DJ-072", "DJ-075"]),
        ("I18N-120..122", ["I18N-120", "I18N-121", "I18N-122"]),
        ("DJ-001 to DJ-003 and DJ-009", ["DJ-001", "DJ-002", "DJ-003", "DJ-009"]),
        ("ADJ-0011", []),
    ],
)
def test_single_rows_lists_and_ranges_are_understood(text: str, rows: list[str]) -> None:
    assert list(cited(text)) == rows
