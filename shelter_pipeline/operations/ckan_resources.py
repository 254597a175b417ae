"""The resources of a CKAN package: as they are listed, leading to our file where we hold it, and what was found behind.

A link that leads to a page or a directory stays what it is; the held files that were
found there are resources of their own behind the listed ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shelter_pipeline.catalog.ckan_packages import PackageRows, Row
from shelter_pipeline.domain.ckan_ids import Kind, own_id
from shelter_pipeline.domain.filenames import filename_of
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.verdicts import REASONS

Resource = dict[str, Any]


def resources_of(rows: PackageRows, raw: dict[str, Json], package_id: str, base: str) -> list[Resource]:
    """All resources of a package; `raw` is the record of a CKAN portal, else empty."""
    direct = {file["resource_id"]: file for file in rows.files if file["via"] == "direct"}
    written = _Written(raw)
    found: list[Resource] = []
    for row in rows.resources:
        own = written.of(row)
        # A landing page is the package's own URL, unless a record lists it as a resource as well.
        if row["role"] != "landing" or own or row["id"] in direct:
            found.append(_resource(row, own, direct.get(row["id"]), base))
    shown = {file["asset_id"] for file in direct.values()}
    sources = {row["id"]: row for row in rows.resources}
    for file in rows.files:
        if file["asset_id"] not in shown and file["resource_id"] in sources:
            shown.add(file["asset_id"])
            found.append(_found_file(file, sources[file["resource_id"]], base))
    for position, resource in enumerate(found):
        resource |= {"position": position, "package_id": package_id, "state": "active"}
    return found


def ckan_date(moment: datetime | None) -> str | None:
    """A moment as CKAN writes it: UTC, without a zone, with microseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") if moment else None


class _Written:
    """The resources of a CKAN record by what our rows are known by."""

    def __init__(self, raw: dict[str, Json]) -> None:
        listed = raw.get("resources")
        items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        self._by_key = {item["id"]: item for item in reversed(items) if isinstance(item.get("id"), str)}
        self._by_place = {
            place: item for place, item in enumerate(items) if not isinstance(item.get("id"), str)
        }

    def of(self, row: Row) -> dict[str, Json]:
        """The resource that became this row; empty if the record has none."""
        by_place = self._by_place.get(row["position"]) if row["listed"] else None
        return self._by_key.get(row["key"]) or by_place or {}


def _resource(row: Row, written: dict[str, Json], file: Row | None, base: str) -> Resource:
    resource = _of_row(row) | written
    if not isinstance(written.get("id"), str):
        resource["id"] = own_id(Kind.RESOURCE, row["id"])
    resource |= {
        "shelter_source_url": row["url"],
        "shelter_listed": row["listed"],
        "shelter_files": row["files"],
        "shelter_held_files": row["held"],
        "shelter_verdict": _verdict_on(row, file),
        "shelter_reason": (file and file["reason"]) or row["outcome"],
        "shelter_message": _sentence(row, file),
    }
    return resource | (_held(file, resource, base) if file else {})


def _found_file(file: Row, source: Row, base: str) -> Resource:
    """A held file that no record lists, with where it was found."""
    row = {
        **dict.fromkeys(("description", "format", "size", "checksum")),
        "name": filename_of(file["url"], file["media_type"]),
        "media_type": file["media_type"],
        "url": file["url"],
    }
    resource = _of_row(row) | {
        "id": own_id(Kind.FILE, file["asset_id"]),
        "shelter_source_url": file["url"],
        "shelter_listed": False,
        "shelter_found_at": source["url"],
        "shelter_found_via": file["via"],
        "shelter_files": 1,
        "shelter_held_files": 1,
        "shelter_verdict": "complete",
        "shelter_reason": file["reason"],
        "shelter_message": _sentence(source, file),
    }
    return resource | _held(file, resource, base)


def _of_row(row: Mapping[str, Any]) -> Resource:
    return {
        "cache_last_updated": None,
        "cache_url": None,
        "created": None,
        "description": row["description"] or "",
        "format": row["format"] or "",
        "hash": (row["checksum"] or "").rpartition(":")[2],
        "last_modified": None,
        "mimetype": row["media_type"],
        "mimetype_inner": None,
        "name": row["name"] or "Web Resource",
        "resource_type": None,
        "size": row["size"],
        "url": row["url"] or "",
        "url_type": None,
        **({} if row["name"] else {"no_real_name": True}),
    }


def _held(file: Row, resource: Resource, base: str) -> Resource:
    """What we know of the file behind a resource; its bytes are ours from here on, if we hold it."""
    if file["sha256"] is None:
        return {"shelter_state": file["state"]}
    name = quote(filename_of(file["url"], file["media_type"]), safe="")
    return {
        "url": f"{base}/files/{file['sha256']}/{name}",
        "hash": file["sha256"],
        "hash_algorithm": "sha256",
        "size": file["size"],
        "mimetype": resource["mimetype"] or file["media_type"],
        "shelter_state": file["state"],
        "shelter_sha256": file["sha256"],
        "shelter_size": file["size"],
        "shelter_unconfirmed": file["unconfirmed"],
        "shelter_captured_at": ckan_date(file["captured_at"]),
        "shelter_source_hash": resource["hash"] or None,
    }


def _verdict_on(row: Row, file: Row | None) -> str:
    if row["files"]:
        if row["held"] == row["files"] and row["outcome"] != "found-in-part":
            return "complete"
        if row["held"]:
            return "partial"
        return "waiting" if row["waiting"] else "unreachable"
    if not row["discovered"]:
        return "waiting"
    return "service" if row["outcome"] == "service" else "no-file" if file is None else "unreachable"


def _sentence(row: Row, file: Row | None) -> str | None:
    """Why it is as it is, for people."""
    reason = file["reason"] if file else row["outcome"]
    if reason in REASONS:
        return REASONS[reason].sentence
    return row["outcome_detail"] or None
