"""A CKAN package as our one record, from the shapes of CKAN 2.3 to 2.12, their extensions and DKAN.

What other portals put into DCAT fields stands in CKAN's own fields, in extras (a list of
key and value, or a dict in old exports), or in fields that an extension added. The table
is in `docs/how-to/field-mapping.md`.
"""

from __future__ import annotations

from shelter_pipeline.domain.records import (
    DatasetRecord,
    Json,
    OrganizationRecord,
    ResourceRecord,
    canonical_json,
    content_hash,
)
from shelter_pipeline.domain.volatile import VOLATILE_IN_CKAN, lasting_extras
from shelter_pipeline.portals.assembling import (
    UnusableError,
    organization,
    usable_identifier,
    usable_slug,
    usable_title,
)
from shelter_pipeline.portals.dcat import periods
from shelter_pipeline.portals.distributions import stable_key
from shelter_pipeline.portals.fields import (
    Notes,
    checksum,
    count,
    listed,
    moment,
    named_parts,
    size,
    text,
    texts,
    unfold,
)

_EXTRAS = frozenset(
    {
        "accessLevel",
        "collection_metadata",
        "collection_package_id",
        "isPartOf",
        "issued",
        "landingPage",
        "license",
        "modified",
        "organization_type",
        "publisher",
        "spatial",
        "temporal",
    }
)


def ckan_record(package: dict[str, Json], notes: Notes) -> DatasetRecord:
    """One package as a record. Raises UnusableError naming the field that makes it impossible."""
    extras = _extras_read(package.get("extras"), notes)
    identifier = identity_of(package, notes)
    title = _title(package, identifier, notes)
    landing_page = text(extras.get("landingPage") or package.get("url"), "url", notes)
    return DatasetRecord(
        identifier=identifier,
        slug=usable_slug(package.get("name"), title, notes),
        title=title,
        organization=_owner(package, extras, notes),
        raw=canonical_json(package),
        record_hash=content_hash(_content(package)),
        description=text(package.get("notes") or package.get("description"), "notes", notes),
        publisher=text(package.get("publisher") or extras.get("publisher"), "publisher", notes),
        keywords=texts(package.get("tags") or package.get("keywords") or [], "tags", notes),
        themes=texts(package.get("groups") or [], "groups", notes),
        popularity=_popularity(package, notes),
        issued=moment(package.get("issued") or extras.get("issued"), "issued", notes),
        modified=moment(
            package.get("modified") or extras.get("modified") or package.get("metadata_modified"),
            "modified",
            notes,
        ),
        license=_license(package, extras, notes),
        access_level=text(package.get("access_level") or extras.get("accessLevel"), "accessLevel", notes),
        spatial="; ".join(named_parts(package.get("spatial") or extras.get("spatial"), "spatial", notes))
        or None,
        temporal="; ".join(
            periods(package.get("temporals") or package.get("temporal") or extras.get("temporal"), notes)
        )
        or None,
        landing_page=landing_page,
        collection=text(extras.get("collection_package_id") or extras.get("isPartOf"), "isPartOf", notes),
        kind="collection" if extras.get("collection_metadata") else "dataset",
        resources=resources_of(package.get("resources"), landing_page, notes),
        notes=notes.taken(),
    )


def ckan_organization(item: Json, notes: Notes) -> OrganizationRecord:
    """An organization of a package or of `organization_list`; its `type` says nothing, so kind is None."""
    if not isinstance(item, dict):
        return organization(item, item, None, "organization", notes)
    return organization(
        item.get("name") or item.get("id"),
        item.get("title") or item.get("display_name") or item.get("name"),
        None,
        "organization",
        notes,
    )


def _extras_read(value: Json, notes: Notes) -> dict[str, Json]:
    """The extras that a record is made of, JSON inside strings unfolded; of a key that comes twice the first."""
    value = unfold(value)
    if isinstance(value, dict):
        return {key: unfold(value[key]) for key in _EXTRAS.intersection(value)}
    extras: dict[str, Json] = {}
    for item in listed(value, "extras", notes):
        key = item.get("key") if isinstance(item, dict) else None
        if not isinstance(key, str):
            notes.add("extras", "not a key and a value", item)
        elif key in _EXTRAS and key not in extras:
            extras[key] = unfold(item.get("value"))
    return extras


