"""A plain DCAT-US document, an agency's /data.json, versions 1.0, 1.1 and 3.0.

The whole document is one request, bounded by `page_max_bytes` and kept on disk while it is
read, entry by entry, in little memory. It is its own witness: what counts is that every entry
in it comes out, as a record or as a refusal. An identifier used twice loses nobody: a second
dataset with another title is kept under an identity made of both, and only a rival version of
the first is refused.

https://resources.data.gov/resources/dcat-us/ and https://doi-do.github.io/dcat-us/
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice

from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.records import (
    DatasetRecord,
    Json,
    Listing,
    Page,
    Refusal,
    ResourceRecord,
    Witness,
    canonical_json,
    content_hash,
    slugify,
)
from shelter_pipeline.portals.assembling import RECORD, assemble, usable_identifier, usable_title
from shelter_pipeline.portals.dcat import with_dcat_fields
from shelter_pipeline.portals.dcat_catalog import Entry, NoCatalogueError
from shelter_pipeline.portals.dcat_entries import TOO_DEEP, Entries
from shelter_pipeline.portals.dcat_survey import Survey, publisher_of, reading_error, survey
from shelter_pipeline.portals.distributions import stable_key, with_own_keys
from shelter_pipeline.portals.document import fetch_document
from shelter_pipeline.portals.fields import Notes, text
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline.portals.scanning import BrokenError, CutError

RECORDS_A_PAGE = 1000
PAGE_BYTES = 8 * 1024 * 1024  # a page of larger records ends sooner
_RECORD_MAX_BYTES = 64 * 1024 * 1024
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Read:
    """A document that was fetched and looked through."""

    entries: Entries
    survey: Survey


class DcatUsPortal:
    """One catalogue document at its URL. It is fetched once and kept on disk for the life of the portal."""

    kind = "dcat_us"
    reads_changes = False

    def __init__(self, url: str, reader: PageReader, *, record_max_bytes: int = _RECORD_MAX_BYTES) -> None:
        self.url = url
        self._reader = reader
        self._record_max_bytes = record_max_bytes
        self._document: _Read | None = None
        self._uncounted_requests = 0

    def witnesses(self) -> tuple[Witness, ...]:
        """How many different entries the document has, and how many of them each publisher has.

        Of a document that breaks off the total is None. Raises ShelterError if nothing of it can be read.
        """
        found = self._read().survey
        if found.failure and not found.entries:
            raise found.failure
        total = None if found.failure else found.distinct
        organizations = tuple(found.organizations.values())
        return (Witness(self.url, total, dict(found.owners), organizations, self._requests()),)

    def pages(self, cursor: str | None = None, *, since: datetime | None = None) -> Iterator[Page]:
        """The document's entries, a thousand at a time; a cursor of another edition starts over.

        A document says nothing of changes, so `since` leaves nothing out. Of one that breaks
        off, what stands before the break is given; then TransientError `wrong-length` if it
        is cut, PermanentError with the byte offset if it is no JSON from there on.
        """
        del since
        document = self._read()
        edition, total = document.survey.edition, document.survey.entries
        done = _start(cursor, edition)
        records = _records(document.entries, self.url)
        # Walked even where resumed: whether an identifier comes twice depends on what came before.
        for _ in islice(records, done):
            pass
        whole = document.survey.failure is None
        while True:
            page = _next_page(records, total - done)
            done += len(page)
            last = whole and (done >= total or not page)
            if page or last:
                yield Page(page, None if last else f"{edition}:{done}", self._requests())
            if last:
                return

    def identities(self) -> Iterator[Listing]:
        """Nothing: there is no list of identities apart from the document."""
        return iter(())

    def look_up(self, identifier: str) -> Page | None:
        """Raises PermanentError always."""
        raise PermanentError(f"{self.url} is one document: it cannot be asked for {identifier!r} by name")

    def source_record_url(self, raw: dict[str, Json]) -> None:
        """None: the document holds its publisher's own records."""
        del raw

    def _read(self) -> _Read:
        if self._document is None:
            fetched = fetch_document(self._reader, self.url)
            self._uncounted_requests += fetched.requests
            entries = Entries(fetched, self._record_max_bytes)
            self._document = _Read(entries, survey(entries, self.url))
        return self._document

    def _requests(self) -> int:
        """The requests made since the last call."""
        made, self._uncounted_requests = self._uncounted_requests, 0
        return made


