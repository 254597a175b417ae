"""What Prometheus is told: requests as they are answered, and the state of the rescue, read rarely and cheaply.

A scrape never waits for the catalog longer than a caller would, and works without it:
then `shelter_catalog_up` is 0 and the last figures are left out rather than repeated.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.gauges import read_gauges
from shelter_pipeline.domain.errors import ShelterError

_log = logging.getLogger(__name__)
_KEPT_SECONDS = 15.0
_SHARE = 50  # reading figures takes at most one part in so many of the time
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Metrics:
    """The counts of one process, and the gauges of its catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "shelter_api_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "shelter_api_request_seconds",
            "Time from a request to the end of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._refused = Counter(
            "shelter_api_refused_connections",
            "Connections that were refused or closed before a request was whole.",
            ("reason",),
            registry=self._registry,
        )
        self.in_progress = Gauge(
            "shelter_api_requests_in_progress", "Requests that are being answered.", registry=self._registry
        )
        self.listeners = Gauge(
            "shelter_api_live_listeners", "Pages that are told live what goes on.", registry=self._registry
        )
        self._registry.register(_CatalogGauges(catalog))

    def answered(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count a request, and its seconds if given. `route` is a template, never a path that somebody made up."""
        self._requests.labels(method if method in _METHODS else "other", route, status).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a connection that came to nothing."""
        self._refused.labels(reason).inc()

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _CatalogGauges:
    """The state of the rescue, asked for every fifteen seconds at most, and rarer where it takes long to read."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._due_at = float("-inf")
        self._rows: list[Mapping[str, Any]] | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is, is known when it was read."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One gauge a name, and whether the catalog answered."""
        began = time.monotonic()
        if began >= self._due_at and self._lock.acquire(blocking=False):
            try:
                self._rows = self._ask()
                ended = time.monotonic()
                self._due_at = ended + max(_KEPT_SECONDS, _SHARE * (ended - began))
            finally:
                self._lock.release()
        rows = self._rows
        yield GaugeMetricFamily(
            "shelter_catalog_up", "Whether the catalog answered.", float(rows is not None)
        )
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for row in rows or ():
            name, labels = row["name"], [row["label"]] if row["label"] else []
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = families.setdefault(name, kind(name, row["help"], labels=labels))
            family.add_metric([row["kind"]] if labels else [], float(row["value"]))
        yield from families.values()

    def _ask(self) -> list[Mapping[str, Any]] | None:
        try:
            return read_gauges(self._catalog)
        except ShelterError as error:
            _log.warning("no gauges: %s", error)
            return None
