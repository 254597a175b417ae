"""Scores in the catalog: one statement over every asset, writing only what changed."""

from __future__ import annotations

from typing import Any

import msgspec

from shelter_pipeline.catalog.connection import Catalog, statement

_SCORING_LOCK = 0x5C02E  # any constant of our own


def score_assets(
    catalog: Catalog,
    *,
    shares: dict[str, float],
    threatened_organizations: dict[str, float],
    vocabulary: dict[str, float],
) -> int:
    """Score every asset; returns how many scores changed. `shares` holds the weight of each signal."""
    parameters = {
        "threatened": msgspec.json.encode(threatened_organizations).decode(),
        "vocabulary": msgspec.json.encode(vocabulary).decode(),
        **shares,
    }
    with catalog.begin() as connection:
        connection.execute(statement("lock_scoring"), {"lock": _SCORING_LOCK})
        return connection.execute(statement("score"), parameters).rowcount


def level_counts(catalog: Catalog) -> list[dict[str, Any]]:
    """Assets and expected bytes by priority level, 10 first."""
    return [dict(row) for row in catalog.rows("level_counts")]


def top_assets(catalog: Catalog, limit: int = 20) -> list[dict[str, Any]]:
    """The best-scored assets that are still wanted, each with the parts of its score."""
    return [dict(row) for row in catalog.rows("top_assets", limit=limit)]
