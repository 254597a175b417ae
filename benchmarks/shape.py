"""The plan of a generated catalogue: who owns a position, how many links it has, when it was last read.

The proportions are data.gov's: 120 organizations of which one holds more than half, and
links that come in lumps.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# How many datasets each organization of data.gov had in April 2026; some have none.
_DATAGOV_COUNTS = (
    *(284008, 84850, 46457, 34827, 19579, 6699, 4137, 4029, 3273, 3227, 3065, 2136, 1962, 1799, 1780, 1548),
    *(1425, 1340, 1222, 1210, 1162, 1103, 1081, 1072, 1059, 1004, 710, 691, 638, 599, 531, 504, 484, 418),
    *(416, 380, 378, 343, 325, 296, 295, 275, 248, 233, 229, 220, 206, 200, 168, 167, 167, 140, 136, 134),
    *(117, 108, 106, 105, 102, 95, 92, 85, 84, 76, 59, 58, 57, 54, 48, 42, 41, 40, 39, 39, 38, 36, 31, 31),
    *(28, 25, 23, 23, 20, 19, 11, 11, 10, 9, 9, 7, 7, 6, 4, 3, 3, 2, 1, 1, 1, 1, 1, 1, *(0,) * 18),
)
_ORGANIZATION_KINDS = ("Federal Government", "State Government", "City Government", "University")
# Links of a dataset come in lumps: shares of the mean, over seven datasets in a row.
_LUMPS = (0.27, 0.53, 0.53, 0.8, 1.06, 1.59, 2.22)
FRESH_RECORDS = 5000  # what the portal harvested within its last day: the size of an increment
_NEWEST = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
_OLDEST = datetime(2025, 11, 20, 5, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Organization:
    """One publisher, and the stretch of positions that is its own."""

    slug: str
    name: str
    kind: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Size:
    """How large a catalogue is."""

    datasets: int
    resources: int


class Shape:
    """The plan of a catalogue: who owns a position, how many links it has, when it was last read."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.organizations = _organizations(size.datasets)
        self._starts = [one.first for one in self.organizations]
        self._lumps = [sum(_LUMPS[:at]) for at in range(len(_LUMPS) + 1)]
        # A day's worth is at most half of a small catalogue.
        self._apart = timedelta(days=1) / max(1, min(FRESH_RECORDS, size.datasets // 2))

    def organization(self, position: int) -> Organization:
        """The publisher of the dataset at a position."""
        return self.organizations[bisect_right(self._starts, position) - 1]

    def links(self, position: int) -> int:
        """How many links the dataset at a position has; over all positions they come to `size.resources`."""
        return self._links_before(position + 1) - self._links_before(position)

    def read_at(self, position: int) -> datetime:
        """When the portal last read the record from its source; later for an earlier position."""
        return _NEWEST - position * self._apart

    def changed_at(self, position: int) -> datetime:
        """When a CKAN package was changed; later for a later position, so that ids and dates have one order."""
        return _OLDEST + position * self._apart

    def changed_before(self, moment: datetime) -> int:
        """How many CKAN packages, from the first, were changed before a moment."""
        return max(0, -((_OLDEST - moment) // self._apart))

    def _links_before(self, position: int) -> int:
        rounds, rest = divmod(position, len(_LUMPS))
        share = rounds * self._lumps[-1] + self._lumps[rest]
        whole_rounds, whole_rest = divmod(self.size.datasets, len(_LUMPS))
        whole = whole_rounds * self._lumps[-1] + self._lumps[whole_rest]
        return round(self.size.resources * share / whole)


def _organizations(datasets: int) -> list[Organization]:
    total = sum(_DATAGOV_COUNTS)
    found, before = [], 0
    for number, count in enumerate(_DATAGOV_COUNTS):
        first, last = before * datasets // total, (before + count) * datasets // total
        slug, kind = f"agency-{number:03d}-gov", _ORGANIZATION_KINDS[number % len(_ORGANIZATION_KINDS)]
        found.append(
            Organization(slug, f"Agency {number:03d} of the Interior and Coast", kind, first, last - first)
        )
        before += count
    # Of several that begin at one position the last is the one that has it.
    return sorted(found, key=lambda one: (one.first, one.count))
