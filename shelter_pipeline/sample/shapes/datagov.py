"""The API of catalog.data.gov since April 2026, as GSA/datagov-catalog answers it.

Kept on purpose: no total, a keyset cursor that is missing on the last page, a 500 in HTML
for a cursor that cannot be read, `dcat` with everything two levels down turned into JSON
texts, the landing page appended to the distributions, the source's own record only at
`/harvest_record/…/raw`.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shelter_pipeline.domain.records import Json
from shelter_pipeline.sample.catalogue import Catalogue, Dataset, spoil
from shelter_pipeline.sample.dice import identity, number
from shelter_pipeline.sample.pages import error_page
from shelter_pipeline.sample.replies import (
    Reply,
    Request,
    as_number,
    html_reply,
    json_reply,
    reply,
    xml_reply,
)
from shelter_pipeline.sample.words import Publisher

MAX_PER_PAGE = 1000
SITEMAP_URLS = 100  # in one file; 5,000 at data.gov
_DEFAULT_PER_PAGE = 20
_SORTS = ("relevance", "popularity", "last_harvested_date")
_LOST = {
    "identifier": (
        "identifier",
        "slug",
        "harvest_record",
        "harvest_record_raw",
        "harvest_record_transformed",
    ),
    "title": ("title", "slug"),
}
_AS_TEXT = frozenset({"modified", "issued", "temporal", "spatial"})
SortKey = list[Any]


def _organization(publisher: Publisher) -> Json:
    return {
        "aliases": [""],
        "description": None,
        "id": identity(f"organization/{publisher.slug}"),
        "logo": f"https://logos.invalid/{publisher.slug}.png",
        "name": publisher.name,
        "organization_type": publisher.kind,
        "slug": publisher.slug,
    }


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else str(value)


def _flat(value: Json) -> Json:
    """A value as the search index takes it: what is nested in a nested object is text."""
    if isinstance(value, dict):
        return {
            key: _text(inner) if isinstance(inner, dict | list) else inner for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_flat(item) if isinstance(item, dict) else item for item in value]
    return value


def dcat(row: Dataset) -> dict[str, Json]:
    """The record as the index holds it, with the harvester's addition."""
    record = dict(row.record)
    if page := record.get("landingPage"):
        record["distribution"] = [*row.distributions(), {"accessURL": page, "mediaType": "text/html"}]
    for key, value in record.items():
        if key in _AS_TEXT:
            record[key] = value if value is None else _text(value)
        elif key != "publisher":
            record[key] = _flat(value)
    return record


def sort_key(row: Dataset, sort: str) -> SortKey:
    """The `_sort` of a hit: ties end with the id, so the order is total."""
    if sort == "last_harvested_date":
        # Milliseconds since the epoch, as OpenSearch sorts dates.
        return [round(datetime.fromisoformat(f"{row.harvested}+00:00").timestamp() * 1000), row.id]
    first = [row.popularity, 1.0] if sort == "popularity" else [1.0, row.popularity]
    return [*first, row.id]


def hit(catalogue: Catalogue, row: Dataset, sort: str) -> Json:
    """One of the `results` of a search."""
    record = dcat(row)
    lost = _LOST.get(row.broken, ())
    harvest_record = f"{catalogue.base_url}/harvest_record/{row.harvest_id}"
    view: dict[str, Json] = {
        "_score": 1.0,
        "_sort": sort_key(row, sort),
        "dcat": {key: value for key, value in record.items() if key not in lost},
        "description": record["description"],
        "distribution_titles": [item["title"] for item in row.distributions() if "title" in item],
        "harvest_record": harvest_record,
        "harvest_record_raw": f"{harvest_record}/raw",
        "has_download": any(item.get("downloadURL") for item in row.distributions()),
        "has_spatial": bool(record.get("spatial")),
        "identifier": record["identifier"],
        "keyword": record["keyword"],
        "last_harvested_date": row.harvested,
        "organization": _organization(row.publisher),
        "popularity": row.popularity,
        "publisher": row.publisher.name,
        "slug": row.slug,
        "spatial_centroid": None,
        "spatial_shape": None,
        "theme": record["theme"],
        "title": row.title,
        "type": "dataset",
    }
    if _from_xml(row):
        view["harvest_record_transformed"] = f"{harvest_record}/transformed"
    return spoil(view, row, _LOST)


def _from_xml(row: Dataset) -> bool:
    """Whether the publisher wrote ISO 19115 XML, which the harvester turned into DCAT-US."""
    return row.publisher.slug == "noaa-gov" and number(f"xml/{row.id}", 3) == 0


