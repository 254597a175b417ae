"""How files were found, and what became of the links of a dataset: for people who ask."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.urls import Url

_MOST_ROWS = 1000


def trails_to(catalog: Catalog, url: Url) -> list[dict[str, Any]]:
    """Every way from a resource to the file of this URL, with the pages between; at most a thousand."""
    return [dict(row) for row in catalog.rows("trails", url_hash=url.digest, limit=_MOST_ROWS)]


def trails_of(catalog: Catalog, dataset: str) -> list[dict[str, Any]]:
    """What became of each link that the datasets with this slug list; at most a thousand."""
    return [dict(row) for row in catalog.rows("dataset_trails", dataset=dataset, limit=_MOST_ROWS)]
