"""Bide's metrics in an application's own registry of prometheus_client, beside the application's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bide import clock
from bide.errors import MissingDependency
from bide.workers.metrics import Metrics

if TYPE_CHECKING:
    from bide.app import App


class BideCollector:
    """Reads the database at each scrape, so that one process tells of all: `registry.register(...)`.

    Nothing is opened when it is made or registered. Register it in one registry of one service, since
    every process would tell the same. When the database does not answer, only bide_up is told, as 0.
    """

    def __init__(self, app: App) -> None:
        try:
            from prometheus_client.core import Metric
        except ModuleNotFoundError as error:
            raise MissingDependency("bide.contrib.prometheus", "prometheus") from error
        self._app, self._metric = app, Metric
        self._metrics: Metrics | None = None

    def describe(self) -> list[Any]:
        """Nothing, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[Any]:
        """One Metric for each of bide.workers.metrics.METRICS."""
        if self._metrics is None:
            app = self._app
            self._metrics = Metrics(app.store, app.settings, app.database)
        for family in self._metrics.families(clock.utc_now()):
            metric = self._metric(family.name, family.help, family.kind)
            for suffix, labels, value in family.samples:
                metric.add_sample(f"{family.name}{suffix}", labels, value)
            yield metric
