"""One dataset of the catalog as a CKAN package: the record as its portal has it, with what we hold laid over it.

What came from a CKAN portal keeps every field it had; what came as DCAT is given the
fields and extras that data.gov's own CKAN made of it until 2026. A resource whose file we
hold leads to it here, and `shelter_source_url` says where it came from. Everything that
is ours is named `shelter_…`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from shelter_pipeline.catalog.ckan_packages import PackageRows, Row, id_of, name_of
from shelter_pipeline.domain.ckan_ids import Kind, own_id
from shelter_pipeline.domain.licenses import license_of
from shelter_pipeline.domain.records import Json
from shelter_pipeline.operations.ckan_resources import ckan_date, resources_of

Package = dict[str, Any]

_TAGS = uuid.UUID(own_id(Kind.TAG, 0))
# Of a DCAT record these have fields of their own in a package; the rest are extras.
_HAVE_FIELDS = frozenset(
    {
        "title",
        "description",
        "distribution",
        "keyword",
        "contactPoint",
        "publisher",
        "@type",
        "@id",
        "@context",
    }
)


def package_of(rows: PackageRows, base: str) -> Package:
    """The package of a dataset; `base` is the URL of this API."""
    row = rows.dataset
    raw = _decoded(row["raw"])
    is_ckan = row["portal_kind"] == "ckan"
    package = dict(raw) if is_ckan else _from_dcat(row, raw)
    package |= {
        "id": id_of(row),
        "name": name_of(row),
        "title": package.get("title") or row["title"],
        "metadata_created": package.get("metadata_created") or ckan_date(row["first_seen_at"]),
        "metadata_modified": ckan_date(row["changed_at"]),
        "organization": _organization_of(row, raw if is_ckan else {}),
        "owner_org": own_id(Kind.ORGANIZATION, row["organization_id"]),
        "private": False,
        "state": "active",
        "type": "dataset",
    }
    package["resources"] = resources_of(rows, raw if is_ckan else {}, package["id"], base)
    package["num_resources"] = len(package["resources"])
    tags = package.get("tags")
    package["num_tags"] = len(tags) if isinstance(tags, list) else 0
    ours = _ours(rows, raw if is_ckan else {}, base)
    package["extras"] = [*_extras_of(package.get("extras")), *_as_extras(ours)]
    return package | ours


def summary_of(row: Row) -> Package:
    """The few fields of a package that need no record."""
    return {
        "id": id_of(row),
        "name": name_of(row),
        "title": row["title"],
        "metadata_created": ckan_date(row["first_seen_at"]),
        "metadata_modified": ckan_date(row["changed_at"]),
    }


def organization_of(row: Row) -> Package:
    """An organization as `organization_list` gives it with all its fields."""
    return _organization(row["id"], row["key"], row["name"], row["kind"]) | {
        "package_count": row["datasets"],
        "shelter_portal": row["portal"],
        "shelter_source_name": row["slug"],
    }


def verdict_on(holdings: Mapping[str, int]) -> str:
    """How far a dataset is rescued: in the words that organizations are reported in."""
    if holdings["waiting"] or (holdings["open_ends"] and not holdings["files"]):
        return "in-progress" if holdings["held"] else "waiting"
    if not holdings["files"]:
        return "empty"
    if holdings["held"] == holdings["files"] and not holdings["open_ends"]:
        return "complete"
    return "partial" if holdings["held"] else "unreachable"


def _decoded(raw: str) -> dict[str, Json]:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):  # an integer beyond 64 bits, half a character
        found = json.loads(raw)
    return found if isinstance(found, dict) else {}


def _from_dcat(row: Row, raw: dict[str, Json]) -> Package:
    folded = raw.get("dcat") if row["portal_kind"] == "datagov" else raw
    dcat: dict[str, Json] = folded if isinstance(folded, dict) else {}
    license_found = license_of(row["license"])
    contact = dcat.get("contactPoint")
    contact = contact if isinstance(contact, dict) else {}
    extras = {name: value for name, value in dcat.items() if name not in _HAVE_FIELDS}
    extras |= {"publisher": row["publisher"], "landingPage": row["landing_page"], "resource-type": "Dataset"}
    extras.setdefault("identifier", row["identifier"])
    for name in ("harvest_record", "harvest_record_raw", "last_harvested_date"):
        extras[name] = raw.get(name)
    if row["themes"]:
        extras["theme"] = list(row["themes"])
    if row["organization_kind"]:
        extras["organization_type"] = row["organization_kind"]
    return {
        "author": None,
        "author_email": None,
        "creator_user_id": None,
        "extras": [
            {"key": name, "value": _written(value)}
            for name, value in sorted(extras.items())
            if value is not None
        ],
        "groups": [],
        "isopen": license_found.is_open,
        "license_id": license_found.id,
        "license_title": license_found.title,
        **({"license_url": license_found.url} if license_found.url else {}),
        "maintainer": _string(contact.get("fn")),
        "maintainer_email": _string(contact.get("hasEmail"), without="mailto:"),
        "notes": row["description"] or "",
        "relationships_as_object": [],
        "relationships_as_subject": [],
        "tags": [_tag(name) for name in dict.fromkeys(row["keywords"])],
        "title": row["title"],
        "url": row["landing_page"],
        "version": None,
    }


def _written(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _string(value: Json, *, without: str = "") -> str | None:
    return value.removeprefix(without) if isinstance(value, str) else None


def _tag(name: str) -> Package:
    return {
        "display_name": name,
        "id": str(uuid.uuid5(_TAGS, name)),
        "name": name,
        "state": "active",
        "vocabulary_id": None,
    }


def _organization(number: int, name: str, title: str, kind: str | None) -> Package:
    return {
        "approval_status": "approved",
        "created": None,
        "description": "",
        "display_name": title,
        "id": own_id(Kind.ORGANIZATION, number),
        "image_display_url": "",
        "image_url": "",
        "is_organization": True,
        "name": name,
        "state": "active",
        "title": title,
        "type": "organization",
        **({"organization_type": kind} if kind else {}),
    }


def _organization_of(row: Row, raw: dict[str, Json]) -> Package:
    own = _organization(
        row["organization_id"], row["organization"], row["organization_name"], row["organization_kind"]
    )
    written = raw.get("organization")
    kept = written if isinstance(written, dict) else {}
    return own | kept | {name: own[name] for name in ("id", "name", "state", "type", "is_organization")}


def _extras_of(extras: Json) -> list[Json]:
    if isinstance(extras, dict):
        return [{"key": name, "value": value} for name, value in extras.items()]
    kept = extras if isinstance(extras, list) else []
    # Those of an earlier rescue speak of that one.
    return [
        one for one in kept if not (isinstance(one, dict) and str(one.get("key", "")).startswith("shelter_"))
    ]


def _as_extras(ours: Package) -> list[Package]:
    return [{"key": name, "value": _written(value)} for name, value in ours.items() if value is not None]


def _ours(rows: PackageRows, raw: dict[str, Json], base: str) -> Package:
    row, holdings = rows.dataset, rows.holdings
    return {
        "shelter_url": f"{base}/datasets/{row['id']}",
        "shelter_state": row["state"],
        "shelter_verdict": verdict_on(holdings),
        "shelter_files": holdings["files"],
        "shelter_held_files": holdings["held"],
        "shelter_unconfirmed_files": holdings["unconfirmed"],
        "shelter_held_bytes": holdings["bytes"],
        "shelter_portal": row["portal_url"],
        "shelter_source_id": row["identifier"],
        "shelter_source_name": row["slug"],
        "shelter_source_modified": _string(raw.get("metadata_modified")),
        "shelter_first_seen_at": ckan_date(row["first_seen_at"]),
    }
