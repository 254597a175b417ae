"""One record for every portal: a dataset, its organization, its resources, and the portal's own record.

Drivers of the `portals` room turn a catalogue's words into these values and invent
nothing: what cannot be read is None with a note, what cannot be kept at all is a
Refusal that names the field.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

Json = Any

_NOT_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    """Who publishes. `slug` is the portal's own short name, or one made from the name."""

    slug: str
    name: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """One resource (DCAT: distribution) as its dataset lists it; `url` stands as written."""

    key: str  # stable within its dataset across harvests
    position: int
    url: str | None
    role: str = "download"  # download | access | landing
    name: str | None = None
    description: str | None = None
    format: str | None = None
    media_type: str | None = None
    size: int | None = None  # bytes, as the catalogue claims
    checksum: str | None = None  # "algorithm:hex", as the catalogue claims


@dataclass(frozen=True, slots=True)
class Note:
    """What a driver could not read as it stands: the field, and what was wrong with it."""

    field: str
    problem: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """One dataset (CKAN: package) as a portal shows it now."""

    identifier: str  # the portal's stable id: the identity of a dataset across harvests
    slug: str
    title: str
    organization: OrganizationRecord
    raw: bytes  # the portal's own record, canonical JSON
    record_hash: bytes  # SHA-256 of what counts as content in it
    description: str | None = None
    publisher: str | None = None
    keywords: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    popularity: int | None = None
    issued: datetime | None = None
    modified: datetime | None = None
    license: str | None = None
    access_level: str | None = None
    spatial: str | None = None
    temporal: str | None = None
    landing_page: str | None = None
    collection: str | None = None  # identifier of the collection this is a part of
    kind: str = "dataset"  # dataset | series | service | collection
    resources: tuple[ResourceRecord, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that cannot be kept: where it stood, which field is at fault, and why."""

    position: int
    field: str
    problem: str
    identifier: str | None = None
    raw: str = ""  # the beginning of the record, for the person who looks into it


@dataclass(frozen=True, slots=True)
class Page:
    """What one request for records brought. `cursor` resumes after this page; None ends the harvest."""

    records: tuple[DatasetRecord | Refusal, ...]
    cursor: str | None
    requests: int = 1
    # The latest date of change that the portal itself gives any record of this page.
    changed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of a portal's own list of identities, and which answer gave it."""

    source: str
    identifiers: tuple[str, ...]
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Witness:
    """What a portal says of itself, to be checked against what it shows."""

    source: str  # which answer said so
    total: int | None
    by_organization: dict[str, int] = field(default_factory=dict)
    organizations: tuple[OrganizationRecord, ...] = ()
    requests: int = 1


def canonical_json(value: Json) -> bytes:
    """The same bytes for the same JSON value: sorted keys, no spaces, UTF-8, lone surrogates escaped."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except (UnicodeEncodeError, OverflowError):
        # Half a surrogate pair, or an integer beyond 64 bits: rare, and slow.
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def content_hash(value: Json) -> bytes:
    """SHA-256 of the canonical form: equal for records that say the same."""
    return hashlib.sha256(canonical_json(value)).digest()


def slugify(text: str, *, limit: int = 100) -> str:
    """`text` as `[a-z0-9-]+`, for partition keys and paths; "unnamed" when nothing is left.

    >>> slugify("U.S. Environmental Protection Agency")
    'u-s-environmental-protection-agency'
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NOT_SLUG.sub("-", ascii_text).strip("-")[:limit].strip("-") or "unnamed"
