"""All tables at once: importing this module makes `metadata` complete."""

from __future__ import annotations

from shelter_pipeline.catalog import (
    tables_alerts,
    tables_catalogue,
    tables_discovery,
    tables_fleet,
    tables_nodes,
    tables_priority,
    tables_probing,
    tables_rescue,
    tables_search,
    tables_work,
)
from shelter_pipeline.catalog.tables import metadata

__all__ = [
    "metadata",
    "tables_alerts",
    "tables_catalogue",
    "tables_discovery",
    "tables_fleet",
    "tables_nodes",
    "tables_priority",
    "tables_probing",
    "tables_rescue",
    "tables_search",
    "tables_work",
]
