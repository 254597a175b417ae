"""The CKAN Action API, version 3, as CKAN 2.10 and later answer it.

Kept on purpose: rows are cut to 1000 without a word, `organization_list` gives 25 at most
with `all_fields`, the error types and statuses of each failure, a JSON text instead of an
object where the request itself cannot be read. Under `/short-pages` the same portal cuts
rows to 40, and its index has lost some packages: they are counted and have an id, and are
left out of every page, though `package_show` still shows them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from shelter_pipeline.domain.records import Json
from shelter_pipeline.sample.catalogue import Catalogue, Dataset, spoil
from shelter_pipeline.sample.dice import identity
from shelter_pipeline.sample.replies import Reply, Request, json_reply
from shelter_pipeline.sample.words import Publisher

PREFIX = "/api/3/action/"
SHORT_PAGES = "/short-pages"
ROWS_MAX = 1000
_SHORT_ROWS = 40
_LOST_FROM_THE_INDEX = 50  # one package of so many
_FIRST_DATE, _LAST_DATE = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_ALL_FIELDS_MAX = 25
_SEARCH_PARAMETERS = frozenset(
    {"q", "fq", "rows", "start", "sort", "fl", "facet", "facet.field", "facet.limit"}
)
_SORT = re.compile(r"(id|name|title_string|metadata_modified|score)( (asc|desc))?\Z")
_CHANGED = re.compile(r"\+?metadata_modified:\[(\S+Z|\*) TO (\S+Z|\*)\]\Z")
_ORGANIZATION = re.compile(r'\+?organization:\(?"?([a-z0-9-]+)"?\)?\Z')
_LOST = {"identifier": ("id", "name", "extras"), "title": ("title", "name")}
_AS_IT_STANDS = frozenset(
    {"title", "description", "distribution", "keyword", "publisher", "contactPoint", "@type"}
)
Parameters = Mapping[str, Any]


class ActionError(Exception):
    """An action that fails: the status and the `error` of its envelope."""

    def __init__(self, status: int, kind: str, **more: Json) -> None:
        super().__init__(kind)
        self.status = status
        self.error: Json = {"__type": kind, **more}


def organization(publisher: Publisher) -> dict[str, Json]:
    """An organization as packages carry it."""
    return {
        "id": identity(f"organization/{publisher.slug}"),
        "name": publisher.slug,
        "title": publisher.name,
        "type": "organization",
        "description": "",
        "image_url": "",
        "created": "2020-11-10T15:11:23.000000",
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }


def resource(row: Dataset, position: int, written: dict[str, Json]) -> Json:
    """One distribution as a resource."""
    size = written.get("byteSize")
    return {
        "cache_last_updated": None,
        "cache_url": None,
        "created": row.harvested,
        "description": written.get("description", ""),
        "format": written.get("format", ""),
        "hash": written.get("checksum", {}).get("checksumValue", ""),
        "id": identity(f"resource/{row.id}/{position}"),
        "last_modified": None,
        "metadata_modified": row.harvested,
        "mimetype": written.get("mediaType", ""),
        "mimetype_inner": None,
        "name": written.get("title", "Web Resource"),
        "package_id": row.id,
        "position": position,
        "resource_type": None,
        "size": int(size) if size else None,
        "state": "active",
        "url": written.get("downloadURL") or written.get("accessURL", ""),
        "url_type": None,
    }


def _extras(row: Dataset) -> Json:
    extras = {
        key: value for key, value in row.record.items() if key not in _AS_IT_STANDS and value is not None
    }
    extras |= {"publisher": row.publisher.name, "harvest_object_id": row.harvest_id}
    return [
        {"key": key, "value": json.dumps(value) if isinstance(value, dict | list) else str(value)}
        for key, value in sorted(extras.items())
    ]


def package(row: Dataset) -> Json:
    """One dataset as a package."""
    resources = [resource(row, position, item) for position, item in enumerate(row.distributions())]
    tags = row.record["keyword"]
    view: dict[str, Json] = {
        "author": None,
        "author_email": None,
        "creator_user_id": identity("user/harvester"),
        "extras": _extras(row),
        "groups": [],
        "id": row.id,
        "isopen": False,
        "license_id": "notspecified",
        "license_title": "License not specified",
        "maintainer": "Open Data Desk",
        "maintainer_email": None,
        "metadata_created": "2020-11-10T11:00:00.719499",
        "metadata_modified": row.harvested,
        "name": row.slug,
        "notes": row.record["description"],
        "num_resources": len(resources),
        "num_tags": len(tags),
        "organization": organization(row.publisher),
        "owner_org": identity(f"organization/{row.publisher.slug}"),
        "private": False,
        "relationships_as_object": [],
        "relationships_as_subject": [],
        "resources": resources,
        "state": "active",
        "tags": [
            {"display_name": tag, "id": identity(f"tag/{tag}"), "name": tag, "state": "active"}
            for tag in tags
        ],
        "title": row.title,
        "type": "dataset",
        "url": None,
        "version": None,
    }
    return spoil(view, row, _LOST)


def _integer(parameters: Parameters, name: str, default: int) -> int:
    try:
        value = int(parameters.get(name, default))
    except (TypeError, ValueError):
        raise ActionError(409, "Validation Error", **{name: ["Invalid integer"]}) from None
    if value < 0:
        raise ActionError(409, "Validation Error", **{name: ["Must be a natural number"]})
    return value


def _required(parameters: Parameters, name: str) -> str:
    if not parameters.get(name):
        raise ActionError(409, "Validation Error", **{name: ["Missing value"]})
    return str(parameters[name])


def package_search(catalogue: Catalogue, parameters: Parameters, *, short: bool = False) -> Json:
    """The rows of a page. `count` counts every row there is to page through."""
    if unknown := set(parameters) - _SEARCH_PARAMETERS:
        message = f"Search Query is invalid: Invalid search parameters: {sorted(unknown)}"
        raise ActionError(400, "Search Query Error", message=message)
    rows = _sorted(_filtered(catalogue, parameters), parameters.get("sort") or "metadata_modified desc")
    limit = min(_integer(parameters, "rows", 10), _SHORT_ROWS if short else ROWS_MAX)
    start = _integer(parameters, "start", 0)
    fields = [field for field in re.split(r"[,\s]+", str(parameters.get("fl", ""))) if field]
    shown = [row for row in rows[start : start + limit] if fields or not (short and is_lost(row))]
    page = [package(row) for row in shown]
    if fields:
        page = [{key: item[key] for key in fields if key in item} for item in page if isinstance(item, dict)]
    sort = parameters.get("sort") or "metadata_modified desc"
    return {
        "count": len(rows),
        "facets": _facets(rows, parameters),
        "results": page,
        "search_facets": {},
        "sort": sort,
    }


def _facets(rows: list[Dataset], parameters: Parameters) -> Json:
    """Counts by organization, the one facet here. Counts every row, as the index does."""
    fields = parameters.get("facet.field", [])
    try:
        fields = json.loads(fields) if isinstance(fields, str) else fields
    except ValueError:
        fields = None
    if not isinstance(fields, list):
        raise ActionError(409, "Validation Error", **{"facet.field": ["Could not parse as valid JSON"]})
    counts = Counter(row.publisher.slug for row in rows)
    return {field: dict(counts) if field == "organization" else {} for field in fields}


def is_lost(row: Dataset) -> bool:
    """Whether the index under `/short-pages` has lost the package of this row."""
    return not row.broken and int(row.id[:8], 16) % _LOST_FROM_THE_INDEX == 0


def _filtered(catalogue: Catalogue, parameters: Parameters) -> list[Dataset]:
    rows = list(catalogue.rows)
    if text := str(parameters.get("fq", "")).strip():
        rows = list(filter(_filter(text), rows))
    words = str(parameters.get("q", "")).replace("*:*", "").lower().split()
    return [row for row in rows if all(word in row.title.lower() for word in words)]


def _filter(text: str) -> Callable[[Dataset], bool]:
    """A filter query: an organization, or a range of dates of change with both its ends."""
    if match := _ORGANIZATION.match(text):
        slug = match[1]
        return lambda row: row.publisher.slug == slug
    if match := _CHANGED.match(text):
        since, until = (_bound(match[1], _FIRST_DATE), _bound(match[2], _LAST_DATE))
        return lambda row: since <= _indexed(row.harvested) <= until
    raise ActionError(400, "Search Query Error", message=f"Search Query is invalid: {text!r}")


def _bound(text: str, otherwise: datetime) -> datetime:
    """One end of a range of dates: UTC with a Z, or a star."""
    try:
        return otherwise if text == "*" else _indexed(text)
    except ValueError:
        message = f"SOLR returned an error running query: Invalid Date String: {text!r}"
        raise ActionError(409, "Search Error", message=message) from None


def _indexed(text: str) -> datetime:
    """A date as the index keeps it: UTC, in milliseconds."""
    moment = datetime.fromisoformat(text)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _sorted(rows: list[Dataset], sort: str) -> list[Dataset]:
    keys: dict[str, Callable[[Dataset], str | datetime]] = {
        "id": lambda row: row.id,
        "name": lambda row: row.slug,
        "title_string": lambda row: row.title,
        "metadata_modified": lambda row: _indexed(row.harvested),
        "score": lambda row: row.harvested,
    }
    for part in reversed(sort.split(",")):
        match = _SORT.match(part.strip())
        if not match:
            raise ActionError(
                400, "Search Query Error", message=f"Search Query is invalid: Invalid sort {sort!r}"
            )
        rows = sorted(rows, key=keys[match[1]], reverse=match[3] == "desc")
    return rows


def package_list(catalogue: Catalogue, parameters: Parameters) -> Json:
    names = sorted(dataset.slug for dataset in catalogue.datasets)
    offset = _integer(parameters, "offset", 0)
    return names[offset : offset + _integer(parameters, "limit", len(names))]


def package_show(catalogue: Catalogue, parameters: Parameters) -> Json:
    row = catalogue.by_name.get(_required(parameters, "id"))
    if row is None:
        raise ActionError(404, "Not Found Error", message="Not found")
    return package(row)


def resource_show(catalogue: Catalogue, parameters: Parameters) -> Json:
    wanted = _required(parameters, "id")
    for row in catalogue.datasets:
        for position, item in enumerate(row.distributions()):
            if identity(f"resource/{row.id}/{position}") == wanted:
                return resource(row, position, item)
    raise ActionError(404, "Not Found Error", message="Not found: Resource was not found.")


def organization_list(catalogue: Catalogue, parameters: Parameters) -> Json:
    wants_all = str(parameters.get("all_fields", "")).lower() in ("true", "1", "yes")
    limit = min(_integer(parameters, "limit", ROWS_MAX), _ALL_FIELDS_MAX if wants_all else ROWS_MAX)
    offset = _integer(parameters, "offset", 0)
    page = sorted(catalogue.publishers, key=lambda publisher: publisher.slug)[offset : offset + limit]
    if not wants_all:
        return [publisher.slug for publisher in page]
    counts = Counter(dataset.publisher.slug for dataset in catalogue.datasets)
    return [organization(publisher) | {"package_count": counts[publisher.slug]} for publisher in page]


def status_show(catalogue: Catalogue, _: Parameters) -> Json:
    return {
        "ckan_version": "2.11.3",
        "site_url": catalogue.base_url,
        "site_title": "Sample portal",
        "error_emails_to": None,
        "locale_default": "en",
        "extensions": ["harvest", "datajson"],
    }


ACTIONS: dict[str, Callable[[Catalogue, Parameters], Json]] = {
    "package_search": package_search,
    "package_list": package_list,
    "package_show": package_show,
    "resource_show": resource_show,
    "organization_list": organization_list,
    "status_show": status_show,
}


def _parameters(request: Request) -> Parameters:
    """The parameters of a call. ValueError when a body is no JSON object."""
    if request.method != "POST" or not request.body:
        return request.query
    if request.headers.get_content_type() == "application/x-www-form-urlencoded":
        return dict(parse_qsl(request.body.decode()))
    value = json.loads(request.body)
    if not isinstance(value, dict):
        raise ValueError("the body is no object")  # noqa: TRY004 - the same as a body that is no JSON
    return value


def answer(catalogue: Catalogue, request: Request) -> Reply | None:
    """The reply to a path of this API; None for a path that is not of it."""
    path = request.path.removeprefix(SHORT_PAGES)
    if not path.startswith(PREFIX):
        return None
    name = path.removeprefix(PREFIX)
    action = ACTIONS.get(name)
    if action is package_search and path != request.path:
        action = partial(package_search, short=True)
    if action is None:
        return json_reply(f"Bad request - Action name not known: {name}", 400)
    try:
        parameters = _parameters(request)
    except ValueError as error:
        return json_reply(f"Bad request - JSON Error: Error decoding JSON data. Error: {error}", 400)
    help_text = f"{catalogue.base_url}{PREFIX}help_show?name={name}"
    try:
        return json_reply({"help": help_text, "success": True, "result": action(catalogue, parameters)})
    except ActionError as error:
        return json_reply({"help": help_text, "success": False, "error": error.error}, error.status)
