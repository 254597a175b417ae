"""Work handed out to nodes: from lanes that take turns, as much as a node can carry and its hosts can bear.

A round over some lanes is a transaction, and mostly the first gives enough. What is locked in
it is locked in one order (the node, lanes, queue entries, files, places at hosts, batches),
and what others hold is passed over: allocations wait for one another only where there is
just one lane, or for the moment in which another takes a place at the same host.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, quick_rows
from shelter_pipeline.catalog.work_queue import QueueRules
from shelter_pipeline.domain.allotment import Offer, Wishes, choose, lanes_for
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline.domain.host_sharing import Standing
from shelter_pipeline.domain.politeness import HostManners
from shelter_pipeline.domain.robots import RobotsPolicy

_ROUNDS = 3
_WIDER = 4  # so many times more lanes are looked at in each round than in the one before
_SPARE_OFFERS = 3  # in each lane beyond its share: some will not fit, or not be wanted any more
_LOWEST_PLACE, _HIGHEST_PLACE = -(2**31), 2**31 - 1  # of files in our own store

# Whether the robots.txt of this text keeps us from this URL.
Forbids = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class AllocationRules:
    """What an operator has set for every allocation."""

    queue: QueueRules
    lease_seconds: float
    node_max_claims: int
    new_node_max_claims: int
    host_connections: int
    robots: RobotsPolicy


@dataclass(frozen=True, slots=True)
class ClaimedForNode:
    """A file that one node alone may settle under this token, until its lease ends."""

    token: int
    asset_id: int
    purpose: str
    lease_until: datetime
    url: str
    host: str
    format: str | None
    media_type: str | None
    checksum: str | None
    expected_size: int | None
    sha256: str | None  # of what is to be copied; None for what is to be fetched
    size_bytes: int | None
    priority: int
    dataset_id: int | None
    dataset_title: str | None
    organization: str | None
    accepted: Sequence[str]
    rejected: Sequence[str]


@dataclass(frozen=True, slots=True)
class Allotted:
    """A claim, what its file is thought to weigh, and how the host stands that it is to be fetched from."""

    claim: ClaimedForNode
    estimated_bytes: int
    standing: Standing


def allocate(
    catalog: Catalog, node_id: int, holder: str, wishes: Wishes, rules: AllocationRules, forbids: Forbids
) -> list[Allotted]:
    """Claim for this node what is most in need and fits; nothing for a blocked node, or one with all it may have.

    At each host there is something to fetch from, a place is taken, unless the node has one.
    """
    given: list[Allotted] = []
    barren: set[int] = set()
    for number in range(_ROUNDS):
        left = replace(
            wishes,
            limit=wishes.limit - len(given),
            free_bytes=wishes.most_bytes - sum(one.estimated_bytes for one in given),
        )
        if left.limit <= 0 or left.most_bytes <= 0:
            break
        try:
            found = None
            for waits in (False, True)[: 2 - min(number, 1)]:
                # To wait is a transaction of its own: a lane that was locked, and found shut since, stays locked.
                with catalog.begin() as connection:
                    one = _Round(connection, node_id, holder, left, rules, forbids)
                    found = one.run(number, barren, said=wishes, waits=waits)
                if not one.found_nothing_open:
                    break
        except CatalogAwayError:
            if not given:
                raise
            break  # what was claimed before is the node's
        if found is None:
            break
        given += found
    return given


class _Round:
    """One round of an allocation, within its transaction. Each looks at more lanes than the one before."""

    def __init__(
        self,
        connection: Connection,
        node_id: int,
        holder: str,
        wishes: Wishes,
        rules: AllocationRules,
        forbids: Forbids,
    ) -> None:
        self._connection = connection
        self._wishes = wishes
        self._rules = rules
        self._forbids = forbids
        self.found_nothing_open = False  # lanes may be taken by others for the moment
        self._facts: dict[str, Any] = {
            "node_id": node_id,
            "holder": holder,
            "connections": rules.host_connections,
            **rules.queue.parameters,
        }

    def run(self, number: int, barren: set[int], *, said: Wishes, waits: bool) -> list[Allotted] | None:
        """What this round gives; None if there is nothing left to look at. Fills `barren`: lanes not worth a look.

        With `waits` the lane whose turn it is is waited for, whoever is being served from it.
        """
        most = self._allowance(said)
        limit, room = min(most, self._wishes.limit), self._wishes.most_bytes
        if limit <= 0:
            return None
        if waits:
            self._execute("await_lane", **self._bounds())
        wider, lanes = _WIDER**number, lanes_for(limit)
        offers = (-(-limit // lanes) + _SPARE_OFFERS) * wider
        rows = self._open_lanes(lanes * wider, offers, barren, first=number == 0)
        if not rows:
            self.found_nothing_open = True
            return None
        limit = min(limit, most - rows[0]["claims"])
        if limit <= 0:
            return None
        given = self._hand_out(rows, limit, room)
        barren |= _barren(rows, {one.claim.asset_id for one in given}, offers, first=number == 0)
        return given

    def _execute(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        return quick_rows(self._connection, name, parameters)

    def _allowance(self, said: Wishes) -> int:
        """How many files the node may have claimed. What it says of itself is kept."""
        admitted = self._execute(
            "admit_node",
            node_id=self._facts["node_id"],
            free_bytes=said.free_bytes,
            bandwidth_mbps=said.bandwidth_mbps,
            uptime_hours=said.uptime_hours,
            max_claims=self._rules.node_max_claims,
            new_max_claims=self._rules.new_node_max_claims,
        )
        return int(admitted[0]["most"]) if admitted else 0

    def _open_lanes(self, count: int, offers: int, barren: set[int], *, first: bool) -> list[dict[str, Any]]:
        """Lanes nobody is being served from, and what lies in them."""
        parameters = (
            self._facts
            | self._bounds()
            | {
                "robots": self._rules.robots,
                "barren": list(barren),
                "lanes": count,
                "offers": offers,
                # Once from a place of the node's own, and if that gave nothing from the beginning.
                "begin": random.randint(_LOWEST_PLACE, _HIGHEST_PLACE) if first else _HIGHEST_PLACE,
            }
        )
        return self._allowed(self._execute("open_lanes", **parameters))

    def _bounds(self) -> dict[str, Any]:
        return {
            "most_bytes": self._wishes.most_bytes,
            "from_store": [purpose == "copy" for purpose in self._wishes.purposes],
        }

    def _allowed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows; what the robots.txt of its host forbids, as far as it is known, is not wanted."""
        ruled = [row for row in rows if row["has_rules"] and row["url"]]
        if ruled:
            origins = {_origin(row["url"]): row["host"] for row in ruled}
            known = self._execute("read_robots", origins=list(origins), hosts=list(origins.values()))
            bodies = {row["origin"]: row["body"] for row in known if row["state"] == "rules"}
            for row in ruled:
                body = bodies.get(_origin(row["url"]))
                row["wanted"] &= not (body and self._forbids(body, row["url"]))
        return rows

    def _hand_out(self, rows: Sequence[Mapping[str, Any]], limit: int, room: int) -> list[Allotted]:
        lanes = {row["id"]: row for row in rows}
        files = {row["asset_id"]: row for row in rows if row["asset_id"] is not None}
        done = [number for number, row in files.items() if not row["wanted"]]
        offers = [
            Offer(number, row["id"], row["file_need"], row["bytes"])
            for number, row in files.items()
            if row["wanted"] and not row["mine"]
        ]
        chosen = choose(offers, limit=limit, most_bytes=room)
        claimed = {row["asset_id"]: ClaimedForNode(**row) for row in self._claim(chosen, files, lanes, done)}
        planned = [number for number in claimed if files[number]["planned"]]
        if planned:
            self._execute("leave_planned", asset_ids=planned)
        return [
            Allotted(claimed[offer.asset_id], offer.bytes, _standing(lanes[offer.lane_id]))
            for offer in chosen
            if offer.asset_id in claimed
        ]

    def _claim(
        self,
        chosen: Sequence[Offer],
        files: Mapping[int, Mapping[str, Any]],
        lanes: Mapping[int, Any],
        done: Sequence[int],
    ) -> list[dict[str, Any]]:
        return self._execute(
            "hand_out",
            **self._facts,
            asset_ids=[offer.asset_id for offer in chosen],
            asset_lanes=[offer.lane_id for offer in chosen],
            others=[files[offer.asset_id]["another"] for offer in chosen],
            lane_ids=list(lanes),
            done=list(done),
            lease_seconds=self._rules.lease_seconds,
        )


def _barren(rows: Sequence[Mapping[str, Any]], given: set[int], offers: int, *, first: bool) -> set[int]:
    """Lanes of which all was seen, and in which there is nothing for this node.

    Those of our own store are not seen from their beginning at first.
    """
    seen = Counter(row["id"] for row in rows if row["host"] is not None or not first)
    moved = {row["id"] for row in rows if row["asset_id"] in given or row["wanted"] is False}
    return {lane for lane, count in seen.items() if count < offers} - moved


def _standing(row: Mapping[str, Any]) -> Standing:
    """How the host of a lane stands; our own store asks for no manners."""
    manners = HostManners(
        connections=row["learned_connections"],
        delay_seconds=row["learned_delay_seconds"] or 0.0,
        latency_seconds=row["latency_seconds"],
        crawl_delay_seconds=row["crawl_delay_seconds"],
    )
    return Standing(manners, row["connections"], row["delay_seconds"])


def _origin(url: str) -> str:
    """`scheme://host` of a URL in normal form, which always has a path."""
    return url[: url.index("/", url.index("://") + 3)]
