"""What scrubs found, kept: a damaged file must not be forgotten with the log of the run that found it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shelter_pipeline.catalog.connection import Catalog, storable

_FIRST = 20


def note_scrub(catalog: Catalog, store: str, found: Mapping[str, Any]) -> None:
    """Remember the counts of a scrub, and the first names of what was damaged or missing."""
    counts = {name: found[name] for name in ("ok", "damaged", "missing", "extra", "bytes_read")}
    names = {
        name: [storable(each) for each in found[name][:_FIRST]] for name in ("damaged_files", "missing_files")
    }
    catalog.count("note_scrub", store=store, **counts, **names)


def last_scrubs(catalog: Catalog) -> list[dict[str, Any]]:
    """Of each store: `{store, finished_at, ok, damaged, missing, extra, damaged_files, missing_files}`."""
    return [dict(row) for row in catalog.rows("last_scrubs")]
