"""The charts of the overview."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bide.jobs.statistics import Statistic
from bide.web.charts import series, throughput

NOW = datetime(2027, 1, 31, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(("attempts", "labels"), [(0, [0, 1, 2]), (1, [0, 1, 2]), (4, [0, 3, 6]), (70, [0, 50, 100])])  # fmt: skip
def test_attempts_are_labelled_with_whole_numbers(attempts: int, labels: list[int]) -> None:
    row = Statistic(NOW, "mail", "welcome", succeeded=attempts)
    assert [value for _, value in throughput(series([row], NOW, "1h")).lines] == labels
