"""What a process and the catalog tell each other about hosts, so that their limits hold over all processes.

A *slot* is the right to have one request to a host under way; it is a lease, and a host
has only as many as it may have connections. A *start* is a moment at which one request
may begin: moments of one host lie at least its delay apart, whoever is given them. Times
are seconds from the moment of the answer, for no two clocks are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
class StartWish:
    """One start at a host whose starts lie `gap_seconds` apart."""

    host: str
    gap_seconds: float


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
    starts: Sequence[StartWish] = ()


@dataclass(frozen=True, slots=True)
class Grants:
    """What was granted. A slot asked to be renewed and not among the `renewed` is somebody else's now."""

    renewed: frozenset[Slot] = frozenset()
    standings: Mapping[str, Standing] = field(default_factory=dict)
    slots: Sequence[Slot] = ()
    starts: Mapping[str, float] = field(default_factory=dict)  # seconds from now, negative if it is past


class Ledger(Protocol):
    """Where the limits of hosts are kept for all processes. Raises ShelterError when it cannot be asked."""

    lease_seconds: float

    def settle(self, wishes: Wishes) -> Grants:
        """Everything in a few statements; each is whole or did not happen."""
        ...

    def close(self) -> None:
        """Give back all that this process holds."""
        ...
