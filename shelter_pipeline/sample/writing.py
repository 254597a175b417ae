"""How a publisher writes one distribution of a record (DCAT-US 1.1)."""

from __future__ import annotations

from shelter_pipeline.domain.records import Json
from shelter_pipeline.sample.content import kind_of

Record = dict[str, Json]


def distribution(url: str, *, field: str = "downloadURL", **more: Json) -> Record:
    """A DCAT-US distribution as agencies write it: kind by the name, unless told."""
    kind = kind_of(url.partition("?")[0])
    record = {"@type": "dcat:Distribution", field: url, "mediaType": kind.media_type, "format": kind.format}
    return {key: value for key, value in {**record, **more}.items() if value is not None}
