"""The state of the rescue as figures for a monitoring system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.fleet import SILENT_SECONDS


def read_gauges(catalog: Catalog) -> list[Mapping[str, Any]]:
    """Rows of `name`, `help`, `label` and `kind` (both None where a figure has no kinds), and `value`.

    What ends in `_total` only grows, as long as the catalog is the same.
    """
    return [
        *catalog.rows("gauges", silent_seconds=SILENT_SECONDS),
        *catalog.rows("gauges_archive"),
        *catalog.rows("gauges_rescue"),
    ]


def is_alive(catalog: Catalog) -> bool:
    """Whether the catalog answers and knows its tables. Raises CatalogAwayError where it does not answer."""
    return bool(catalog.rows("alive"))