def _start(cursor: str | None, edition: str) -> int:
    read_edition, _, done = (cursor or "").partition(":")
    return int(done) if read_edition == edition and done.isdecimal() else 0


def _next_page(records: Iterator[DatasetRecord | Refusal], left: int) -> tuple[DatasetRecord | Refusal, ...]:
    """The next of `left` records, as many as one page may hold; where none is left, what ends `records` shows."""
    page: list[DatasetRecord | Refusal] = []
    size = 0
    for record in islice(records, min(RECORDS_A_PAGE, left) or None):
        page.append(record)
        size += len(record.raw)
        if size >= PAGE_BYTES:
            break
    return tuple(page)


def _records(entries: Iterable[Entry], url: str) -> Iterator[DatasetRecord | Refusal]:
    seen: dict[bytes, bytes] = {}
    try:
        for position, entry in enumerate(entries):
            record = _assembled(entry, position)
            yield _told_apart(record, seen, position) if isinstance(record, DatasetRecord) else record
    except (CutError, BrokenError, NoCatalogueError, ShelterError) as error:
        raise reading_error(error, url) from error


def _assembled(entry: Entry, position: int) -> DatasetRecord | Refusal:
    if entry.problem:
        return Refusal(position, RECORD, entry.problem, entry.identifier, entry.shown)
    build = partial(dcat_us_record, kind=entry.kind, collection=entry.collection)
    try:
        return assemble(build, entry.raw, position, undecoded=entry.undecoded)
    except RecursionError:  # where the refusal itself would show the record
        return Refusal(position, RECORD, TOO_DEEP)


def _told_apart(record: DatasetRecord, seen: dict[bytes, bytes], position: int) -> DatasetRecord | Refusal:
    """The record under an identity of its own, or a refusal if another version of it was kept.

    An exact repetition passes as it is: whoever merges records by identity loses nothing by it.
    `seen` has digests of identities, each with those of the title and of the record that it stands for.
    """
    title, version = _short(record.title), record.record_hash[:_DIGEST_BYTES]
    first = seen.setdefault(_short(record.identifier), title + version)
    if first.endswith(version):
        return record
    if not first.startswith(title):
        own = f"{record.identifier}#{slugify(record.title)}"
        note = Notes(record.notes)
        note.add("identifier", "used by another dataset too: its title tells it apart", record.identifier)
        if seen.setdefault(_short(own), title + version).endswith(version):
            return replace(record, identifier=own, notes=note.taken())
    return Refusal(
        position,
        "identifier",
        "used twice for one title; the version that stands first is kept",
        record.identifier,
        record.raw[:500].decode("utf-8", "ignore"),
    )


def _short(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()[:_DIGEST_BYTES]


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
        organization=publisher_of(raw, notes),
        raw=canonical_json(raw),
        record_hash=content_hash(raw),
        kind=kind,
        collection=collection,
    )
    record = with_dcat_fields(record, raw, notes)
    if kind == "service":
        record = replace(record, resources=_endpoints(raw, notes) + record.resources)
    return replace(record, resources=with_own_keys(list(record.resources)), notes=notes.taken())


def _endpoints(raw: dict[str, Json], notes: Notes) -> tuple[ResourceRecord, ...]:
    """The addresses of a service: none of them is a file."""
    value = raw.get("endpointURL")
    urls = (text(item, "endpointURL", notes) for item in (value if isinstance(value, list) else [value]))
    return tuple(ResourceRecord(stable_key(None, url, None, None), 0, url, "access") for url in urls if url)
