"""How fast it goes, beside how fast it went: read from what former materializations said of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import dagster as dg

FILES_A_SECOND, BYTES_A_SECOND = "files per second", "bytes per second"
_LATEST = 10


@dataclass(frozen=True, slots=True)
class Said:
    """The numbers of one materialization."""

    numbers: Mapping[str, float]


def said_before(instance: dg.DagsterInstance, asset: str, latest: int = _LATEST) -> list[Said]:
    """What the last materializations of an asset, of whatever partition, said in numbers; the newest first."""
    records = instance.fetch_materializations(dg.AssetKey(asset), limit=latest).records
    return [
        Said(_numbers(record.asset_materialization.metadata))
        for record in records
        if record.asset_materialization is not None
    ]


def usual(before: Sequence[Said], name: str) -> float | None:
    """The median of a number over former materializations; None where none of them has it."""
    numbers = [each.numbers[name] for each in before if name in each.numbers]
    return median(numbers) if numbers else None


def _numbers(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, float]:
    return {
        name: float(value.value)
        for name, value in metadata.items()
        if isinstance(value.value, int | float) and not isinstance(value.value, bool)
    }
