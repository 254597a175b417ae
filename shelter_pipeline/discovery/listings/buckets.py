"""Listings of object stores: S3 (`ListBucketResult`, versions 1 and 2), Google's in the same form, Azure's.

Keys become URLs below the bucket's own, prefixes that stand for many keys become
directories, and a listing that was cut at its thousandth key leads to its rest. Sizes are
exact, but they are the store's word and not a promise that is held against a file. An
`ETag` is left alone: it is an MD5 of some objects only (not of those uploaded in parts or
encrypted with a customer's key), and nothing in a listing tells which.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode, urlsplit

from shelter_pipeline.discovery.leads import Lead, Reading, To, What
from shelter_pipeline.discovery.listings.entries import Entry, survey_of
from shelter_pipeline.discovery.listings.measures import exact_size, moment_in
from shelter_pipeline.discovery.listings.place import PLAIN_PATH, Place, climbs
from shelter_pipeline.discovery.listings.xml_stream import Document, Step, events_in, readable
from shelter_pipeline.domain.urls import MAX_URL_LENGTH

ROOTS = frozenset({"ListBucketResult", "EnumerationResults"})
_OBJECTS = frozenset({"Contents", "Blob"})
_PREFIXES = frozenset({"CommonPrefixes", "BlobPrefix"})
# The same thing by the names of S3 and of Azure.
_KEYS = ("Key", "Name")
_SIZES = ("Size", "Content-Length")
_DATES = ("LastModified", "Last-Modified")
_TIERS = ("StorageClass", "AccessTier")
_COLD = frozenset({"GLACIER", "DEEP_ARCHIVE", "Archive"})
_ENCODED = re.compile(rb"<EncodingType>\s{0,20}url\s{0,20}</EncodingType>")
# Where a listing goes on, in requests to the stores: version 2, version 1, Azure.
_CONTINUATIONS = frozenset({"continuation-token", "start-after", "marker"})


@dataclass(slots=True)
class _Bucket:
    """One listing of a bucket. What the store says of the whole is known when all was read."""

    place: Place
    document: Document
    root: str = field(init=False)
    query: list[tuple[str, str]] = field(init=False)
    prefix: str = field(init=False)  # what was asked for: every key begins with it
    is_encoded: bool = field(init=False)
    said: dict[str, str] = field(default_factory=dict)
    last_key: str = ""
    passed_over: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        parts = urlsplit(self.place.page.text)
        self.root = f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/')}/"
        self.query = parse_qsl(parts.query, keep_blank_values=True)
        self.prefix = dict(self.query).get("prefix", "")
        # Some stores say so behind the keys. In a key itself the brackets would be escaped.
        self.is_encoded = _ENCODED.search(self.document.body) is not None

    def entries(self) -> Iterator[Entry]:
        """An entry for each object, and for each prefix that stands for many."""
        found: dict[str, str] | None = None
        for step, name, text, _ in events_in(self.document):
            if step is Step.BREAK:
                self.passed_over[f"the listing breaks off: {text}"] = 1
            elif step is Step.BEGIN:
                if name in _OBJECTS or name in _PREFIXES:
                    found = {}
            elif name in _OBJECTS:
                if (entry := self._object(found or {})) is not None:
                    yield entry
                found = None
            elif name in _PREFIXES:
                if (entry := self._directory(found or {})) is not None:
                    yield entry
                found = None
            elif found is not None:
                found.setdefault(name, text)
            else:
                self.said[name] = text

    def _decoded(self, text: str) -> str:
        return unquote_plus(text, errors="surrogateescape") if self.is_encoded else text

    def _object(self, found: dict[str, str]) -> Entry | None:
        key = self._decoded(_first(found, _KEYS))
        self.last_key = max(self.last_key, key)
        size = exact_size(_first(found, _SIZES))
        if key.endswith("/") and not size:
            return None  # what consoles make so that an empty folder can be shown
        if not key.startswith(self.prefix):
            self.passed_over["not below the prefix that was asked for"] += 1
            return None
        name = self._name(key)
        if not name:
            self.passed_over["no name of a file"] += 1
            return None
        if _first(found, _TIERS) in _COLD:
            self.passed_over["in cold storage, which has to be asked to bring it back"] += 1
        modified = self.place.dated(moment_in(_first(found, _DATES)))
        return Entry(self.root + name, name, is_directory=False, size=size, modified=modified)

    def _directory(self, found: dict[str, str]) -> Entry | None:
        prefix = self._decoded(_first(found, ("Prefix", "Name")))
        self.last_key = max(self.last_key, prefix)
        if not prefix.startswith(self.prefix) or prefix == self.prefix:
            self.passed_over["not below the prefix that was asked for"] += 1
            return None
        name = self._name(prefix)
        if not name:
            self.passed_over["no name of a directory"] += 1
            return None
        return Entry(self._asking(prefix=prefix), name, is_directory=True)

    def _name(self, key: str) -> str:
        """The path of a key below the bucket; empty for one that no request can name."""
        # A prefix is asked for with its slashes encoded, beside what else is asked.
        room = MAX_URL_LENGTH - len(self.place.page.text) - 2 * key.count("/")
        if PLAIN_PATH.match(key):
            return key if len(key) <= room else ""
        name = quote(key, safe="/~!*'()", errors="surrogateescape")
        fits = len(name) <= room and "\N{REPLACEMENT CHARACTER}" not in key and not climbs(name)
        return name if fits else ""

    def _asking(self, **changed: str) -> str:
        """The bucket asked again, from the start of what is changed."""
        kept = [
            (name, value) for name, value in self.query if name not in changed and name not in _CONTINUATIONS
        ]
        address, _, _ = self.place.page.text.partition("?")
        return f"{address}?{urlencode([*kept, *changed.items()], quote_via=quote, errors='surrogateescape')}"

    def rest(self) -> Lead | None:
        """Where the listing goes on, if it was cut; None too if it would go on where it was already."""
        cut = self.said.get("IsTruncated", "").strip()
        marker = self._decoded(self.said.get("NextMarker", ""))
        if cut != "true" and (cut or not marker):
            return None
        if token := self.said.get("NextContinuationToken"):
            name, value = "continuation-token", token
        else:
            # Version 1 names its marker only where keys are grouped; else it is the last key.
            name, value = "marker", marker or self.last_key
        before = dict(self.query).get(name, "")
        url = self._asking(**{name: value})
        # Markers of S3 are keys in their order; tokens, and the markers of Azure, mean nothing to us.
        on = value > before if cut and name == "marker" else value != before
        if not on or len(url) > MAX_URL_LENGTH:
            self.passed_over["the listing is cut, and does not say where it goes on"] = 1
            return None
        return Lead(url, To.MORE, "listing")


def read_bucket(body: bytes, place: Place) -> Reading:
    """What the listing of a bucket lists. `body` is a document with one of `ROOTS`."""
    bucket = _Bucket(place, readable(body))
    survey = survey_of(bucket.entries, bucket.passed_over)
    rest = bucket.rest()
    leads = chain(survey.leads(), [rest] if rest is not None else [])
    return Reading(What.LISTING, leads, digest=survey.digest, notes=survey.notes)


def _first(found: dict[str, str], names: Iterable[str]) -> str:
    return next((found[name] for name in names if name in found), "")
