"""Ask servers what pending files weigh before they are fetched, and whether held ones changed, a few bytes each.

Thousands are asked at once, each host at its own pace. Files are taken for the length of a
lease that is renewed while they wait; results are kept as they come. A run that is killed
loses its last second, and what it had taken is anybody's again when the lease is over.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import find_portal, organization_id
from shelter_pipeline.catalog.probes import (
    DueAsset,
    Probed,
    record_probes,
    release_probes,
    renew_probes,
    take_probes,
)
from shelter_pipeline.discovery.classify import classify
from shelter_pipeline.discovery.probe import failed_probe, probe
from shelter_pipeline.domain.errors import CatalogAwayError, ShelterError
from shelter_pipeline.domain.probing import OK, Bounds, Look, Probe, after_probe
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.collecting import rarer_collections
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.runner import Runner
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings

Progress = Callable[[int], None]

# In hand at once: enough for many hosts to be asked beside one another, few enough for memory.
_IN_HAND = 4000
# A host is given no more of a run's time than others can bear to wait for.
_PER_HOST, _MOST_OF_ONE_HOST = 50, 2000
# After that nothing is taken: a host may want half a minute between two requests.
_LONGEST_SECONDS = 4 * 3600.0
_KEPT_AT_ONCE, _KEPT_AFTER_SECONDS = 1000, 2.0
_LOOK_SECONDS, _LINGER_SECONDS, _ASK_AGAIN_SECONDS = 0.25, 0.1, 0.5
_RENEWALS_PER_LEASE = 3
# The bars of a histogram of sizes: up to so many bytes.
_STEPS = (("up to 1 kB", 10**3), ("up to 1 MB", 10**6), ("up to 100 MB", 10**8), ("up to 10 GB", 10**10))
_LARGER, _UNKNOWN = "more", "unknown"
SIZE_CLASSES = (*(name for name, _ in _STEPS), _LARGER, _UNKNOWN)


def probe_url(url: str, *, settings: Settings) -> dict[str, Any]:
    """Probe one URL, with no catalog: every field of the probe."""
    door = Door.of(settings)
    with Politeness.of(settings) as politeness, closing(RobotsBook.of(settings, politeness)) as robots:
        no_kind = classify(url).asset_kind is None
        steps = probe(door.passage, door.limits, url, expects_page=no_kind, robots=robots)
        return asdict(door.drive(steps, turn=politeness.turn))


def probe_organization(
    workplace: Workplace,
    organization: str,
    *,
    limit: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Probe what is due of the organization of this slug; otherwise as `probe_assets`."""
    identity = organization_id(workplace.catalog, organization)
    return probe_assets(workplace, None, organization_id=identity, limit=limit, progress=progress)


