"""Decide what comes first: every asset's score from the weights file, written where it changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shelter_pipeline.catalog.priorities import level_counts, score_assets, top_assets
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.priorities.weights import load_weights


def score_all(workplace: Workplace, *, weights_file: Path | None = None) -> dict[str, Any]:
    """Score every asset. Returns `{changed, levels, top}`; SetupError for weights that cannot be used."""
    weights = load_weights(weights_file)
    changed = score_assets(
        workplace.catalog,
        shares=weights.shares,
        threatened_organizations=weights.threatened_organizations,
        vocabulary=weights.vocabulary,
    )
    return {
        "changed": changed,
        "levels": level_counts(workplace.catalog),
        "top": top_assets(workplace.catalog),
    }