def encode_cursor(key: SortKey) -> str:
    """The `after` that continues behind the hit with this `_sort`."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode()


def decode_cursor(text: str, like: SortKey) -> SortKey:
    """The `_sort` in an `after`. ValueError when it is none that sorts `like` this."""
    key = json.loads(base64.urlsafe_b64decode(text.encode()))
    shape = [isinstance(part, str) for part in like]
    if not isinstance(key, list) or [isinstance(part, str) for part in key] != shape:
        raise ValueError("the cursor is of another order")
    return key


def search(catalogue: Catalogue, request: Request) -> Reply:
    """GET /search."""
    query = request.query
    per_page = as_number(query.get("per_page"), _DEFAULT_PER_PAGE)
    if not 1 <= per_page <= MAX_PER_PAGE:
        message = f"per_page must be between 1 and {MAX_PER_PAGE}"
        return json_reply({"error": "Invalid request", "message": message}, 400)
    sort = query.get("sort", "relevance")
    sort = sort if sort in _SORTS else "relevance"
    rows = sorted(_chosen(catalogue, query), key=lambda row: sort_key(row, sort), reverse=True)
    if after := query.get("after"):
        try:
            last = decode_cursor(after, sort_key(catalogue.rows[0], sort))
            rows = [row for row in rows if sort_key(row, sort) < last]
        except (ValueError, TypeError):
            return html_reply(error_page(500, "Web server unavailable"), 500)
    page = rows[:per_page]
    answer: dict[str, Json] = {"results": [hit(catalogue, row, sort) for row in page], "sort": sort}
    if len(rows) > per_page:
        answer["after"] = encode_cursor(sort_key(page[-1], sort))
    return json_reply(answer)


def _chosen(catalogue: Catalogue, query: Mapping[str, str]) -> list[Dataset]:
    words, slug = query.get("q", "").lower().split(), query.get("org_slug", "").strip()
    return [
        row
        for row in catalogue.rows
        if slug in ("", row.publisher.slug)
        and all(word in f"{row.title} {row.record['description']}".lower() for word in words)
    ]


def _organizations(catalogue: Catalogue, _: Request) -> Reply:
    counts = Counter(dataset.publisher.slug for dataset in catalogue.datasets)
    rows = [
        {
            "aliases": [""],
            "dataset_count": counts[publisher.slug],
            "id": identity(f"organization/{publisher.slug}"),
            "name": publisher.name,
            "organization_type": publisher.kind,
            "slug": publisher.slug,
            "source_count": 1,
        }
        for publisher in catalogue.publishers
    ]
    return json_reply({"organizations": rows, "total": len(rows)})


def _stats(catalogue: Catalogue, _: Request) -> Reply:
    parts = sum("isPartOf" in dataset.record for dataset in catalogue.datasets)
    return json_reply(
        {
            "meta": {"date": "2026-11-01"},
            "metrics": {"datasetsBarMetric": "datasets", "orgBarMetric": "organizations"},
            "results": {"datasets": len(catalogue.datasets), "datasetsWithIsPartOf": parts},
        }
    )


_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAPS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def _sitemap_index(catalogue: Catalogue, _: Request) -> Reply:
    files = range(0, len(catalogue.datasets), SITEMAP_URLS)
    places = "".join(
        f"<sitemap><loc>{catalogue.base_url}/sitemap/sitemap-{place}.xml</loc></sitemap>"
        for place, _ in enumerate(files)
    )
    return xml_reply(f"{_XML}<sitemapindex {_SITEMAPS}>{places}</sitemapindex>")


def _sitemap(catalogue: Catalogue, request: Request) -> Reply:
    name = request.path.removeprefix("/sitemap/")
    rows = sorted(catalogue.datasets, key=lambda dataset: (dataset.harvested, dataset.slug))
    parts = {
        f"sitemap-{place}.xml": rows[start : start + SITEMAP_URLS]
        for place, start in enumerate(range(0, len(rows), SITEMAP_URLS))
    }
    if name not in parts:
        return html_reply(error_page(404, "There is nothing here"), 404)
    places = "".join(f"<url><loc>{catalogue.base_url}/dataset/{row.slug}</loc></url>" for row in parts[name])
    return xml_reply(f"{_XML}<urlset {_SITEMAPS}>{places}</urlset>")


def _harvest_record(catalogue: Catalogue, request: Request) -> Reply:
    identifier, _, view = request.path.removeprefix("/harvest_record/").partition("/")
    row = catalogue.by_harvest_id.get(identifier)
    if row and view == "raw" and _from_xml(row):
        return xml_reply(_iso_xml(row))
    if row and (view == "raw" or (view == "transformed" and _from_xml(row))):
        return json_reply(row.record)
    if row and not view:
        source = _iso_xml(row) if _from_xml(row) else row.record
        return json_reply({"id": identifier, "identifier": row.record["identifier"], "source_raw": source})
    return json_reply({"error": "Not Found"}, 404)


def _iso_xml(row: Dataset) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<gmi:MI_Metadata xmlns:gmi="http://www.isotc211.org/2005/gmi">'
        f"<fileIdentifier>{row.record['identifier']}</fileIdentifier></gmi:MI_Metadata>\n"
    )


def _one(catalogue: Catalogue, request: Request) -> Reply:
    row = catalogue.by_name.get(request.path.removeprefix("/api/dataset/"))
    if row is None:
        return _nothing(catalogue, request)
    return json_reply({"results": [hit(catalogue, row, "relevance")], "sort": "relevance"})


def _nothing(_: Catalogue, __: Request) -> Reply:
    return json_reply({"message": "Not Found", "detail": {}}, 404)


_PATHS: dict[str, Callable[[Catalogue, Request], Reply]] = {
    "/search": search,
    "/api/organizations": _organizations,
    "/api/stats": _stats,
    "/sitemap.xml": _sitemap_index,
}
_PREFIXES: dict[str, Callable[[Catalogue, Request], Reply]] = {
    "/api/dataset/": _one,
    "/harvest_record/": _harvest_record,
    "/sitemap/": _sitemap,
    "/api/": _nothing,
}


def answer(catalogue: Catalogue, request: Request) -> Reply | None:
    """The reply to a path of this API; None for a path that is not of it."""
    known = _PATHS.get(request.path)
    if known is None:
        known = next((_PREFIXES[start] for start in _PREFIXES if request.path.startswith(start)), None)
    return known(catalogue, request) if known else None


def robots(catalogue: Catalogue, crawl_delay_seconds: int) -> Reply:
    """GET /robots.txt (RFC 9309, with the old Crawl-delay)."""
    delay = f"Crawl-delay: {crawl_delay_seconds}\n" if crawl_delay_seconds else ""
    text = f"User-agent: *\nDisallow: /pages/login\n{delay}\nSitemap: {catalogue.base_url}/sitemap.xml\n"
    return reply(200, "text/plain", text.encode())