def identity_of(package: dict[str, Json], notes: Notes) -> str:
    """The id of a package, else its name. Raises UnusableError when it has neither."""
    if package.get("id") not in (None, ""):
        return usable_identifier(package["id"], "id", notes)
    if package.get("name") in (None, ""):
        raise UnusableError("id", "the record has neither an id nor a name")
    notes.add("id", "missing: the package's name stands in for it")
    return usable_identifier(package["name"], "id", notes)


def _title(package: dict[str, Json], identifier: str, notes: Notes) -> str:
    if found := text(package.get("title") or package.get("display_name"), "title", notes):
        return found
    # CKAN itself shows the name where a package has no title.
    notes.add("title", "missing: the package's name stands in for it")
    return usable_title(package.get("name"), notes, identifier)


def _owner(package: dict[str, Json], extras: dict[str, Json], notes: Notes) -> OrganizationRecord:
    owner = package.get("organization") or package.get("owner_org")
    found = ckan_organization(owner, notes)
    kind = text(extras.get("organization_type"), "organization_type", notes)
    return OrganizationRecord(found.slug, found.name, kind) if kind else found


def _popularity(package: dict[str, Json], notes: Notes) -> int | None:
    views = package.get("tracking_summary")
    return count(views.get("total"), "tracking_summary", notes) if isinstance(views, dict) else None


def _license(package: dict[str, Json], extras: dict[str, Json], notes: Notes) -> str | None:
    own = (package.get(key) for key in ("license_url", "license_title", "license", "license_id"))
    return next(
        (found for value in (extras.get("license"), *own) if (found := text(value, "license", notes))), None
    )


def resources_of(value: Json, landing_page: str | None, notes: Notes) -> tuple[ResourceRecord, ...]:
    """The package's resources, and its landing page last unless it is one of them."""
    found: list[ResourceRecord] = []
    taken: dict[str, int] = {}
    for item in listed(unfold(value), "resources", notes):
        if isinstance(item, dict):
            found.append(_resource(item, len(found), taken, notes))
        else:
            notes.add("resources", "not a resource", item)
    if landing_page and all(resource.url != landing_page for resource in found):
        key = _own_key(stable_key(None, landing_page, None, None), taken)
        found.append(ResourceRecord(key, len(found), landing_page, "landing"))
    return tuple(found)


def _resource(item: dict[str, Json], position: int, taken: dict[str, int], notes: Notes) -> ResourceRecord:
    url = text(item.get("url"), "resources.url", notes)
    name = text(item.get("name") or item.get("title"), "resources.name", notes)
    written_format = text(item.get("format"), "resources.format", notes)
    if url is None:
        notes.add("resources.url", "a resource without a URL", name or "")
    key = stable_key(text(item.get("id"), "resources.id", notes), url, name, written_format)
    return ResourceRecord(
        key=_own_key(key, taken),
        position=position,
        url=url,
        name=name,
        description=text(item.get("description"), "resources.description", notes),
        format=written_format,
        media_type=text(item.get("mimetype") or item.get("media_type"), "resources.mimetype", notes),
        size=size(item.get("size"), "resources.size", notes),
        checksum=checksum(item.get("hash_algorithm"), item.get("hash"), "resources.hash", notes),
    )


def _own_key(key: str, taken: dict[str, int]) -> str:
    """The key, with an ordinal where another resource of the package has it already."""
    own = key
    while own in taken:
        taken[key] += 1
        own = f"{key}#{taken[key]}"
    taken[own] = 1
    return own


def _content(package: dict[str, Json]) -> dict[str, Json]:
    """What the package says, without what changes of itself; the package itself is left as it is."""
    content = {key: value for key, value in package.items() if key not in VOLATILE_IN_CKAN}
    owner = package.get("organization")
    content["organization"] = owner.get("name") if isinstance(owner, dict) else owner
    extras = unfold(package.get("extras"))
    if isinstance(extras, list | dict):
        content["extras"] = lasting_extras(extras)
    resources = package.get("resources")
    if isinstance(resources, list):
        content["resources"] = [_resource_content(item) for item in resources]
    return content


def _resource_content(item: Json) -> Json:
    if not isinstance(item, dict) or VOLATILE_IN_CKAN.isdisjoint(item):
        return item
    return {key: value for key, value in item.items() if key not in VOLATILE_IN_CKAN}
