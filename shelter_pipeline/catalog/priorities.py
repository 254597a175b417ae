"""Scores as they are read: how they spread, what comes first, and the facts behind one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.scoring import DEAD


def level_counts(catalog: Catalog) -> list[dict[str, Any]]:
    """Assets and expected bytes by priority level, 10 first."""
    return [dict(row) for row in catalog.rows("level_counts")]


def top_assets(
    catalog: Catalog, limit: int = 20, *, organization_id: int | None = None
) -> list[dict[str, Any]]:
    """The best-scored assets that are still wanted, each with the parts of its score."""
    return [dict(row) for row in catalog.rows("top_assets", limit=limit, organization_id=organization_id)]


def facts_of_assets(catalog: Catalog, asset_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """All that the scores of these assets were made of: parts, and what is known of file, host and copies. By id."""
    rows = catalog.rows("facts_of_assets", asset_ids=list(asset_ids), dead_reasons=list(DEAD))
    return {row["asset_id"]: row for row in rows}


def facts_of_datasets(catalog: Catalog, asset_ids: Sequence[int]) -> dict[int, list[Mapping[str, Any]]]:
    """What is known of each dataset that lists one of these assets, as far as it counts for scores. By asset."""
    found: dict[int, list[Mapping[str, Any]]] = {asset_id: [] for asset_id in asset_ids}
    for row in catalog.rows("facts_of_datasets", asset_ids=list(found)):
        found[row["asset_id"]].append(row)
    return found


def assets_of_dataset(catalog: Catalog, dataset_id: int, *, limit: int) -> list[Mapping[str, Any]]:
    """The files of a dataset with their scores, what comes first first."""
    return catalog.rows("scored_assets_of_dataset", dataset_id=dataset_id, limit=limit)


def dataset_standing(catalog: Catalog, dataset_id: int) -> Mapping[str, Any]:
    """A dataset as its files' scores have it: how many files and how many held, best and mean score."""
    return catalog.rows("dataset_standing", dataset_id=dataset_id)[0]
