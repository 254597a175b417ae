"""The state of the rescue as figures for a monitoring system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shelter_pipeline.catalog.connection import Catalog


def read_gauges(catalog: Catalog) -> list[Mapping[str, Any]]:
    """Rows of `name`, `help`, `kind` (None where a figure has no kinds) and `value`, in the order of their names."""
    return catalog.rows("gauges")


def is_alive(catalog: Catalog) -> bool:
    """Whether the catalog answers and knows its tables. Raises CatalogAwayError where it does not answer."""
    return bool(catalog.rows("alive"))
