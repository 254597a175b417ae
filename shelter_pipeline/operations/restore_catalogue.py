"""The catalogue side of a rebuild: portals, organizations, datasets, batches and source records from manifests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.catalog.restoring import RestoredLink
from shelter_pipeline.catalog.restoring_datasets import (
    KnownDataset,
    RestoredBatch,
    RestoredDataset,
    RestoredSource,
    ToldResource,
    known_datasets,
    restore_batches,
    restore_datasets,
    restore_organizations,
    restore_portal,
    restore_sources,
    restore_unlisted,
)
from shelter_pipeline.domain.errors import DamagedError, SetupError
from shelter_pipeline.domain.records import DatasetRecord, OrganizationRecord
from shelter_pipeline.operations.told_files import ToldManifest, address
from shelter_pipeline.portals.kept_records import read_kept_record
from shelter_pipeline.portals.registry import parse_portal
from shelter_pipeline.vault.manifest_lines import (
    BatchLine,
    DatasetLine,
    OrganizationFacts,
    PortalFacts,
    SourceLine,
    record_name,
)
from shelter_pipeline.vault.store import BlobStore

_READERS = 8  # a store may be far away
_RECORDS_READ_AT_ONCE = 64
_RECORDS_AT_ONCE = 500
_MOST_BYTES = 16 * 1024**2
_Place = tuple[str, str]  # kind and URL of a portal


@dataclass(slots=True)
class ToldResources:
    """Resources of known datasets: the links to files, those not listed any more, and what discovery made of them."""

    links: list[RestoredLink] = field(default_factory=list)
    unlisted: list[ToldResource] = field(default_factory=list)
    looked_at: list[ToldResource] = field(default_factory=list)

    def take(self, line: DatasetLine, known: KnownDataset | None) -> None:
        """What one line says; of a record that was replaced since then only the links count."""
        if known is None:
            return
        for resource in line.resources:
            for link in resource.assets:
                self.links.append(
                    RestoredLink(known.id, resource.key, address(link.url), link.via, link.path, link.why)
                )
            if known.changed_at == line.changed_at:
                self.looked_at.append((known.id, resource))
                if resource.unlisted is not None:
                    self.unlisted.append((known.id, resource))


@dataclass(slots=True)
class CatalogueRestorer:
    """Restores what manifests say of catalogues. `note` is told of what cannot be used: where, and why."""

    catalog: Catalog
    store: BlobStore
    note: Callable[[str, str], None]
    datasets: int = 0
    organizations: int = 0
    _portals: dict[_Place, PortalRow] = field(default_factory=dict)
    _waiting: dict[str, None] = field(default_factory=dict)  # manifests whose datasets were not known yet

    def restore(self, group: Sequence[ToldManifest]) -> ToldResources:
        """Everything but files; returns the resources of datasets that are known now, for when the files are."""
        found = ToldResources()
        for place, portal in self._portals_of(group).items():
            lines = [line for told in group for line in told.datasets if _place(line.portal) == place]
            batches = [
                (told, told.batch) for told in group if told.batch and _place(told.batch.portal) == place
            ]
            ids = self._organizations(portal, lines, [batch for _, batch in batches])
            restore_batches(self.catalog, ids, [_batch(told.batch_key, batch) for told, batch in batches])
            known = self._restore_datasets(portal, ids, lines)
            for line in lines:
                found.take(line, known.get(line.identifier))
        if found.unlisted:
            restore_unlisted(self.catalog, found.unlisted)
        return found

    def restore_sources(self, told: ToldManifest, *, last: bool = False) -> Iterator[bytes]:
        """Make publishers' own records known again; yields the digests of those that the store does not hold.

        A dataset that is not known yet is waited for, unless this is the `last` time.
        """
        for url in sorted({line.portal for line in told.sources}):
            lines = [line for line in told.sources if line.portal == url]
            portal = next((row for row in self._portals.values() if row.url == url), None)
            wanted = [line.identifier for line in lines]
            known = known_datasets(self.catalog, portal.id, wanted) if portal else {}
            found: list[RestoredSource] = []
            for line in lines:
                if portal is None or line.identifier not in known:
                    self._wait(told.name, line, last=last)
                elif self.store.size_of(line.sha256) is None:
                    yield bytes.fromhex(line.sha256)
                elif source := self._source(told.name, portal, known[line.identifier].id, line):
                    found.append(source)
            restore_sources(self.catalog, found, store=self.store.name)

    def _wait(self, name: str, line: SourceLine, *, last: bool) -> None:
        if last:
            self.note(name, f"no manifest tells of the dataset {line.identifier!r}")
        else:
            self._waiting[name] = None

    def take_waiting(self) -> list[str]:
        """The manifests with source records whose datasets were not known when they were read."""
        waiting, self._waiting = list(self._waiting), {}
        return waiting

    def _portals_of(self, group: Sequence[ToldManifest]) -> dict[_Place, PortalRow]:
        told = {
            _place(line.portal): (line.portal, manifest.name)
            for manifest in group
            for line in (*manifest.datasets, *((manifest.batch,) if manifest.batch else ()))
        }
        return {
            place: row
            for place, (facts, name) in told.items()
            if (row := self._portal(facts, name)) is not None
        }

    def _portal(self, facts: PortalFacts, name: str) -> PortalRow | None:
        place = _place(facts)
        if place not in self._portals:
            try:
                kind, url = parse_portal(f"{facts.kind}:{facts.url}")
            except SetupError as error:
                self.note(name, str(error))
                return None
            self._portals[place] = restore_portal(
                self.catalog,
                kind,
                url,
                slug=facts.slug,
                nightly=facts.nightly,
                delay_seconds=facts.delay_seconds,
            )
        return self._portals[place]

    def _organizations(
        self, portal: PortalRow, lines: Sequence[DatasetLine], batches: Sequence[BatchLine]
    ) -> dict[str, int]:
        told = [line.organization for line in lines] + [line.organization for line in batches]
        wanted = {facts.key: _organization(facts) for facts in told}
        ids, new = restore_organizations(self.catalog, portal, wanted)
        self.organizations += new
        return ids

    def _restore_datasets(
        self, portal: PortalRow, organizations: dict[str, int], lines: Sequence[DatasetLine]
    ) -> dict[str, KnownDataset]:
        newest: dict[str, DatasetLine] = {}
        for line in lines:
            if line.identifier not in newest or line.changed_at > newest[line.identifier].changed_at:
                newest[line.identifier] = line
        known = known_datasets(self.catalog, portal.id, list(newest))
        wanted = [
            line
            for identifier, line in newest.items()
            if identifier not in known or line.changed_at > known[identifier].changed_at
        ]
        for portion in self._portions(wanted):
            self.datasets += restore_datasets(self.catalog, portal.id, organizations, portion)
        return known_datasets(self.catalog, portal.id, list(newest)) if wanted else known

    def _portions(self, lines: Sequence[DatasetLine]) -> Iterator[list[RestoredDataset]]:
        """The records of these lines, so many at a time that they fit into memory."""
        portion: list[RestoredDataset] = []
        size = 0
        with ThreadPoolExecutor(_READERS, "records") as pool:
            for start in range(0, len(lines), _RECORDS_READ_AT_ONCE):
                for one in pool.map(self._dataset, lines[start : start + _RECORDS_READ_AT_ONCE]):
                    if one is not None:
                        portion.append(one)
                        size += len(one.record.raw)
                if len(portion) >= _RECORDS_AT_ONCE or size >= _MOST_BYTES:
                    yield portion
                    portion, size = [], 0
        if portion:
            yield portion

    def _dataset(self, line: DatasetLine) -> RestoredDataset | None:
        try:
            record = self._record(line.record, line.portal.kind, line.kind, line.collection)
        except DamagedError as error:
            self.note(record_name(line.record), str(error))
            return None
        own = replace(
            record,
            identifier=line.identifier,
            organization=_organization(line.organization),
            popularity=line.popularity if line.popularity is not None else record.popularity,
        )
        return RestoredDataset(own, line.first_seen_at, line.changed_at)

    def _record(
        self, sha256: str, portal_kind: str, kind: str = "dataset", collection: str | None = None
    ) -> DatasetRecord:
        """The kept record of this digest. Raises DamagedError if it is missing or not what it was."""
        data = self.store.document(record_name(sha256))
        if data is None:
            raise DamagedError("the record is missing")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DamagedError("the record is not the one that was written")
        return read_kept_record(portal_kind, data, kind=kind, collection=collection)

    def _source(
        self, name: str, portal: PortalRow, dataset_id: int, line: SourceLine
    ) -> RestoredSource | None:
        try:
            record = self._record(line.record, portal.kind)
        except DamagedError as error:
            self.note(
                record_name(line.record), f"{error}, so a source record that {name} tells of is unknown"
            )
            return None
        return RestoredSource(
            dataset_id, record.record_hash, line.url, line.sha256, line.media_type, line.asked_at
        )


def _place(portal: PortalFacts) -> _Place:
    return portal.kind, portal.url


def _organization(facts: OrganizationFacts) -> OrganizationRecord:
    return OrganizationRecord(facts.slug, facts.name, facts.kind)


def _batch(key: str, line: BatchLine) -> RestoredBatch:
    return RestoredBatch(
        key,
        line.organization.slug,
        line.host,
        line.number,
        line.attempt,
        line.files,
        line.bytes,
        line.planned_at,
    )
