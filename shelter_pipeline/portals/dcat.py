"""The fields of a DCAT-US dataset, 1.1 or 3.0, as our one record has them.

Shared by the reader of /data.json documents and by data.gov's API, which serves the same
fields inside each of its hits. `docs/how-to/field-mapping.md` shows the table to people.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shelter_pipeline.domain.records import DatasetRecord, Json
from shelter_pipeline.portals.distributions import resources_of
from shelter_pipeline.portals.fields import Notes, moment, named_parts, text, texts

_LICENCE_OF_DISTRIBUTION = "distribution.license"


def with_dcat_fields(record: DatasetRecord, dcat: dict[str, Json], notes: Notes) -> DatasetRecord:
    """`record` completed with everything but identity and hash that the DCAT dataset says."""
    fields = dcat_fields(dcat, notes)
    fields["collection"] = fields["collection"] or record.collection
    return replace(record, **fields)


def dcat_fields(dcat: dict[str, Json], notes: Notes) -> dict[str, Any]:
    """The fields of a DatasetRecord that a DCAT dataset says, all but identity and hash."""
    landing_page = text(dcat.get("landingPage"), "landingPage", notes)
    return {
        "description": text(dcat.get("description"), "description", notes),
        "publisher": text(dcat.get("publisher"), "publisher", notes),
        "keywords": texts(dcat.get("keyword"), "keyword", notes),
        "themes": texts(dcat.get("theme"), "theme", notes),
        "issued": moment(dcat.get("issued"), "issued", notes),
        "modified": moment(dcat.get("modified"), "modified", notes),
        "license": _license(dcat, notes),
        "access_level": text(dcat.get("accessLevel") or dcat.get("accessRights"), "accessLevel", notes),
        "spatial": "; ".join(named_parts(dcat.get("spatial"), "spatial", notes)) or None,
        "temporal": "; ".join(periods(dcat.get("temporal"), notes)) or None,
        "landing_page": landing_page,
        "collection": collection_of(dcat, notes),
        "resources": resources_of(dcat.get("distribution"), landing_page, notes),
    }


def collection_of(dcat: dict[str, Json], notes: Notes) -> str | None:
    """The identifier of the collection (1.1: isPartOf) or series (3.0: inSeries) this is a part of."""
    for field in ("isPartOf", "inSeries"):
        value = dcat.get(field)
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict):
            first = first.get("identifier") or first.get("@id")
        if found := text(first, field, notes):
            return found
    return None


def _license(dcat: dict[str, Json], notes: Notes) -> str | None:
    """The dataset's licence; 3.0 has it on the distributions, of which the first that names one counts."""
    if found := text(dcat.get("license"), "license", notes):
        return found
    distributions = dcat.get("distribution")
    for item in distributions if isinstance(distributions, list) else [distributions]:
        if isinstance(item, dict) and (found := text(item.get("license"), _LICENCE_OF_DISTRIBUTION, notes)):
            return found
    return None


def periods(value: Json, notes: Notes) -> list[str]:
    """Periods as `start/end`, the form DCAT-US 1.1 writes them in; 3.0 has objects."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and ("startDate" in item or "endDate" in item):
            start = text(item.get("startDate"), "temporal", notes) or ".."
            end = text(item.get("endDate"), "temporal", notes) or ".."
            found.append(f"{start}/{end}")
        elif part := "; ".join(named_parts(item, "temporal", notes)):
            found.append(part)
    return found
