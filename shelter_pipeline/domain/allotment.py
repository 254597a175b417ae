"""Which of the waiting files one node is given: what is most in need first, and only what it can carry.

Pure arithmetic over values; which files wait, and whether they may be taken, is the catalog's to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

UNKNOWN_BYTES = 10 * 1024**2  # what a file of unknown size counts as
LANES_A_FILE = 4  # files that are taken from one place before another one has its turn
_BITS, _SECONDS = 8, 3600


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a node can carry and wants to do. Bandwidth and uptime bound the work only together."""

    free_bytes: int
    limit: int = 20
    bandwidth_mbps: float | None = None  # millions of bits a second
    uptime_hours: float | None = None
    purposes: Sequence[str] = ("fetch", "copy")

    @property
    def most_bytes(self) -> int:
        """The most that fits into the free space, and through the line in the given time."""
        if self.bandwidth_mbps is None or self.uptime_hours is None:
            return max(self.free_bytes, 0)
        carried = self.bandwidth_mbps * 1e6 / _BITS * self.uptime_hours * _SECONDS
        return max(min(self.free_bytes, int(min(carried, 2.0**62))), 0)


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that may be taken: where it waits, how much it is in need, and what it is thought to weigh."""

    asset_id: int
    lane_id: int
    need: int
    bytes: int


def lanes_for(limit: int) -> int:
    """From how many places at once so many files are taken, so that a node has several hosts to ask.

    >>> lanes_for(1), lanes_for(10), lanes_for(100)
    (1, 3, 25)
    """
    return -(-limit // LANES_A_FILE)


def choose(offers: Iterable[Offer], *, limit: int, most_bytes: int) -> list[Offer]:
    """At most `limit` files of at most `most_bytes` together, those first that are most in need.

    Of files in equal need the lanes give one each in turn, in the order in which they come;
    a file that does not fit is passed over, and those after it are not.
    """
    chosen: list[Offer] = []
    left = most_bytes
    for offer in _in_turns(offers):
        if len(chosen) == limit:
            break
        if offer.bytes <= left:
            chosen.append(offer)
            left -= offer.bytes
    return chosen


def _in_turns(offers: Iterable[Offer]) -> Iterable[Offer]:
    by_need: dict[int, dict[int, list[Offer]]] = defaultdict(lambda: defaultdict(list))
    for offer in offers:
        by_need[offer.need][offer.lane_id].append(offer)
    for need in sorted(by_need, reverse=True):
        for turn in zip_longest(*by_need[need].values()):
            yield from (offer for offer in turn if offer is not None)
