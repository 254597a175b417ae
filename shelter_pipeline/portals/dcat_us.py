"""A plain DCAT-US document, an agency's /data.json, versions 1.0, 1.1 and 3.0.

The whole document is one request, bounded by `page_max_bytes`, and is handed on in pages
of a thousand. It is its own witness: what counts is that every entry in it comes out, as a
record or as a refusal. An identifier used twice loses nobody: a second dataset with another
title is kept under an identity made of both, and only a rival version of the first is refused.

https://resources.data.gov/resources/dcat-us/ and https://doi-do.github.io/dcat-us/
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import (
    DatasetRecord,
    Json,
    OrganizationRecord,
    Page,
    Refusal,
    ResourceRecord,
    Witness,
    canonical_json,
    content_hash,
    slugify,
)
from shelter_pipeline.portals.assembling import assemble, organization, usable_identifier, usable_title
from shelter_pipeline.portals.dcat import with_dcat_fields
from shelter_pipeline.portals.dcat_catalog import Entry, NoCatalogueError, entries, publisher_name
from shelter_pipeline.portals.distributions import stable_key, with_own_keys
from shelter_pipeline.portals.fields import Notes, text
from shelter_pipeline.portals.reading import PageReader

RECORDS_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class _Document:
    """A parsed document. `edition` is equal for documents that say the same."""

    entries: tuple[Entry, ...]
    undecoded: bool
    requests: int

    @property
    def edition(self) -> str:
        digest = hashlib.sha256()
        for entry in self.entries:
            digest.update(canonical_json(entry.raw))
        return digest.hexdigest()[:16]


class DcatUsPortal:
    """One catalogue document at its URL. It is read once and kept for the life of the portal."""

    kind = "dcat_us"

    def __init__(self, url: str, reader: PageReader) -> None:
        self.url = url
        self._reader = reader
        self._document: _Document | None = None

    def witness(self) -> Witness:
        """How many different entries the document has, and how many of them each publisher has."""
        distinct = {content_hash(entry.raw): entry for entry in self._read().entries}
        owners: Counter[str] = Counter()
        organizations: dict[str, OrganizationRecord] = {}
        for entry in distinct.values():
            one = _publisher(entry.raw, Notes())
            owners[one.slug] += 1
            organizations.setdefault(one.slug, one)
        return Witness(self.url, len(distinct), dict(owners), tuple(organizations.values()))

    def pages(self, cursor: str | None = None) -> Iterator[Page]:
        """The document's entries, a thousand at a time; a cursor of another edition starts over."""
        requests = self._document.requests if self._document else 0
        document = self._read()
        requests = document.requests - requests
        edition = document.edition if len(document.entries) > RECORDS_A_PAGE else ""
        done = _start(cursor, edition)
        records = _records(document)
        # Walked even where resumed: whether an identifier comes twice depends on what came before.
        for _ in islice(records, done):
            pass
        while True:
            page = tuple(islice(records, RECORDS_A_PAGE))
            done += len(page)
            last = done >= len(document.entries) or not page
            yield Page(page, None if last else f"{edition}:{done}", requests)
            if last:
                return
            requests = 0

    def _read(self) -> _Document:
        if self._document is None:
            answer = self._reader.json(self.url)
            try:
                found = tuple(entries(answer.value))
            except NoCatalogueError as error:
                raise PermanentError(
                    f"{self.url} could not be read: it is no DCAT-US catalogue, {error}", reason="wrong-type"
                ) from error
            self._document = _Document(found, answer.undecoded, answer.requests)
        return self._document


def _start(cursor: str | None, edition: str) -> int:
    read_edition, _, done = (cursor or "").partition(":")
    return int(done) if edition and read_edition == edition and done.isdecimal() else 0


def _records(document: _Document) -> Iterator[DatasetRecord | Refusal]:
    seen: dict[str, tuple[str, bytes]] = {}
    for position, entry in enumerate(document.entries):
        build = partial(dcat_us_record, kind=entry.kind, collection=entry.collection)
        record = assemble(build, entry.raw, position, undecoded=document.undecoded)
        yield _told_apart(record, seen, position) if isinstance(record, DatasetRecord) else record


def _told_apart(
    record: DatasetRecord, seen: dict[str, tuple[str, bytes]], position: int
) -> DatasetRecord | Refusal:
    """The record under an identity of its own, or a refusal if another version of it was kept.

    An exact repetition passes as it is: whoever merges records by identity loses nothing by it.
    """
    title, record_hash = seen.setdefault(record.identifier, (record.title, record.record_hash))
    if record_hash == record.record_hash:
        return record
    if title != record.title:
        own = f"{record.identifier}#{slugify(record.title)}"
        note = Notes(record.notes)
        note.add("identifier", "used by another dataset too: its title tells it apart", record.identifier)
        if seen.setdefault(own, (record.title, record.record_hash))[1] == record.record_hash:
            return replace(record, identifier=own, notes=note.taken())
    return Refusal(
        position,
        "identifier",
        "used twice for one title; the version that stands first is kept",
        record.identifier,
        record.raw[:500].decode("utf-8", "ignore"),
    )


def dcat_us_record(
    raw: dict[str, Json], notes: Notes, kind: str = "dataset", collection: str | None = None
) -> DatasetRecord:
    """One entry as a record. Raises UnusableError naming the field that makes it impossible."""
    identifier = usable_identifier(raw.get("identifier") or raw.get("@id"), "identifier", notes)
    title = usable_title(raw.get("title"), notes, identifier)
    record = DatasetRecord(
        identifier=identifier,
        slug=slugify(title),
        title=title,
        organization=_publisher(raw, notes),
        raw=canonical_json(raw),
        record_hash=content_hash(raw),
        kind=kind,
        collection=collection,
    )
    record = with_dcat_fields(record, raw, notes)
    if kind == "service":
        record = replace(record, resources=_endpoints(raw, notes) + record.resources)
    return replace(record, resources=with_own_keys(list(record.resources)), notes=notes.taken())


def _publisher(raw: Json, notes: Notes) -> OrganizationRecord:
    name = publisher_name(raw.get("publisher")) if isinstance(raw, dict) else None
    return organization(None, name, None, "publisher", notes)


def _endpoints(raw: dict[str, Json], notes: Notes) -> tuple[ResourceRecord, ...]:
    """The addresses of a service: none of them is a file."""
    value = raw.get("endpointURL")
    urls = (text(item, "endpointURL", notes) for item in (value if isinstance(value, list) else [value]))
    return tuple(ResourceRecord(stable_key(None, url, None, None), 0, url, "access") for url in urls if url)
