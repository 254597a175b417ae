"""The three partitions: portals, organizations, batches. Keys are only ever added, in the catalog's order.

A range of partitions is resolved by the order of insertion, and deleting a key breaks
runs that are under way, so nothing here deletes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import dagster as dg

portals = dg.DynamicPartitionsDefinition(name="portal")
organizations = dg.DynamicPartitionsDefinition(name="organization")
batches = dg.DynamicPartitionsDefinition(name="batch")


def add_missing(
    instance: dg.DagsterInstance, partitions: dg.DynamicPartitionsDefinition, keys: Sequence[str]
) -> list[str]:
    """Make every key a partition; returns those that were new."""
    name = str(partitions.name)
    known = set(instance.get_dynamic_partitions(name))
    missing = [key for key in keys if key not in known]
    if missing:
        instance.add_dynamic_partitions(name, missing)
    return missing


def in_partition_order(
    instance: dg.DagsterInstance, partitions: dg.DynamicPartitionsDefinition, keys: Sequence[str]
) -> list[str]:
    """Every partition, in the order in which Dagster resolves ranges; missing `keys` are added first."""
    add_missing(instance, partitions, keys)
    return list(instance.get_dynamic_partitions(str(partitions.name)))


def contiguous_ranges(ordered: Sequence[str], wanted: Iterable[str]) -> Iterator[tuple[str, str]]:
    """First and last key of each unbroken run of `wanted` in `ordered`: what one range run can cover."""
    chosen = set(wanted)
    places = [place for place, key in enumerate(ordered) if key in chosen]
    if not places:
        return
    start = places[0]
    for place, following in pairwise([*places, len(ordered) + 1]):
        if following != place + 1:
            yield ordered[start], ordered[place]
            start = following