def probe_assets(
    workplace: Workplace,
    slug: str | None,
    *,
    organization_id: int | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Probe what is due of the portal of this slug, or of an organization, up to `limit` files.

    Without a limit it is `SHELTER_PROBES_PER_RUN`. `progress` is told how many have been probed,
    each time some are kept. Returns `{probed, requests, by_reason, sizes, known_bytes,
    with_ranges, changed, gone, seconds}`: `sizes` counts the files that were seen by their size,
    `known_bytes` adds them up, `with_ranges` counts those of which a part may be asked for,
    `changed` and `gone` count files we hold that are to be fetched again.
    """
    portal_id = find_portal(workplace.catalog, slug).id if slug is not None else None
    most = workplace.settings.probes_per_run if limit is None else limit
    run = _Run(workplace, portal_id, organization_id, most, progress)
    if most:
        run.work()
    return run.report()


@dataclass(slots=True)
class _Tally:
    """What a run has found out so far."""

    probed: int = 0
    requests: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    known_bytes: int = 0
    with_ranges: int = 0
    changed: int = 0
    gone: int = 0

    def add(self, found: Probe, look: Look) -> None:
        """One more."""
        self.probed += 1
        self.requests += found.requests
        self.by_reason[found.reason] = self.by_reason.get(found.reason, 0) + 1
        self.changed += look.alarm == "changed"
        self.gone += look.alarm == "gone"
        if found.reason == OK:
            size = size_class(found.size)
            self.sizes[size] = self.sizes.get(size, 0) + 1
            self.known_bytes += found.size or 0
            self.with_ranges += bool(found.accepts_ranges)


def size_class(size: int | None) -> str:
    """The bar of the histogram that a size in bytes belongs to."""
    if size is None:
        return _UNKNOWN
    return next((name for name, most in _STEPS if size <= most), _LARGER)


@dataclass(slots=True)
class _Run:
    """What is in hand and what came of it."""

    workplace: Workplace
    portal_id: int | None
    organization_id: int | None
    limit: int
    progress: Progress | None
    tally: _Tally = field(default_factory=_Tally)
    _taken: Counter[str] = field(default_factory=Counter)  # by host, in all
    _under_way: Counter[str] = field(default_factory=Counter)  # by host, now
    _in_hand: dict[int, DueAsset] = field(default_factory=dict)  # taken and not yet kept
    _waiting: list[Probed] = field(default_factory=list)
    _kept_at: float = field(default_factory=time.monotonic)
    _renewed_at: float = field(default_factory=time.monotonic)
    _ask_at: float = 0.0
    _begun: float = field(default_factory=time.monotonic)
    _exhausted: bool = False

    def work(self) -> None:
        """Until nothing is due, or the limit is reached."""
        workplace, settings = self.workplace, self.workplace.settings
        with (
            rarer_collections(),
            Runner(
                workplace.politeness, connections=settings.fetch_connections, robots=workplace.robots
            ) as runner,
        ):
            try:
                while self._take(runner) or runner.pending:
                    for asset, value in runner.results(_LOOK_SECONDS, linger_seconds=_LINGER_SECONDS):
                        self._note(asset, value)
                    self._keep_in_time()
                self.workplace.patiently(self._keep)
            finally:
                runner.stop()
                self._give_back()

    def report(self) -> dict[str, Any]:
        """What came of it, and how long it took."""
        return {**asdict(self.tally), "seconds": round(time.monotonic() - self._begun, 3)}

    def _take(self, runner: Runner) -> bool:
        """More work, if less than half of what may be in hand is; whether more may come."""
        left = self.limit - self._taken.total()
        if self._exhausted or left <= 0 or time.monotonic() > self._begun + _LONGEST_SECONDS:
            return False
        if runner.pending and (runner.pending > _IN_HAND // 2 or time.monotonic() < self._ask_at):
            return True
        taken = self._ask(min(left, _IN_HAND - runner.pending))
        self._exhausted = not taken and not runner.pending  # before that, busy hosts may have more
        self._ask_at = time.monotonic() + _ASK_AGAIN_SECONDS
        self._taken.update(asset.host for asset in taken)
        self._under_way.update(asset.host for asset in taken)
        self._in_hand |= {asset.history.asset_id: asset for asset in taken}
        door, robots = self.workplace.door, self.workplace.robots
        for number, asset in enumerate(taken, 1):
            steps = probe(
                door.passage, door.limits, asset.url, expects_page=asset.kind is None, robots=robots
            )
            runner.submit(asset, parse_url(asset.url), steps, more=number < len(taken))
        return not self._exhausted

    def _ask(self, limit: int) -> list[DueAsset]:
        busy = [host for host, count in self._under_way.items() if count >= _PER_HOST // 2]
        busy += [host for host, count in self._taken.items() if count >= _MOST_OF_ONE_HOST]
        return self.workplace.patiently(
            take_probes,
            portal_id=self.portal_id,
            organization_id=self.organization_id,
            limit=limit,
            per_host=_PER_HOST,
            lease_seconds=self.workplace.settings.lease_seconds,
            busy_hosts=busy,
        )

    def _note(self, asset: DueAsset, value: Probe | ShelterError) -> None:
        found = failed_probe(asset.url, value) if isinstance(value, ShelterError) else value
        settings = self.workplace.settings
        bounds = Bounds(
            timedelta(hours=settings.probe_shortest_hours), timedelta(days=settings.probe_longest_days)
        )
        look = after_probe(asset.history, found, bounds)
        self._under_way[asset.host] -= 1
        self._waiting.append(Probed(asset, found, look))
        self.tally.add(found, look)

    def _keep_in_time(self) -> None:
        now = time.monotonic()
        if len(self._waiting) >= _KEPT_AT_ONCE or now > self._kept_at + _KEPT_AFTER_SECONDS:
            self.workplace.patiently(self._keep)
        lease = self.workplace.settings.lease_seconds
        if now > self._renewed_at + lease / _RENEWALS_PER_LEASE:
            self._renewed_at = now
            self.workplace.patiently(renew_probes, sorted(self._in_hand), lease_seconds=lease)

    def _keep(self, catalog: Catalog) -> None:
        self._kept_at = time.monotonic()
        if not self._waiting:
            return
        record_probes(catalog, self._waiting)
        for one in self._waiting:
            self._in_hand.pop(one.asset.history.asset_id, None)
        self._waiting = []
        if self.progress:
            self.progress(self.tally.probed)

    def _give_back(self) -> None:
        """Keep what is known and let others have the rest; where the catalog is away the leases run out."""
        with suppress(CatalogAwayError):
            self._keep(self.workplace.catalog)
            if self._in_hand:
                release_probes(self.workplace.catalog, sorted(self._in_hand))
