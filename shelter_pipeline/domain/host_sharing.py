"""What a process and the catalog tell each other about hosts, so that their limits hold over all processes.

A *slot* is the right to have one request to a host under way; it is a lease, and a host
has only as many as it may have connections. A *span* is a time of a host that is one
process's alone: requests may start in it, and each takes as much of it as has to lie
between two starts. Spans of a host never overlap, so starts lie that far apart whoever
makes them; the last span given can be made longer by its holder, without a break. Times
are seconds from the moment of the answer, for no two clocks are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shelter_pipeline.domain.politeness import HostManners, HostRules, Lesson

Slot = tuple[str, int]  # host and number, counted from one


@dataclass(frozen=True, slots=True)
class SlotWish:
    """So many more slots of a host, with numbers up to `limit`; `starving` if the process has none of them."""

    host: str
    count: int
    limit: int
    starving: bool


@dataclass(frozen=True, slots=True)
class SpanWish:
    """So many seconds of a host. The last span of the process, of this `mark`, is to go on for so long from now.

    If somebody else has been given the time after it, or without a mark, it is a new span,
    of which the process can only wait for the beginning; `only_longer` asks for no such thing.
    """

    host: str
    seconds: float
    mark: datetime | None = None
    only_longer: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A time of a host, in seconds from now; never before the one that the process was given last has begun.

    `mark` is its end by the ledger's clock; it is only ever given back.
    """

    begins: float
    ends: float
    mark: datetime


@dataclass(frozen=True, slots=True)
class Taught:
    """Lessons of one host since the last time; their `at` is seconds before now, so negative."""

    host: str
    rules: HostRules
    lessons: Sequence[Lesson]
    crawl_delay_seconds: float | None = None  # None: nothing new


@dataclass(frozen=True, slots=True)
class Standing:
    """A host as the catalog knows it. `manners.rest_until` is seconds from now; `wanted`: others wait for a slot."""

    manners: HostManners
    connections: int | None = None  # an operator's; None: the setting's
    delay_seconds: float | None = None
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """All that a process has to say and to ask at one time."""

    give_back: Sequence[Slot] = ()
    renew: Sequence[Slot] = ()
    taught: Sequence[Taught] = ()
    meet: Sequence[str] = ()
    slots: Sequence[SlotWish] = ()
    spans: Sequence[SpanWish] = ()


@dataclass(frozen=True, slots=True)
class Grants:
    """What was granted.

    A slot asked to be renewed and not among the `renewed` is somebody else's now; a span
    asked only to be made longer and not among the `spans` is followed by somebody else's.
    """

    renewed: frozenset[Slot] = frozenset()
    standings: Mapping[str, Standing] = field(default_factory=dict)
    slots: Sequence[Slot] = ()
    spans: Mapping[str, Span] = field(default_factory=dict)


class Ledger(Protocol):
    """Where the limits of hosts are kept for all processes. Raises ShelterError when it cannot be asked."""

    lease_seconds: float

    def settle(self, wishes: Wishes) -> Grants:
        """Everything in a few statements; each is whole or did not happen."""
        ...

    def close(self) -> None:
        """Give back all that this process holds."""
        ...
