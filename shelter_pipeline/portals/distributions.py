"""DCAT distributions as resources: which URL is the file, which leads to it, which is only about it.

`downloadURL` is a file and `accessURL` leads to one (DCAT 3, section 6.8); a distribution
that gives both, and different ones, is two resources. `describedBy` and other links about
the data are no resources. Keys do not depend on the order in which distributions stand.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from shelter_pipeline.domain.records import Json, ResourceRecord
from shelter_pipeline.portals.fields import Notes, checksum, listed, size, text, unfold

_FIELD = "distribution"
_LONGEST_KEY = 200


def resources_of(distribution: Json, landing_page: str | None, notes: Notes) -> tuple[ResourceRecord, ...]:
    """Every resource of a DCAT dataset, its landing page last unless a distribution is that page already."""
    found: list[ResourceRecord] = []
    for item in listed(unfold(distribution), _FIELD, notes):
        found.extend(_of_one(unfold(item), len(found), landing_page, notes))
    if landing_page and all(resource.url != landing_page for resource in found):
        key = stable_key(None, landing_page, None, None)
        found.append(ResourceRecord(key, len(found), landing_page, "landing"))
    return with_own_keys(found)


def with_own_keys(resources: list[ResourceRecord]) -> tuple[ResourceRecord, ...]:
    """The same resources with their positions, and keys made distinct by an ordinal where two are equal."""
    times: dict[str, int] = {}
    kept = []
    for position, resource in enumerate(resources):
        ordinal = times.get(resource.key, 0) + 1
        times[resource.key] = ordinal
        if ordinal > 1:
            kept.append(replace(resource, key=f"{resource.key}#{ordinal}", position=position))
        else:
            kept.append(resource if resource.position == position else replace(resource, position=position))
    return tuple(kept)


def stable_key(own_id: str | None, url: str | None, title: str | None, format: str | None) -> str:
    """The portal's id of a resource, else a hash of what makes it this one, wherever it stands."""
    if own_id and len(own_id) <= _LONGEST_KEY:
        return own_id
    parts = own_id or f"{url or ''}\x1f{title or ''}\x1f{format or ''}"
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def _of_one(item: Json, position: int, landing_page: str | None, notes: Notes) -> list[ResourceRecord]:
    if isinstance(item, str):
        url = text(item, _FIELD, notes)
        notes.add(_FIELD, "a bare string stands where a distribution belongs; it is taken as its URL", item)
        key = stable_key(None, url, None, None)
        return [ResourceRecord(key, position, url, _access_role(url, landing_page))]
    if not isinstance(item, dict):
        notes.add(_FIELD, "not a distribution", item)
        return []
    download = text(item.get("downloadURL"), "distribution.downloadURL", notes)
    access = text(item.get("accessURL"), "distribution.accessURL", notes) or _service_url(item, notes)
    if not (download or access):
        notes.add(
            _FIELD, "a distribution without a URL", text(item.get("title"), "distribution.title", notes) or ""
        )
    role = "download" if download or not access else _access_role(access, landing_page)
    first = _resource(item, position, download or access, role, notes)
    if download and access and download != access:
        # What is claimed of the file (size, checksum) is not claimed of the page that leads to it.
        second = replace(
            first,
            key=f"{first.key}:access",
            position=position + 1,
            url=access,
            role=_access_role(access, landing_page),
            size=None,
            checksum=None,
        )
        return [first, second]
    return [first]


def _access_role(url: str | None, landing_page: str | None) -> str:
    return "landing" if url and url == landing_page else "access"


def _service_url(item: dict[str, Json], notes: Notes) -> str | None:
    """DCAT-US 3.0: a distribution may be had only through a service."""
    service = item.get("accessService")
    for one in service if isinstance(service, list) else [service]:
        if isinstance(one, dict) and (
            url := text(one.get("endpointURL"), "distribution.accessService", notes)
        ):
            return url
    return None


def _resource(
    item: dict[str, Json], position: int, url: str | None, role: str, notes: Notes
) -> ResourceRecord:
    name = text(item.get("title"), "distribution.title", notes)
    written_format = text(item.get("format"), "distribution.format", notes)
    return ResourceRecord(
        stable_key(_own_id(item, notes), url, name, written_format),
        position,
        url,
        role,
        name,
        text(item.get("description"), "distribution.description", notes),
        written_format,
        text(item.get("mediaType"), "distribution.mediaType", notes),
        size(item.get("byteSize"), "distribution.byteSize", notes),
        _checksum(item, notes),
    )


def _own_id(item: dict[str, Json], notes: Notes) -> str | None:
    for field in ("@id", "identifier"):
        if isinstance(own := item.get(field), str):
            return text(own, "distribution.@id", notes)
    return None


def _checksum(item: dict[str, Json], notes: Notes) -> str | None:
    claimed = unfold(item.get("checksum"))
    if claimed is None:
        return None
    claimed = claimed if isinstance(claimed, dict) else {"checksumValue": claimed}
    return checksum(claimed.get("algorithm"), claimed.get("checksumValue"), "distribution.checksum", notes)
