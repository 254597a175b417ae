"""One search hit of data.gov as our one record.

The identity of a dataset is its slug: the catalogue's only unique key, by which its sitemap
and its record pages go. Agencies use their own identifiers twice, and harvest record ids
change with every harvest.
"""

from __future__ import annotations

import re
from datetime import datetime

from shelter_pipeline.domain.records import (
    DatasetRecord,
    Json,
    OrganizationRecord,
    Refusal,
    canonical_json,
    content_hash,
)
from shelter_pipeline.domain.volatile import VOLATILE_IN_DATAGOV
from shelter_pipeline.portals.assembling import (
    RECORD,
    assemble,
    organization,
    usable_identifier,
    usable_slug,
    usable_title,
)
from shelter_pipeline.portals.dcat import dcat_fields
from shelter_pipeline.portals.fields import Notes, count, moment, text, texts, unfold
from shelter_pipeline.portals.splitting import Unreadable

_KINDS = {"data_series": "series", "data_service": "service"}
_PROSE = frozenset({"title", "description"})  # may begin with a bracket and mean nothing by it
_OPENINGS = ("{", "[")
_NO_SLUG = re.compile(r"[\s/:?#]")


def datagov_record(hit: dict[str, Json], notes: Notes) -> DatasetRecord:
    """One search hit as a record. Raises UnusableError naming the field that makes it impossible."""
    dcat = _dcat(hit.get("dcat"), notes)
    owner = hit.get("organization")
    publisher = listed_organization(owner if isinstance(owner, dict) else {"name": owner}, notes)
    identifier = _identity(hit, dcat, publisher, notes)
    title = usable_title(hit.get("title") or dcat.get("title"), notes, identifier)
    slug = usable_slug(hit.get("slug"), title, notes)
    popularity = count(hit.get("popularity"), "popularity", notes)
    fields = dcat_fields(dcat, notes)
    # The hit repeats some fields in plain form; they count where the dcat inside is silent.
    fields["description"] = fields["description"] or text(hit.get("description"), "description", notes)
    fields["publisher"] = fields["publisher"] or text(hit.get("publisher"), "publisher", notes)
    fields["keywords"] = fields["keywords"] or texts(hit.get("keyword"), "keyword", notes)
    fields["themes"] = fields["themes"] or texts(hit.get("theme"), "theme", notes)
    return DatasetRecord(
        identifier=identifier,
        slug=slug,
        title=title,
        organization=publisher,
        raw=canonical_json(hit),
        record_hash=content_hash(_content(hit)),
        popularity=popularity,
        kind=_KINDS.get(str(hit.get("type")), "dataset"),
        notes=notes.taken(),
        **fields,
    )


def record_of(hit: Json, position: int, *, undecoded: bool = False) -> DatasetRecord | Refusal:
    """Any hit as a record, or as the refusal that says why it is none, by its slug if that can be read."""
    if isinstance(hit, Unreadable):
        return Refusal(position, RECORD, hit.problem, hit.strings.get("slug"), hit.shown)
    return assemble(datagov_record, hit, position, undecoded=undecoded)


def listed_organization(item: dict[str, Json], notes: Notes) -> OrganizationRecord:
    """An organization as `/organizations` and every hit write it."""
    return organization(
        item.get("slug"), item.get("name"), item.get("organization_type"), "organization", notes
    )


def organization_slug(hit: Json) -> str | None:
    """The slug of a hit's organization as the API writes it; None when it does not say."""
    owner = hit.get("organization") if isinstance(hit, dict) else None
    slug = owner.get("slug") if isinstance(owner, dict) else None
    return slug if isinstance(slug, str) and slug else None


def changed_at(hit: Json) -> datetime | None:
    """When the catalogue last took this dataset from its publisher; None when that cannot be read."""
    written = hit.get("last_harvested_date") if isinstance(hit, dict) else None
    return moment(written, "last_harvested_date", Notes()) if written else None


def is_slug(identifier: str) -> bool:
    """Whether an identity is a slug of the catalogue, and not one made from the agency's own identifier."""
    return bool(identifier) and not _NO_SLUG.search(identifier)


def _identity(hit: dict[str, Json], dcat: dict[str, Json], owner: OrganizationRecord, notes: Notes) -> str:
    if text(hit.get("slug"), "slug", notes) is not None:
        return usable_identifier(hit["slug"], "slug", notes)
    own = usable_identifier(hit.get("identifier") or dcat.get("identifier"), "slug", notes)
    notes.add("slug", "missing: the agency's own identifier stands in for it", own)
    return usable_identifier(f"{owner.slug}:{own}", "slug", notes)


def _dcat(value: Json, notes: Notes) -> dict[str, Json]:
    """The DCAT record inside a hit, unfolded; an empty one, with a note, for what cannot be read as one."""
    folded = unfold(value)
    if isinstance(folded, dict):
        return _unfolded(folded)
    if folded is not None:
        notes.add("dcat", "not an object: what it says is not known", folded)
    return {}


def _unfolded(dcat: dict[str, Json]) -> dict[str, Json]:
    """The search index holds lists and objects two levels down as JSON strings."""
    plain = _unfolded_fields(dcat)
    distributions = plain.get("distribution")
    if not isinstance(distributions, list):
        return plain
    items = [_unfolded_one(item) for item in distributions]
    if all(new is old for new, old in zip(items, distributions, strict=True)):
        return plain
    return {**plain, "distribution": items}


def _unfolded_one(item: Json) -> Json:
    item = unfold(item)
    return _unfolded_fields(item) if isinstance(item, dict) else item


def _unfolded_fields(record: dict[str, Json]) -> dict[str, Json]:
    """The same object when there is nothing to unfold."""
    folded = [
        key
        for key, value in record.items()
        if value.__class__ is str and value.startswith(_OPENINGS) and key not in _PROSE
    ]
    return {**record, **{key: unfold(record[key]) for key in folded}} if folded else record


def _content(hit: dict[str, Json]) -> dict[str, Json]:
    content = {key: value for key, value in hit.items() if key not in VOLATILE_IN_DATAGOV}
    owner = hit.get("organization")
    # A new logo of the agency is no change of its 284,000 datasets.
    content["organization"] = owner.get("slug") if isinstance(owner, dict) else owner
    return content
