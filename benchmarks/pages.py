"""Generated catalogues: every record follows from its position alone, so two runs serve the same bytes.

Fields and lengths are those of real records, about 4 kB each. A position can be read back
from an identity, a slug and a cursor, so that a server needs no index of them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from benchmarks.shape import Organization, Shape

_TOPICS = (
    "Streamflow",
    "Census Tract",
    "Air Quality",
    "Land Cover",
    "Sea Surface Temperature",
    "Traffic Count",
)
_PLACES = ("Alaska", "Puerto Rico", "Cañon City", "Lake Michigan", "Travis County", "New Mexico", "Guam")
_MEASURES = ("Annual Summary", "Boundary File", "Station Observations", "Gridded Estimates", "Inventory")
_FORMATS = (
    ("csv", "text/csv"),
    ("zip", "application/zip"),
    ("json", "application/json"),
    ("html", "text/html"),
    ("xml", "application/xml"),
    ("pdf", "application/pdf"),
)
_SENTENCES = (
    "Values were checked by the collecting office before they were published — see the methods report.",
    "The geographic extent follows the administrative boundaries in force on January 1 of each year.",
    "Missing observations are coded -9999 and estimated values carry the flag E in the quality column.",
    "This release replaces the one of the year before and adds the stations that were opened since.",
    "Users are asked to cite the producing agency and the date on which the files were retrieved.",
    "Coordinates are given in NAD83 (EPSG:4269) to five decimal places.",
    "Monthly means are computed only where at least 20 daily values are present.",
    "The accompanying dictionary names each column, its unit, and the instrument it was read from.",
)
UNCHANGED, CHANGED = b"Revision 0000.", b"Revision 0001."  # of one length


def identity(position: int) -> str:
    """A UUID that sorts as its position does."""
    return f"{position:08x}-{position * 40503 % 65536:04x}-5000-8000-{position * 2654435761 % 2**48:012x}"


def position_of(identifier: str) -> int:
    """The position that an `identity` stands for. ValueError for what is none."""
    return int(identifier[:8], 16)


def cursor_after(position: int) -> str:
    """The `after` of data.gov's search: base64url of the sort values of the last hit."""
    values = msgspec.json.encode([1.0, popularity(position), identity(position)])
    return base64.urlsafe_b64encode(values).decode().rstrip("=")


def position_after(cursor: str) -> int:
    """The position that comes after a cursor. ValueError for what is none."""
    values = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return position_of(values[-1]) + 1


