"""Decide what comes first: every asset's score from the weights file, written where it changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shelter_pipeline.catalog import scoring
from shelter_pipeline.catalog.priorities import level_counts, top_assets
from shelter_pipeline.catalog.scoring import MOST_AT_ONCE, Rules
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.node_work import queue_again, refresh_queue
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.priorities.weights import LEVELS, Risk, Weights, load_weights

_log = logging.getLogger(__name__)
_SHOWN = 10


def score_all(workplace: Workplace, *, weights_file: Path | None = None) -> dict[str, Any]:
    """Score every asset by SHELTER_PRIORITY_WEIGHTS or another file. Returns `{changed, levels, top}`.

    Nodes are given work by the new scores from then on. SetupError for weights that cannot be used.
    """
    weights = load_weights(weights_file or workplace.settings.priority_weights)
    changed = scoring.score_assets(workplace.catalog, rules_of(workplace, weights))
    if changed:
        _follow(workplace, None)
    return {
        "changed": changed,
        "levels": level_counts(workplace.catalog),
        "top": top_assets(workplace.catalog),
    }


def rescore(workplace: Workplace, asset_ids: Sequence[int] | None = None) -> int:
    """Score these assets again, or all where they are many or None; returns how many scores changed.

    Nodes are given work by the new scores from then on. SetupError for weights that cannot be used.
    """
    if asset_ids is not None and not asset_ids:
        return 0
    if asset_ids is not None and len(asset_ids) > MOST_AT_ONCE:
        asset_ids = None
    rules = rules_of(workplace, load_weights(workplace.settings.priority_weights))
    changed = scoring.score_assets(workplace.catalog, rules, asset_ids=asset_ids)
    if changed:
        _follow(workplace, asset_ids)
    return changed


def rescore_after(workplace: Workplace, what: str, asset_ids: Sequence[int] | None = None) -> None:
    """Score again after something else has been done, which stands whatever becomes of the scoring."""
    try:
        rescore(workplace, asset_ids)
    except ShelterError as error:
        _log.warning("%s is done; scores follow at the next scoring: %s", what, error)


def what_if(workplace: Workplace, weights_file: Path, *, limit: int = _SHOWN) -> dict[str, Any]:
    """What scoring by another file would move: `{levels, organizations, rising, falling, moved}`; writes nothing.

    SetupError for weights that cannot be used.
    """
    rules = rules_of(workplace, load_weights(weights_file))
    found = scoring.what_if(workplace.catalog, rules, limit=limit)
    return {
        "weights": str(weights_file),
        "moved": sum(row["files"] for row in found["levels"]),
        "levels": found["levels"],
        "organizations": found["organizations"],
        "rising": found["rise"],
        "falling": found["fall"],
    }


def _follow(workplace: Workplace, asset_ids: Sequence[int] | None) -> None:
    """What nodes are given follows the scores at once."""
    if asset_ids is None:
        refresh_queue(workplace)
    else:
        queue_again(workplace, asset_ids)


def rules_of(workplace: Workplace, weights: Weights) -> Rules:
    """The weights as of today, for the catalog."""
    day = scoring.today(workplace.catalog)
    reader = weights.reader()

    def read(title: str, keywords: Sequence[str], themes: Sequence[str]) -> tuple[float, Sequence[int]]:
        wording = reader.read(title, keywords, themes)
        return wording.relevance, wording.topics

    def on_the_day(risks: dict[str, Risk]) -> dict[str, float]:
        return {name: risk.on(day) for name, risk in risks.items()}

    return Rules(
        shares=weights.shares,
        steps=weights.steps,
        floors=[weights.floor(level) for level in LEVELS],
        ceilings=[weights.ceiling(level) for level in LEVELS],
        read=read,
        fingerprint=reader.fingerprint,
        topic_risks=list(on_the_day(dict(weights.topics)).values()),
        organization_risks=on_the_day(dict(weights.organizations)),
        host_risks=on_the_day(dict(weights.hosts)),
        relevant_organizations=weights.vocabulary.organizations,
    )
