"""Cutting work into batches: a pure function of the assets and the limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from shelter_pipeline.catalog.batches import PlannableAsset, PlannedBatch
from shelter_pipeline.domain.records import slugify

# A file of unknown size counts as this many bytes: the order of magnitude of the mean file of data.gov.
UNKNOWN_SIZE = 10 * 1024**2


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How big a batch may be, and below how many files a host shares one."""

    max_files: int
    max_bytes: int
    min_files: int


def plan_batches(assets: Sequence[PlannableAsset], limits: BatchLimits) -> list[PlannedBatch]:
    """Batches that hold every asset exactly once, best scores first.

    Hosts with fewer than `min_files` share mixed batches, each host one of them at most;
    a batch of one host names it; a file larger than `max_bytes` is alone in its batch.
    """
    by_host = {
        host: sorted(group, key=lambda asset: (-asset.score, asset.id))
        for host, group in groupby(sorted(assets, key=lambda asset: asset.host), key=lambda asset: asset.host)
    }
    small = {host for host, group in by_host.items() if len(group) < limits.min_files}
    chunks = list(_pack([by_host[host] for host in small], limits))
    for host, group in by_host.items():
        if host not in small:
            chunks += _cut(group, limits)
    return sorted(map(_batch, chunks), key=lambda batch: (-batch.score, batch.asset_ids))


def _weight(asset: PlannableAsset) -> int:
    return UNKNOWN_SIZE if asset.size is None else asset.size


def _cut(assets: Sequence[PlannableAsset], limits: BatchLimits) -> Iterator[list[PlannableAsset]]:
    chunk: list[PlannableAsset] = []
    held = 0
    for asset in assets:
        weight = _weight(asset)
        if weight > limits.max_bytes:
            yield [asset]
            continue
        if chunk and (len(chunk) >= limits.max_files or held + weight > limits.max_bytes):
            yield chunk
            chunk, held = [], 0
        chunk.append(asset)
        held += weight
    if chunk:
        yield chunk


def _pack(groups: Sequence[list[PlannableAsset]], limits: BatchLimits) -> Iterator[list[PlannableAsset]]:
    """Hosts together, in order of their best score; of a host that is more than a batch, only the rest."""
    chunk: list[PlannableAsset] = []
    for group in sorted(groups, key=lambda group: (-group[0].score, group[0].host)):
        *whole, rest = _cut(group, limits)
        yield from whole
        together = chunk + rest
        if chunk and (len(together) > limits.max_files or sum(map(_weight, together)) > limits.max_bytes):
            yield chunk
            together = rest
        chunk = together
    if chunk:
        yield chunk


def _batch(assets: Sequence[PlannableAsset]) -> PlannedBatch:
    hosts = {asset.host for asset in assets}
    host = hosts.pop() if len(hosts) == 1 else None
    return PlannedBatch(
        host=host,
        host_slug="mixed" if host is None else slugify(host, limit=60),
        asset_ids=tuple(asset.id for asset in assets),
        bytes=sum(asset.size or 0 for asset in assets),
        score=sum(asset.score for asset in assets) / len(assets),
    )
