"""GET /data.json: the whole catalogue as one DCAT-US 1.1 document (Project Open Data schema v1.1).

This is the publishers' own wording, so odd types stand as they were written, a missing
organization has to be read from the publisher, and the rows that nobody can keep stand
between the others.
"""

from __future__ import annotations

from shelter_pipeline.domain.records import Json
from shelter_pipeline.sample.catalogue import Catalogue, Dataset, spoil
from shelter_pipeline.sample.replies import Reply, json_reply

_SCHEMA = "https://project-open-data.cio.gov/v1.1/schema"
_LOST = {"identifier": ("identifier",), "title": ("title",)}


def record(row: Dataset) -> Json:
    """One entry of `dataset`."""
    return spoil(row.record, row, _LOST)


def data_json(catalogue: Catalogue) -> Reply:
    """The catalogue document."""
    return json_reply(
        {
            "@context": f"{_SCHEMA}/catalog.jsonld",
            "@id": f"{catalogue.base_url}/data.json",
            "@type": "dcat:Catalog",
            "conformsTo": _SCHEMA,
            "describedBy": f"{_SCHEMA}/catalog.json",
            "dataset": [record(row) for row in catalogue.rows],
        }
    )
