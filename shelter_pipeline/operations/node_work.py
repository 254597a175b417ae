"""What nodes are given to do: handed out by need and turn, kept by heartbeats, taken back when they fall silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from posixpath import basename
from urllib.parse import unquote, urlsplit

from shelter_pipeline.catalog import allocations, claims, work_queue
from shelter_pipeline.catalog.allocations import AllocationRules, Allotted
from shelter_pipeline.catalog.batches import expire_claims
from shelter_pipeline.catalog.idempotency import forget_old_keys
from shelter_pipeline.catalog.nodes import NodeRow
from shelter_pipeline.catalog.work_queue import QueueRules
from shelter_pipeline.domain.allotment import Wishes
from shelter_pipeline.domain.node_protocol import MOST_ALLOCATED
from shelter_pipeline.domain.politeness import (
    HostRules,
    connections_at_once,
    delay_between_starts,
)
from shelter_pipeline.fetching.politeness import is_opened
from shelter_pipeline.fetching.robots import Robots, parse_robots
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings

__all__ = [
    "Allocation",
    "Beat",
    "Wishes",
    "allocate_work",
    "beat",
    "housekeep",
    "queue_again",
    "refresh_queue",
    "release_work",
]

_MOST_NAME = 200
_HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Allocation:
    """One file for one node: what it is, how to get it, and the lease under which it is the node's alone.

    `purpose` is `fetch`, from `url`, or `copy`, from our own store, of what has this `sha256`.
    `delay_seconds` lie between two requests of this node to the host: so many times longer
    than the host's delay as there may be holders, so that all together obey it.
    """

    asset_id: int
    url: str
    size_bytes: int | None
    estimated_bytes: int
    priority: int
    name: str
    purpose: str
    token: int
    lease_until: datetime
    lease_seconds: float
    sha256: str | None
    checksum: str | None
    expected_size: int | None
    format: str | None
    media_type: str | None
    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    host: str
    connections: int
    delay_seconds: float
    dataset_id: int | None
    dataset_title: str | None
    organization: str | None


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat found: the tokens whose leases were renewed, and those that are not the node's any more."""

    renewed: set[int]
    lost: set[int]


def allocate_work(workplace: Workplace, node: NodeRow, wishes: Wishes) -> list[Allocation]:
    """Hand out what is most in need and fits the wishes, as many files as the node may have.

    Nothing for a blocked node. A node that is new, of which nothing has been proved, may
    have fewer; one that still has to send many files fetches no more until it has.
    Work to fetch comes before work to copy, and organizations take turns.
    """
    settings = workplace.settings
    limit = min(wishes.limit, MOST_ALLOCATED)
    purposes = wishes.purposes
    if "fetch" in purposes and _owes_too_much(workplace, node, limit):
        purposes = tuple(purpose for purpose in purposes if purpose != "fetch")
    if limit < 1 or not purposes:
        return []
    bounded = Wishes(
        wishes.free_bytes,
        limit,
        wishes.bandwidth_mbps,
        wishes.uptime_hours,
        purposes,
    )

    def forbids(body: str, url: str) -> bool:
        return _rules_in(body, settings.user_agent).against(_target(url)) is not None

    given = allocations.allocate(
        workplace.catalog, node.id, node.holder, bounded, _rules_of(settings), forbids
    )
    return [_allocation(one, settings) for one in given]


def beat(
    workplace: Workplace,
    node: NodeRow,
    tokens: Sequence[int],
    begun: Sequence[int] = (),
) -> Beat:
    """The node lives: renew the leases of its claims, and note those it has begun with.

    Tokens that are not renewed are lost: their leases ran out, they lasted for longer than
    SHELTER_NODE_CLAIM_HOURS and their files' sizes allow, or they never were its own.
    """
    renewed = claims.renew_node_claims(
        workplace.catalog,
        node.id,
        node.holder,
        tokens,
        begun=begun,
        lease_seconds=workplace.settings.lease_seconds,
        longest_seconds=workplace.settings.node_claim_hours * _HOUR_SECONDS,
    )
    return Beat(renewed, set(tokens) - renewed)


def release_work(
    workplace: Workplace,
    node: NodeRow,
    *,
    asset_ids: Sequence[int] | None = None,
    token: int | None = None,
) -> int:
    """Give back what the node holds of these assets, or all; with `token` only under that lease. Returns how many.

    Counts as no failure, and others may have it at once.
    """
    released = claims.release_node_claims(
        workplace.catalog, node.id, node.holder, asset_ids=asset_ids, token=token
    )
    queue_again(workplace, released)
    return len(released)


