"""Why a file or a dataset comes when it does: its score, each part of it with the facts behind, who has a say in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from shelter_pipeline.catalog import priorities as books
from shelter_pipeline.catalog.overrides import list_overrides
from shelter_pipeline.catalog.scoring import today
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.targets import find_target
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.priorities.sentences import sentences
from shelter_pipeline.priorities.weights import SIGNALS, Weights, load_weights

_MOST_FILES = 20


def explain(workplace: Workplace, text: str) -> dict[str, Any]:
    """The score of a file (by URL or id), or of a dataset (by slug, identifier or `dataset:ID`) with its files.

    A file: `{asset_id, url, state, organization, scored, score, level, excluded, pinned,
    level_set, boost, scored_at, parts, overrides, datasets}`; a part is `{signal, part,
    weight, value, because}` with `part` = `weight` x `value`, the greatest first.
    A dataset: `{dataset_id, slug, identifier, title, organization, files, held, best_score,
    best_level, mean_score, assets, first}`, where `first` explains the file that comes first.

    SetupError if nothing goes by the text.
    """
    target = find_target(workplace, text, kinds=("dataset",))
    if target.asset_id is not None:
        return explain_asset(workplace, target.asset_id)
    if target.dataset_id is None:
        raise SetupError(f"{text!r} is neither a file nor a dataset")
    return explain_dataset(workplace, target.dataset_id)


def explain_dataset(workplace: Workplace, dataset_id: int) -> dict[str, Any]:
    """As `explain` of a dataset that there is."""
    files = books.assets_of_dataset(workplace.catalog, dataset_id, limit=_MOST_FILES)
    return {
        **books.dataset_standing(workplace.catalog, dataset_id),
        "assets": [dict(row) for row in files],
        "first": explain_asset(workplace, files[0]["asset_id"]) if files else None,
    }


def explain_asset(workplace: Workplace, asset_id: int) -> dict[str, Any]:
    """As `explain` of a file that there is."""
    (explained,) = explain_assets(workplace, [asset_id])
    words = list_overrides(workplace.catalog, standing=True, asset_id=asset_id)
    return {**explained, "overrides": [dict(row) for row in words]}


def explain_assets(workplace: Workplace, asset_ids: Sequence[int]) -> list[dict[str, Any]]:
    """As `explain` of files that there are, in this order and without `overrides`, in three reads for all of them."""
    weights = load_weights(workplace.settings.priority_weights)
    assets = books.facts_of_assets(workplace.catalog, asset_ids)
    datasets = books.facts_of_datasets(workplace.catalog, asset_ids)
    day = today(workplace.catalog)
    return [_explained(assets[asset_id], datasets[asset_id], weights, day) for asset_id in asset_ids]


def _explained(
    asset: Mapping[str, Any], datasets: Sequence[Mapping[str, Any]], weights: Weights, day: date
) -> dict[str, Any]:
    because = sentences(asset, datasets, weights, day)
    parts = [_part(asset, signal, weights.shares[signal], because[signal]) for signal in SIGNALS]
    return {
        "asset_id": asset["asset_id"],
        "url": asset["url"],
        "state": asset["state"],
        "organization": asset["organization"],
        **{name: asset[name] for name in ("scored", "score", "level", "excluded", "pinned")},
        **{name: asset[name] for name in ("level_set", "boost", "scored_at")},
        "parts": sorted(parts, key=lambda part: -part["part"]) if asset["scored"] else [],
        "datasets": [
            {"dataset_id": one["dataset_id"], "slug": one["slug"], "organization": one["organization"]}
            for one in datasets
        ],
    }


def _part(asset: Mapping[str, Any], signal: str, weight: float, because: str) -> dict[str, Any]:
    part = float(asset[signal] or 0.0)
    return {
        "signal": signal,
        "part": round(part, 4),
        "weight": round(weight, 4),
        "value": round(min(1.0, part / weight), 4) if weight else 0.0,
        "because": because,
    }
