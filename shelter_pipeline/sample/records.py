"""An ordinary dataset's DCAT-US 1.1 record: texts, dates, and the links to its files.

The habits of real records are kept in proportion: formats are blank on two links of
five, sizes are almost always missing, some lists share a codebook, some datasets have a
landing page beside their files, and some have no link at all.
"""

from __future__ import annotations

from shelter_pipeline.domain.records import Json, slugify
from shelter_pipeline.sample.content import content_of
from shelter_pipeline.sample.dice import choose, happens, identity, number
from shelter_pipeline.sample.faults import Does, Spot
from shelter_pipeline.sample.quirks import MB
from shelter_pipeline.sample.site import Site
from shelter_pipeline.sample.words import KEYWORDS, LICENSES, MEASURES, PLACES, PURPOSES, THEMES, Publisher
from shelter_pipeline.sample.writing import Record, distribution

_LINKS = (1, 1, 2, 2, 2, 2, 3, 4)
_BIG_FILES = {
    ("noaa-gov", 30): 5 * MB,
    ("noaa-gov", 40): 3 * MB,
    ("nasa-gov", 20): 4 * MB,
    ("usgs-gov", 20): 2 * MB,
    ("census-gov", 20): 2 * MB,
    ("usda-gov", 3): 1 * MB,
}
# One list of stations that datasets of three organizations name.
_STATIONS = "/files/noaa-gov/shared/stations.csv"
_NAME_STATIONS = frozenset({("noaa-gov", 12), ("noaa-gov", 13), ("nps-gov", 2), ("dot-gov", 4)})
_COLLECTION = ("census-gov", 30)  # its children are the next four


def describe(publisher: Publisher, at: int) -> Record:
    """Everything of a record but its links."""
    name = f"{publisher.slug}/{at}"
    topic, place = choose(f"{name}/topic", publisher.topics), choose(f"{name}/place", PLACES)
    begin = 1950 + number(f"{name}/begin", 70)
    end = begin + number(f"{name}/years", 2025 - begin)
    record: Record = {
        "@type": "dcat:Dataset",
        "identifier": _identifier(publisher, at),
        "title": f"{topic} {choose(f'{name}/measure', MEASURES)}, {place}, {begin}-{end}",
        "description": f"{topic} for the {place} from {begin} to {end}, published by the {publisher.name}. "
        + choose(f"{name}/purpose", PURPOSES),
        "keyword": sorted({slugify(topic), choose(f"{name}/k1", KEYWORDS), choose(f"{name}/k2", KEYWORDS)}),
        "theme": [choose(f"{name}/theme", THEMES)],
        "issued": f"{min(begin + 10, 2020)}-01-15",
        "modified": f"{2016 + number(f'{name}/m', 10)}-{1 + number(f'{name}/mm', 12):02d}-28",
        "temporal": f"{begin}-01-01T00:00:00Z/{end}-12-31T00:00:00Z",
        "publisher": {"@type": "org:Organization", "name": publisher.name},
        "contactPoint": {
            "@type": "vcard:Contact",
            "fn": "Open Data Desk",
            "hasEmail": f"mailto:opendata@{publisher.slug}.invalid",
        },
        "accessLevel": "public",
        "bureauCode": [f"0{10 + number(publisher.slug, 80)}:00"],
        "programCode": [f"0{10 + number(publisher.slug, 80)}:000"],
        "license": choose(f"{name}/license", LICENSES),
        "language": ["en-US"],
    }
    return record | _spatial(name) | _membership(publisher, at)


def _identifier(publisher: Publisher, at: int) -> str:
    name = f"{publisher.slug}/{at}"
    plain = f"{publisher.slug.upper()}-{at:05d}"
    guid = f"{{{identity(f'guid/{name}').upper()}}}"
    return choose(
        f"{name}/identifier", (plain, plain, guid, f"https://data.{publisher.slug}.invalid/id/{at}")
    )


def _spatial(name: str) -> Record:
    west, south = -125 + number(f"{name}/west", 50), 25 + number(f"{name}/south", 20)
    box = f"{west}.0,{south}.0,{west + 5}.5,{south + 4}.25"
    shape = {"type": "Point", "coordinates": [west, south]}
    value: Json = choose(f"{name}/spatial", ("", "", "", box, box, box, box, "United States", shape, None))
    return {} if value == "" else {"spatial": value}


def _membership(publisher: Publisher, at: int) -> Record:
    organization, parent = _COLLECTION
    if publisher.slug != organization or not parent < at <= parent + 4:
        return {}
    return {"isPartOf": _identifier(publisher, parent)}


def ordinary_links(site: Site, publisher: Publisher, at: int, title: str) -> Record:
    """The `distribution` of an ordinary dataset, its files put on the site, and at times a `landingPage`."""
    name = f"{publisher.slug}/{at}"
    clean = (publisher.slug, at) in _NAME_STATIONS or (publisher.slug, at) in _BIG_FILES
    if happens(f"{name}/bare", 6) and not clean:
        return {"distribution": []} if happens(f"{name}/empty", 50) else {}
    paths = _files(site, publisher, at, title)
    record: Record = {"distribution": [_distribution(site, path) for path in paths]}
    if happens(f"{name}/landing", 6):
        page = Spot(f"/pages/{publisher.slug}/{at}", Does.LANDING, title=title, links=tuple(paths))
        record["landingPage"] = site.place(page)
    return record


def _files(site: Site, publisher: Publisher, at: int, title: str) -> list[str]:
    """Put the files of a dataset on the site; returns their paths."""
    name = f"{publisher.slug}/{at}"
    stem = f"/files/{publisher.slug}/{2010 + number(f'{name}/folder', 15)}/{slugify(title, limit=40)}-{at}"
    big = _BIG_FILES.get((publisher.slug, at))
    paths = []
    for part in range(choose(f"{name}/links", _LINKS)):
        again = f"-part-{part}" if part >= len(publisher.formats) else ""
        path = f"{stem}{again}.{publisher.formats[part % len(publisher.formats)]}"
        site.place(Spot(path, size=big if big and part == 0 else _size(path)))
        paths.append(path)
    return paths + _shared(site, publisher, at)


def _shared(site: Site, publisher: Publisher, at: int) -> list[str]:
    shared = [_STATIONS] if (publisher.slug, at) in _NAME_STATIONS else []
    if happens(f"{publisher.slug}/{at}/codebook", 8):
        shared.append(f"/files/{publisher.slug}/shared/codebook.pdf")
    for path in shared:
        site.place(Spot(path, size=48_000))
    return shared


def _size(path: str) -> int:
    """From 0.1 to 400 kB, as many small as large on a logarithmic scale."""
    least = 100 << number(f"{path}/scale", 12)
    return least + number(f"{path}/size", least)


def _distribution(site: Site, path: str) -> Record:
    record = distribution(site.url(path))
    if happens(f"{path}/title", 70):
        record["title"] = f"{record['format'] or 'Data'} file"
    if happens(f"{path}/blank", 40):
        record |= {"format": "", "mediaType": choose(f"{path}/media", ("application/unknown", ""))}
    spot = site.at(path)
    if spot and happens(f"{path}/sized", 5):
        record["byteSize"] = str(content_of(path, spot.size).size)
    if spot and happens(f"{path}/summed", 2):
        record["checksum"] = {
            "@type": "spdx:Checksum",
            "algorithm": "http://spdx.org/rdf/terms#checksumAlgorithm_sha256",
            "checksumValue": content_of(path, spot.size).sha256(),
        }
    return record