def queue_again(workplace: Workplace, asset_ids: Sequence[int]) -> int:
    """Put these files where they belong in the queue if nodes may help with them; returns how many entries changed."""
    return work_queue.queue_assets(workplace.catalog, asset_ids, _queue_rules(workplace.settings))


def refresh_queue(workplace: Workplace) -> int:
    """Bring the whole queue up to date, as after scoring; returns how many entries were written."""
    return work_queue.rebuild_queue(workplace.catalog, _queue_rules(workplace.settings))


def housekeep(workplace: Workplace) -> dict[str, int]:
    """End leases that ran out, queue what has become due, forget old requests.

    Returns `{expired_claims, queued, freed_places, closed_lanes, forgotten_requests}`. Any number of
    processes may call it every few seconds.
    """
    catalog, settings = workplace.catalog, workplace.settings
    rules = _queue_rules(settings)
    expired = expire_claims(catalog, max_asset_attempts=settings.asset_max_attempts)
    freed = claims.give_node_slots_back(catalog, sorted({one.holder for one in expired}))
    queued = work_queue.queue_assets(catalog, [one.asset_id for one in expired], rules)
    return {
        "expired_claims": len(expired),
        "queued": queued + work_queue.look_after_queue(catalog, rules),
        "freed_places": freed,
        "closed_lanes": work_queue.close_lanes(catalog, settings.host_connections),
        "forgotten_requests": forget_old_keys(catalog),
    }


def _owes_too_much(workplace: Workplace, node: NodeRow, limit: int) -> bool:
    """Whether a node has to send files before it fetches more: what it may not owe us is fetched for nothing."""
    uploads, fetches = claims.owed_by_node(workplace.catalog, node.id)
    most = workplace.settings.node_open_uploads
    return (
        workplace.settings.node_uploads and uploads > 0 and uploads + fetches + min(limit, most // 2) > most
    )


def _queue_rules(settings: Settings) -> QueueRules:
    return QueueRules(settings.wanted_copies, settings.independent_fetches)


def _rules_of(settings: Settings) -> AllocationRules:
    return AllocationRules(
        _queue_rules(settings),
        settings.lease_seconds,
        settings.node_max_claims,
        settings.new_node_max_claims,
        settings.host_connections,
        settings.robots,
    )


def _host_rules(
    host: str, settings: Settings, *, connections: int | None = None, exact: float | None = None
) -> HostRules:
    opened = is_opened(host, settings.allowed_networks)
    return HostRules(
        connections=connections or settings.host_connections,
        delay_seconds=0.0 if opened else settings.host_delay_seconds,
        exact_delay_seconds=exact,
        minds_latency=not opened,
    )


def _allocation(given: Allotted, settings: Settings) -> Allocation:
    claim, standing = given.claim, given.standing
    rules = _host_rules(claim.host, settings, connections=standing.connections, exact=standing.delay_seconds)
    holders = connections_at_once(standing.manners, rules)
    fetches = claim.purpose == "fetch"
    return Allocation(
        asset_id=claim.asset_id,
        url=claim.url,
        size_bytes=claim.size_bytes,
        estimated_bytes=given.estimated_bytes,
        priority=claim.priority,
        name=_name(claim.url),
        purpose=claim.purpose,
        token=claim.token,
        lease_until=claim.lease_until,
        lease_seconds=settings.lease_seconds,
        sha256=claim.sha256,
        checksum=claim.checksum,
        expected_size=claim.expected_size,
        format=claim.format,
        media_type=claim.media_type,
        accepted=tuple(claim.accepted),
        rejected=tuple(claim.rejected),
        host=claim.host,
        connections=1,
        delay_seconds=delay_between_starts(standing.manners, rules) * holders if fetches else 0.0,
        dataset_id=claim.dataset_id,
        dataset_title=claim.dataset_title,
        organization=claim.organization,
    )


def _name(url: str) -> str:
    """What people would call the file: the last part of its path, or its host."""
    parts = urlsplit(url)
    name = unquote(basename(parts.path.rstrip("/"))) or parts.hostname or url
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)[:_MOST_NAME]


def _target(url: str) -> str:
    """Path and query of a URL in normal form, as robots.txt speaks of them."""
    return url[url.index("/", url.index("://") + 3) :]


@lru_cache(maxsize=1024)
def _rules_in(body: str, agent: str) -> Robots:
    return parse_robots(body, agent)
