"""Rebuild the catalog from a store: what `shelter rebuild` promises.

The store alone is asked, no portal and no host. What the catalog does not know is added,
what it knows from a later moment stays; a manifest, record or blob that is damaged or
missing is named, and costs nothing but itself. Manifests are taken in portions of bounded
size, each whole or not at all, so a rebuild that was killed is simply run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from shelter_pipeline.catalog.claims import know_store
from shelter_pipeline.catalog.restoring import (
    analyze_rebuilt,
    restore_copies,
    restore_files,
    unlisted_blobs,
)
from shelter_pipeline.catalog.restoring_datasets import restore_outcomes
from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.operations.restore_catalogue import CatalogueRestorer
from shelter_pipeline.operations.told_files import ToldManifest, files_of
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.manifest import FOLDER, parse_manifest
from shelter_pipeline.vault.scrub import scrub

if TYPE_CHECKING:
    from shelter_pipeline.vault.s3 import S3Store

Progress = Callable[[str, int], None]
Item = TypeVar("Item")
LINES_AT_ONCE = 5000
_BLOBS_AT_ONCE = 5000
_ANALYZE_FIRST_AFTER_LINES = 20_000
_MOST_NAMED = 1000  # in a report


def rebuild_catalog(
    workplace: Workplace,
    store: LocalStore | S3Store,
    *,
    verify: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Bring back what the store tells of: portals to datasets, files, captures, blobs and their copies in it.

    Bytes are not read, unless `verify` asks for a scrub first, of `threads` blobs at once. Returns `{store, manifests,
    damaged_manifests, captures, assets, blobs, copies, missing_blobs, unlisted_blobs,
    datasets, organizations, seconds}` and lists of what was `damaged`, `missing` and
    skipped (`problems`). Captures to organizations count what is new in the catalog.
    `progress` is told what is counted, and how many of it are done.
    """
    started = time.monotonic()
    run = _Rebuild(workplace, store, progress or (lambda _name, _done: None))
    verified_at = run.verify(threads) if verify else None
    know_store(workplace.catalog, store.name)
    run.restore_blobs(verified_at)
    run.restore_manifests()
    analyze_rebuilt(workplace.catalog)
    return run.report(time.monotonic() - started)


@dataclass(slots=True)
class _Counts:
    manifests: int = 0
    lines: int = 0
    captures: int = 0
    assets: int = 0
    blobs: int = 0
    copies: int = 0


@dataclass(slots=True)
class _Rebuild:
    """One rebuild: what is done, and what was found to be wrong."""

    workplace: Workplace
    store: LocalStore | S3Store
    progress: Progress
    counts: _Counts = field(default_factory=_Counts)
    damaged_manifests: list[str] = field(default_factory=list)
    damaged_blobs: list[str] = field(default_factory=list)
    missing: set[bytes] = field(default_factory=set)
    problems: list[dict[str, str]] = field(default_factory=list)
    catalogue: CatalogueRestorer = field(init=False)

    def __post_init__(self) -> None:
        self.catalogue = CatalogueRestorer(self.workplace.catalog, self.store, self._note)

    def verify(self, threads: int) -> datetime:
        """Read every blob again; what is damaged leaves the blobs. Returns since when the rest is verified."""
        began = datetime.now(UTC)
        self.damaged_blobs = scrub(self.store, threads=threads).quarantined
        return began

    def restore_blobs(self, verified_at: datetime | None) -> None:
        """Make every blob that stands in the store known, with its copy."""
        done = 0
        for portion in _portions(self.store.blobs(), _BLOBS_AT_ONCE):
            blobs, copies = restore_copies(
                self.workplace.catalog,
                self.store.name,
                [(blob.sha256, blob.size) for blob in portion],
                verified_at=verified_at,
            )
            self.counts.blobs += blobs
            self.counts.copies += copies
            done += len(portion)
            self.progress("blobs", done)

    def restore_manifests(self) -> None:
        """Take in every manifest; source records last, for they need their datasets."""
        analyze_after = _ANALYZE_FIRST_AFTER_LINES
        for group in self._groups():
            self._restore(group)
            self.progress("lines of manifests", self.counts.lines)
            if self.counts.lines >= analyze_after:
                # The planner must not go on thinking that the tables are as small as they were.
                analyze_rebuilt(self.workplace.catalog)
                analyze_after = 2 * self.counts.lines
        for name in self.catalogue.take_waiting():
            data = self.store.document(name)
            told = self._told(name, data) if data is not None else None
            if told is not None:
                self.missing.update(self.catalogue.restore_sources(told, last=True))

    def report(self, seconds: float) -> dict[str, Any]:
        """What was done and found."""
        missing = sorted(digest.hex() for digest in self.missing)
        return {
            "store": self.store.name,
            "manifests": self.counts.manifests,
            "damaged_manifests": len(self.damaged_manifests),
            "captures": self.counts.captures,
            "assets": self.counts.assets,
            "blobs": self.counts.blobs,
            "copies": self.counts.copies,
            "missing_blobs": len(missing),
            "unlisted_blobs": unlisted_blobs(self.workplace.catalog, self.store.name),
            "datasets": self.catalogue.datasets,
            "organizations": self.catalogue.organizations,
            "seconds": round(seconds, 3),
            "lines": self.counts.lines,
            "damaged": self.damaged_manifests + self.damaged_blobs,
            "missing": missing[:_MOST_NAMED],
            "problems": self.problems[:_MOST_NAMED],
        }

    def _groups(self) -> Iterator[list[ToldManifest]]:
        """Whole manifests, as many as make a portion; a manifest is never divided, for its lines explain each other."""
        group: list[ToldManifest] = []
        lines = 0
        for name, data in self.store.documents(FOLDER):
            told = self._told(name, data) if name.endswith(".jsonl") else None
            if told is None:
                continue
            self.counts.manifests += 1
            group.append(told)
            lines += told.lines
            if lines >= LINES_AT_ONCE:
                self.counts.lines += lines
                yield group
                group, lines = [], 0
        self.counts.lines += lines
        if group:
            yield group

    def _told(self, name: str, data: bytes) -> ToldManifest | None:
        try:
            told = ToldManifest.of(parse_manifest(name, data))
        except DamagedError:
            self.damaged_manifests.append(name)
            return None
        for problem in told.problems:
            self._note(name, problem)
        return told

    def _restore(self, group: list[ToldManifest]) -> None:
        resources = self.catalogue.restore(group)
        files = files_of(group, max_attempts=self.workplace.settings.asset_max_attempts)
        files.links = resources.links
        counts = restore_files(self.workplace.catalog, self.store.name, files)
        restore_outcomes(self.workplace.catalog, resources.looked_at)
        self.counts.assets += counts.assets
        self.counts.captures += counts.captures
        self.missing.update(bytes.fromhex(sha256) for sha256 in counts.missing)
        for told in group:
            self.missing.update(self.catalogue.restore_sources(told))

    def _note(self, where: str, problem: str) -> None:
        if len(self.problems) < _MOST_NAMED:
            self.problems.append({"where": where, "problem": problem})


def _portions(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    coming = iter(items)
    while portion := list(islice(coming, size)):
        yield portion
