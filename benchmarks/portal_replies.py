"""What the generated portals answer: data.gov's API, CKAN's Action API, one DCAT-US document.

Every answer is a list of pieces, and a piece is bytes or a stretch of a file: no page is
ever put together in memory, so that the server stays out of what is measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import msgspec

from benchmarks.editions import Edition
from benchmarks.pages import cursor_after, identity, position_after, slug, slug_position

_SITEMAP_SIZE = 5000
_WINDOW = re.compile(r"metadata_modified:\s*[\[{]\s*(\S+)\s+TO\s+(\S+?)\s*[\]}]")
_CATALOG = b'{"conformsTo":"https://project-open-data.cio.gov/v1.1/schema","@type":"dcat:Catalog","dataset":['
Query = Mapping[str, str]


class Stretch(NamedTuple):
    """A part of an edition's file, to be sent from there."""

    edition: Edition
    offset: int
    length: int


Pieces = list[bytes | Stretch]


def records(edition: Edition, first: int, last: int, *, changed: bool) -> bytes | Stretch:
    """The records from `first` to before `last`, commas between."""
    if changed or last <= first:
        return edition.read(first, last, changed=changed)
    return Stretch(edition, *edition.stretch(first, last))


class DatagovReplies:
    """catalog.data.gov as it has been since April 2026. ValueError for what is asked wrongly."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._shape = edition.shape

    def answer(self, path: str, query: Query, *, base: str, changed: bool) -> Pieces | None:
        """The reply's body; None where there is nothing."""
        if path == "/search":
            return self._search(query, changed=changed)
        if path == "/api/organizations":
            return [self._organizations()]
        if path == "/api/stats":
            return [msgspec.json.encode({"results": {"datasets": self._shape.size.datasets}})]
        if path.startswith("/api/dataset/"):
            return self._one(path.removeprefix("/api/dataset/"), changed=changed)
        if path.startswith("/sitemap"):
            return self._sitemap(path, base)
        return None

    def _search(self, query: Query, *, changed: bool) -> Pieces:
        owners = {one.slug: one for one in self._shape.organizations}
        first, end = 0, self._shape.size.datasets
        if "org_slug" in query:
            owner = owners.get(query["org_slug"])
            first, end = (owner.first, owner.first + owner.count) if owner else (0, 0)
        if query.get("after"):
            first = position_after(query["after"])
        last = min(end, first + min(1000, int(query.get("per_page", "10"))))
        after = b',"after":"' + cursor_after(last - 1).encode() + b'"' if last < end else b""
        # Newest first is the order of the file, and so is every other.
        order = "last_harvested_date" if query.get("sort") == "last_harvested_date" else "relevance"
        tail = b'],"sort":"' + order.encode() + b'"' + after + b"}"
        return [b'{"results":[', records(self._edition, first, last, changed=changed), tail]

    def _organizations(self) -> bytes:
        items = [
            {
                "aliases": [""],
                "dataset_count": one.count,
                "id": identity(one.first),
                "name": one.name,
                "organization_type": one.kind,
                "slug": one.slug,
                "source_count": 1,
            }
            for one in self._shape.organizations
        ]
        return msgspec.json.encode({"organizations": items, "total": len(items)})

    def _one(self, name: str, *, changed: bool) -> Pieces | None:
        position = slug_position(name)
        if not 0 <= position < self._shape.size.datasets:
            return None
        found = records(self._edition, position, position + 1, changed=changed)
        return [b'{"results":[', found, b'],"sort":"relevance"}']

    def _sitemap(self, path: str, base: str) -> Pieces | None:
        total = self._shape.size.datasets
        parts = -(-total // _SITEMAP_SIZE)
        namespace = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        if path == "/sitemap.xml":
            items = "".join(
                f"<sitemap><loc>{escape(base)}/sitemap/sitemap-{part}.xml</loc></sitemap>"
                for part in range(parts)
            )
            return [f'<?xml version="1.0"?><sitemapindex {namespace}>{items}</sitemapindex>'.encode()]
        part = int(path.removeprefix("/sitemap/sitemap-").removesuffix(".xml"))
        first, last = part * _SITEMAP_SIZE, min(total, (part + 1) * _SITEMAP_SIZE)
        items = "".join(
            f"<url><loc>{escape(base)}/dataset/{slug(at)}</loc></url>" for at in range(first, last)
        )
        return (
            [f'<?xml version="1.0"?><urlset {namespace}>{items}</urlset>'.encode()] if first < total else None
        )


class CkanReplies:
    """The Action API of a CKAN 2.11. Only the first `limit` packages are there."""

    def __init__(self, edition: Edition, limit: int | None) -> None:
        self._edition = edition
        self._shape = edition.shape
        self._total = min(limit or edition.written.datasets, edition.written.datasets)

    def answer(self, action: str, query: Query, *, changed: bool) -> Pieces | None:
        """The reply's body with CKAN's envelope; None for an action or a package that is not there."""
        if action == "package_search":
            return _enveloped(*self._search(query, changed=changed))
        if action == "package_show":
            position = slug_position(query["id"])
            one = position < self._total
            return (
                _enveloped(records(self._edition, position, position + 1, changed=changed)) if one else None
            )
        if action == "package_list":
            first, last = self._slice(query, "offset", "limit", self._total, self._total)
            return _enveloped(msgspec.json.encode([slug(at) for at in range(first, last)]))
        if action == "organization_list":
            return _enveloped(msgspec.json.encode(self._organizations(query)))
        return _enveloped(b'{"ckan_version":"2.11.0","extensions":[]}') if action == "status_show" else None

    def _slice(self, query: Query, start: str, size: str, most: int, total: int) -> tuple[int, int]:
        first = min(int(query.get(start, "0")), total)
        return first, min(total, first + min(most, int(query.get(size, str(most)))))

    def _search(self, query: Query, *, changed: bool) -> Pieces:
        begin, end = self._window(query.get("fq", "") + " " + query.get("q", ""))
        start, stop = self._slice(query, "start", "rows", 1000, end - begin)
        first, last = begin + start, begin + stop
        facets: dict[str, Any] = {}
        if "facet.field" in query:
            facets = {"organization": {slug: count for slug, count in self._counts() if count}}
        head = f'{{"count":{end - begin},"sort":"id asc","facets":{msgspec.json.encode(facets).decode()},'
        if "fl" in query:
            found: bytes | Stretch = msgspec.json.encode([self._named(at) for at in range(first, last)])[1:-1]
        else:
            found = records(self._edition, first, last, changed=changed)
        return [head.encode() + b'"results":[', found, b"]}"]

    def _named(self, position: int) -> dict[str, str]:
        changed = self._shape.changed_at(position).replace(tzinfo=None).isoformat()
        return {"id": identity(position), "name": slug(position), "metadata_modified": changed}

    def _window(self, filters: str) -> tuple[int, int]:
        """The stretch of packages whose date of change a filter asks for."""
        begin, end = 0, self._total
        if (found := _WINDOW.search(filters)) is not None:
            if found[1] != "*":
                begin = self._shape.changed_before(_moment(found[1]))
            if found[2] != "*":
                end = self._shape.changed_before(_moment(found[2]) + timedelta(microseconds=1))
        return min(begin, self._total), min(max(begin, end), self._total)

    def _counts(self) -> list[tuple[str, int]]:
        return [
            (one.slug, max(0, min(self._total, one.first + one.count) - one.first))
            for one in self._shape.organizations
        ]

    def _organizations(self, query: Query) -> list[Any]:
        counts = dict(self._counts())
        first, last = self._slice(query, "offset", "limit", 1000, len(counts))
        chosen = self._shape.organizations[first:last]
        if query.get("all_fields", "").lower() not in ("true", "1"):
            return [one.slug for one in chosen]
        return [
            {
                "id": identity(one.first),
                "name": one.slug,
                "title": one.name,
                "package_count": counts[one.slug],
                "type": "organization",
                "state": "active",
            }
            for one in chosen
        ]


def _enveloped(*pieces: bytes | Stretch) -> Pieces:
    return [b'{"help":"","success":true,"result":', *pieces, b"}"]


def document(edition: Edition, *, changed: bool) -> Pieces:
    """The whole edition as one DCAT-US document."""
    return [_CATALOG, records(edition, 0, edition.written.datasets, changed=changed), b"]}"]


def _moment(text: str) -> datetime:
    parsed = datetime.fromisoformat(text.strip('"'))
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
