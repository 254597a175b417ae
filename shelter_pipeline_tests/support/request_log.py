"""What a server's log says of those who asked it: how many at once, how far apart, what twice.

The server's word is what counts: it neither knows nor cares how many processes of ours there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from shelter_pipeline_tests.support.wide_web import CATALOGUE, Asked


@dataclass(frozen=True, slots=True)
class Manners:
    """How hosts were treated by all who asked them together."""

    hosts: int
    requests: int
    most_at_once: int
    gaps: tuple[float, ...]  # seconds between the beginnings of two requests to one host, shortest first
    twice: dict[str, int]  # files sent in full more than once, and how often
    unfinished: int  # requests whose asker went away
    clients: dict[str, int]
    seconds: float

    @property
    def least_gap_seconds(self) -> float:
        """The shortest time between the beginnings of two requests to one host."""
        return self.gaps[0] if self.gaps else float("inf")

    def share_of_gaps_below(self, seconds: float) -> float:
        """How many of the gaps are shorter, of all; what a busy machine does to a few of them is no rule broken."""
        return sum(gap < seconds for gap in self.gaps) / max(len(self.gaps), 1)

    @property
    def per_second(self) -> float:
        """Requests a second between the first and the last."""
        return self.requests / self.seconds if self.seconds else float("inf")


def manners(asked: Iterable[Asked]) -> Manners:
    """Judge the requests for files and robots.txt; the catalogue itself is no file. Raises ValueError without any."""
    log = sorted((one for one in asked if one.path != CATALOGUE), key=lambda one: (one.host, one.began))
    if not log:
        raise ValueError("nothing was asked")
    by_host = [list(group) for _, group in groupby(log, key=lambda one: one.host)]
    files = Counter(
        f"{one.host}{one.path}"
        for one in log
        if one.method == "GET" and one.status == 200 and one.path.endswith(".csv")
    )
    return Manners(
        hosts=len(by_host),
        requests=len(log),
        most_at_once=max(map(most_at_once, by_host)),
        gaps=tuple(sorted(gap for group in by_host for gap in gaps(group))),
        twice={name: count for name, count in files.items() if count > 1},
        unfinished=sum(one.status == 0 for one in log),
        clients=dict(Counter(one.client for one in log)),
        seconds=max(one.ended for one in log) - min(one.began for one in log),
    )


def most_at_once(log: Sequence[Asked]) -> int:
    """The most requests that were open at any instant; one that ends as another begins does not count beside it."""
    changes = sorted([(one.ended, -1) for one in log] + [(one.began, 1) for one in log])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def gaps(log: Sequence[Asked]) -> list[float]:
    """The times between the beginnings of one request and the next, in seconds."""
    begun = sorted(one.began for one in log)
    return [later - earlier for earlier, later in pairwise(begun)]