def slug(position: int) -> str:
    """The dataset's name in its portal; `slug_position` takes it back."""
    topic = _TOPICS[position % len(_TOPICS)].lower().replace(" ", "-")
    measure = _MEASURES[position // 7 % len(_MEASURES)].lower().replace(" ", "-")
    return f"{topic}-{measure}-{position:07d}"


def slug_position(name: str) -> int:
    """The position of a slug, or of an identity. ValueError for what is neither."""
    last = name.rsplit("-", 1)[-1]
    return int(last) if len(last) == 7 else position_of(name)


def popularity(position: int) -> int:
    """Visits a month: few for most."""
    return 40_000 // (position % 9973 + 1)


@dataclass(frozen=True, slots=True)
class _Words:
    """What all shapes of the dataset at one position say."""

    slug: str
    title: str
    description: str
    keywords: tuple[str, ...]
    modified: str
    publisher: Organization
    links: tuple[tuple[str, str, str], ...]  # name, URL, media type


def _words(shape: Shape, position: int) -> _Words:
    topic, place = _TOPICS[position % len(_TOPICS)], _PLACES[position // 3 % len(_PLACES)]
    measure = _MEASURES[position // 7 % len(_MEASURES)]
    name = slug(position)
    sentences = " ".join(_SENTENCES[(position + 3 * at) % len(_SENTENCES)] for at in range(3 + position % 6))
    links = []
    for at in range(shape.links(position)):
        extension, media_type = _FORMATS[(position + at) % len(_FORMATS)]
        url = f"https://data.agency.example/{position % 977:03d}/{name}/part-{at:03d}.{extension}"
        links.append((f"{topic} part {at + 1} ({extension.upper()})", url, media_type))
    return _Words(
        slug=name,
        title=f"{topic} {measure}, {place}, {1950 + position % 70}-{2020 + position % 6} ({position})",
        description=f"{UNCHANGED.decode()} {topic} for {place}. {sentences}",
        keywords=(topic.lower(), place.lower(), measure.lower(), f"series-{position % 400}", "open-data"),
        modified=f"{2012 + position % 14}-{1 + position % 12:02d}-{1 + position % 28:02d}",
        publisher=shape.organization(position),
        links=tuple(links),
    )


def datagov_hit(shape: Shape, position: int) -> bytes:
    """One hit of data.gov's `/search`."""
    words = _words(shape, position)
    owner = words.publisher
    record = f"https://catalog.example/harvest_record/{identity(position)}"
    dcat = _dcat(words, position)
    hit = {
        "_score": 1.0,
        "_sort": [1.0, popularity(position), identity(position)],
        "dcat": dcat,
        "description": words.description,
        "distribution_titles": [],
        "harvest_record": record,
        "harvest_record_raw": f"{record}/raw",
        "has_download": True,
        "has_spatial": False,
        "identifier": dcat["identifier"],
        "keyword": words.keywords,
        "last_harvested_date": shape.read_at(position).replace(tzinfo=None).isoformat(),
        "organization": {
            "aliases": [""],
            "description": None,
            "id": identity(owner.first),
            "logo": f"https://catalog.example/logos/{owner.slug}.png",
            "name": owner.name,
            "organization_type": owner.kind,
            "slug": owner.slug,
        },
        "popularity": popularity(position),
        "publisher": owner.name,
        "slug": words.slug,
        "spatial_centroid": None,
        "spatial_shape": None,
        "theme": ["geospatial"],
        "title": words.title,
        "type": "dataset",
    }
    return msgspec.json.encode(hit)


def dcat_dataset(shape: Shape, position: int) -> bytes:
    """One dataset of a DCAT-US 1.1 document."""
    return msgspec.json.encode(_dcat(_words(shape, position), position))


def _dcat(words: _Words, position: int) -> dict[str, object]:
    return {
        "@type": "dcat:Dataset",
        "accessLevel": "public",
        "bureauCode": [f"0{10 + position % 80}:00"],
        "contactPoint": {
            "@type": "vcard:Contact",
            "fn": "Data Desk",
            "hasEmail": "mailto:data@agency.example",
        },
        "description": words.description,
        "distribution": [
            {
                "@type": "dcat:Distribution",
                "describedBy": f"{url}.columns.json",
                "describedByType": "application/json",
                "downloadURL": url,
                "mediaType": media_type,
                "title": name,
            }
            for name, url, media_type in words.links
        ],
        "identifier": f"https://data.agency.example/id/{words.slug}",
        "issued": "2011-03-04",
        "keyword": words.keywords,
        "language": ["en-US"],
        "license": "http://www.usa.gov/publicdomain/label/1.0/",
        "modified": words.modified,
        "programCode": ["010:000"],
        "publisher": {"@type": "org:Organization", "name": words.publisher.name},
        "spatial": "-125.0,24.5,-66.9,49.4",
        "temporal": "1990-01-01T00:00:00Z/2020-12-31T00:00:00Z",
        "theme": ["geospatial"],
        "title": words.title,
    }


def ckan_package(shape: Shape, position: int) -> bytes:
    """One package of a CKAN portal."""
    words = _words(shape, position)
    changed = shape.changed_at(position).replace(tzinfo=None).isoformat()
    package = {
        "author": None,
        "id": identity(position),
        "isopen": True,
        "license_id": "us-pd",
        "license_title": "U.S. Public Domain",
        "maintainer": "Data Desk",
        "metadata_created": "2020-11-10T08:00:00.729216",
        "metadata_modified": changed,
        "name": words.slug,
        "notes": words.description,
        "num_resources": len(words.links),
        "num_tags": len(words.keywords),
        "organization": {
            "id": identity(words.publisher.first),
            "name": words.publisher.slug,
            "title": words.publisher.name,
            "type": "organization",
            "is_organization": True,
            "state": "active",
        },
        "private": False,
        "state": "active",
        "title": words.title,
        "type": "dataset",
        "extras": [
            {"key": "accessLevel", "value": "public"},
            {"key": "identifier", "value": words.slug},
            {"key": "modified", "value": words.modified},
            {"key": "publisher", "value": words.publisher.name},
        ],
        "groups": [],
        "resources": [
            {
                "created": "2025-05-05T08:44:08.574976",
                "description": "",
                "format": url.rsplit(".", 1)[-1].upper(),
                "hash": "",
                "id": identity(position * 64 + at),
                "last_modified": None,
                "metadata_modified": changed,
                "mimetype": media_type,
                "name": name,
                "package_id": identity(position),
                "position": at,
                "size": None,
                "state": "active",
                "url": url,
            }
            for at, (name, url, media_type) in enumerate(words.links)
        ],
        "tags": [{"display_name": word, "id": identity(position), "name": word} for word in words.keywords],
    }
    return msgspec.json.encode(package)


RECORDS: dict[str, Callable[[Shape, int], bytes]] = {
    "datagov": datagov_hit,
    "ckan": ckan_package,
    "dcat_us": dcat_dataset,
}
