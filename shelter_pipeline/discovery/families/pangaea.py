"""Datasets of PANGAEA (www.pangaea.de): tables made on request, and archives of them.

The record is schema.org JSON-LD. A table is written anew for every download, so its size
is not known and nothing is promised. A collection is its archive, else its parts.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from shelter_pipeline.discovery.families.addresses import name_of, parameters
from shelter_pipeline.discovery.families.answers import entries, mapping, no_record, record_of, words
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.families.readings import asked, file_lead, led
from shelter_pipeline.discovery.leads import Reading, Reply
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url

HOME = "https://doi.pangaea.de/10.1594"
_HOSTS = frozenset({"doi.pangaea.de", "www.pangaea.de", "pangaea.de"})
_DATASET = re.compile(r"/10\.1594/(?P<id>PANGAEA\.[0-9]{1,9})/?\Z", re.IGNORECASE)
_IN_TEXT = re.compile(r"10\.1594/(?P<id>PANGAEA\.[0-9]{1,9})\Z", re.IGNORECASE)
_FORMS_OF_DATA = frozenset({"textfile", "zip"})
_PAGES = frozenset({"text/html", ""})


class Pangaea:
    """Tables and collections of tables."""

    slug = "pangaea"

    def enter(self, url: Url) -> Reading | None:
        """The dataset's record; a download at once."""
        match = _DATASET.match(unquote(url.path)) if name_of(url) in _HOSTS else None
        if match is None:
            return None
        form = parameters(url).get("format", "").lower()
        dataset = f"{HOME}/{match['id'].upper()}"
        if form in _FORMS_OF_DATA:
            return led(file_lead(f"{dataset}?format={form}", why="pangaea-file"))
        return asked(f"{dataset}?format=metadata_jsonld", self.slug, why="pangaea-record")

    def read(self, reply: Reply, url: Url) -> Reading:
        """The downloads that the record lists; the parts of a collection that has none."""
        record = mapping(record_of(reply))
        if "@type" not in record:
            raise no_record("a record of PANGAEA")
        found = Findings(self.slug)
        if record.get("isAccessibleForFree") is False:
            found.withhold("the dataset", words(record.get("conditionsOfAccess")) or "not free")
            return found.reading(of="the record")
        files = [item for item in _listed(record.get("distribution")) if _is_data(item)]
        for item in files:
            form = words(item.get("encodingFormat"))
            found.file(words(item.get("contentUrl")), _name(item, url), why="pangaea-file", media_type=form)
        if not files:
            for part in _listed(record.get("hasPart")):
                match = _IN_TEXT.search(words(part.get("@id")) or words(part.get("url")))
                if match:
                    found.api(f"{HOME}/{match['id'].upper()}?format=metadata_jsonld", why="pangaea-part")
        return found.reading(of="the record")


def _listed(value: Json) -> list[dict[str, Json]]:
    return entries(value if isinstance(value, list) else [value])


def _is_data(item: dict[str, Json]) -> bool:
    return words(item.get("encodingFormat")).lower() not in _PAGES and bool(words(item.get("contentUrl")))


def _name(item: dict[str, Json], url: Url) -> str:
    ending = {"text/tab-separated-values": ".tab", "application/zip": ".zip"}
    return url.path.rpartition("/")[2] + ending.get(words(item.get("encodingFormat")).lower(), "")
