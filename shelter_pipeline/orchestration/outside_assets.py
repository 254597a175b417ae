"""What Dagster does not make but the rescue lives on: portals, publishers' servers, the store, volunteers.

They stand in the lineage so that it shows where everything comes from and goes to. Nothing
materializes them; `rescue_overview` notes what it saw of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from shelter_pipeline.orchestration.guide import OWNERS, read_on, told

OUTSIDE, KEPT = "outside", "kept"
# For those who ask what talks to whom: the tag says whether our runs reach it over the open internet.
_REMOTE = {"shelter/place": "internet"}


def _outside(name: str, group: str, *kinds: str, deps: Iterable[Any] = (), **tags: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        description=told(name),
        metadata=read_on(name),
        owners=OWNERS,
        group_name=group,
        kinds=set(kinds),
        deps=deps,
        tags=tags,
    )


portals = _outside("portals", OUTSIDE, "http", "json", **_REMOTE)
publishers = _outside("publishers", OUTSIDE, "http", "file", **_REMOTE)
# By name: those who fill the store are made from the two above.
store = _outside("store", KEPT, "file", "s3", deps=("download_batches", "source_records"))
volunteers = _outside("volunteers", KEPT, "http", "file", deps=("priority_scores",), **_REMOTE)

outside_assets = (portals, publishers, store, volunteers)


def observed(spec: dg.AssetSpec, metadata: Mapping[str, Any]) -> dg.AssetObservation:
    """What was seen of one of them just now."""
    return dg.AssetObservation(spec.key, metadata=dict(metadata))
