"""What a DCAT-US document says of itself: how many entries, of which publishers, in which edition.

A document that breaks off is surveyed as far as it goes; where it broke is part of the result.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import Json, OrganizationRecord, content_hash
from shelter_pipeline.portals.assembling import UNKNOWN_PUBLISHER, organization
from shelter_pipeline.portals.dcat_catalog import Entry, NoCatalogueError, publisher_name
from shelter_pipeline.portals.encoding import mend
from shelter_pipeline.portals.fields import Notes
from shelter_pipeline.portals.reading import named
from shelter_pipeline.portals.scanning import BrokenError, CutError

_HASH_BYTES = 8
_EDITION_DIGITS = 16


@dataclass(slots=True)
class Survey:
    """`edition` is equal for documents whose entries say the same; `failure` is why no more could be read."""

    entries: int = 0
    distinct: int = 0  # with what an unreadable entry may have swallowed
    owners: Counter[str] = field(default_factory=Counter)
    organizations: dict[str, OrganizationRecord] = field(default_factory=dict)
    edition: str = ""
    failure: ShelterError | None = None


def survey(entries: Iterable[Entry], url: str) -> Survey:
    """Count every entry once. Raises PermanentError if the document is no catalogue."""
    found = Survey()
    seen: set[bytes] = set()
    edition = hashlib.sha256()
    try:
        for entry in entries:
            found.entries += 1
            found.distinct += entry.records - 1
            digest = _digest(entry, found.entries)
            edition.update(digest)
            if digest[:_HASH_BYTES] not in seen:
                seen.add(digest[:_HASH_BYTES])
                _count(found, entry)
    except (CutError, BrokenError, NoCatalogueError, ShelterError) as error:
        found.failure = reading_error(error, url)
        if isinstance(error, NoCatalogueError):
            raise found.failure from error
    found.distinct += len(seen)
    found.edition = edition.hexdigest()[:_EDITION_DIGITS]
    return found


def reading_error(error: Exception, url: str) -> ShelterError:
    """Why a document cannot be read any further, as a sentence that names it."""
    if isinstance(error, CutError):
        return TransientError(f"{url} could not be read to its end: {error}", reason="wrong-length")
    if isinstance(error, NoCatalogueError):
        return PermanentError(
            f"{url} could not be read: it is no DCAT-US catalogue, {error}", reason="wrong-type"
        )
    if isinstance(error, ShelterError):
        return named(error, url)
    return PermanentError(f"{url} could not be read to its end: invalid JSON, {error}", reason="wrong-type")


def _count(found: Survey, entry: Entry) -> None:
    try:
        owner = publisher_of(mend(entry.raw)[0] if entry.undecoded else entry.raw, Notes())
    except RecursionError:
        owner = UNKNOWN_PUBLISHER
    found.owners[owner.slug] += 1
    found.organizations.setdefault(owner.slug, owner)


def _digest(entry: Entry, position: int) -> bytes:
    """The hash of what an entry says; one that cannot be read is like no other."""
    try:
        return content_hash([position, entry.problem, entry.shown] if entry.problem else entry.raw)
    except RecursionError:
        return content_hash([position])


def publisher_of(raw: Json, notes: Notes) -> OrganizationRecord:
    """The organization that an entry names as its publisher."""
    name = publisher_name(raw.get("publisher")) if isinstance(raw, dict) else None
    return organization(None, name, None, "publisher", notes)
