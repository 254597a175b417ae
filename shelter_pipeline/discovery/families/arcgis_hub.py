"""Datasets and documents of ArcGIS Hub and Open Data sites, on Esri's hosts and on sites' own.

An item is asked for what it is; a layer is exported by the Hub's download API as CSV and,
if it has a geometry, as GeoJSON too, because CSV loses it. An export is made on request
and answers 202 until it is ready. A service with several layers is read as a service.
ArcGIS REST API, Item and Item Data; ArcGIS Hub API v3 and download API v1.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.families.addresses import name_of, parameters
from shelter_pipeline.discovery.families.answers import (
    entries,
    items,
    mapping,
    no_record,
    record_of,
    shown,
    words,
)
from shelter_pipeline.discovery.families.arcgis import HUB, exports, refused
from shelter_pipeline.discovery.families.findings import Findings
from shelter_pipeline.discovery.families.readings import asked, file_lead, led, nothing_in
from shelter_pipeline.discovery.leads import Reading, Reply
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url

ITEMS = "https://www.arcgis.com/sharing/rest/content/items"
_ID = r"(?P<id>[0-9a-f]{32})"
_VIEW = r"(?:/(?:about|explore|data|api|map|documentation))?/?\Z"
_ITEM_PAGE = re.compile(
    rf"(?:/[^/]+)?/(?:datasets|maps|documents|content)/{_ID}(?:_(?P<layer>[0-9]{{1,4}}))?{_VIEW}"
)
_SLUG_PAGE = re.compile(
    rf"(?:/[^/]+)?/(?:datasets|maps|documents)/(?P<slug>[a-z0-9-]{{1,100}}::[a-z0-9-]{{1,200}}){_VIEW}",
    re.IGNORECASE,
)
_PORTAL_PAGE = re.compile(r"/(?:home/item\.html|home/webmap/viewer\.html|apps/mapviewer/(?:index\.html)?)\Z")
_PORTAL_ITEM = re.compile(rf"/sharing/rest/content/items/{_ID}/?\Z")
_PORTAL_DATA = re.compile(rf"/sharing/rest/content/items/{_ID}/data/?\Z")
_WHOLE_ID = re.compile(rf"{_ID}(?:_(?P<layer>[0-9]{{1,4}}))?\Z")
_LAYER_OF_SERVICE = re.compile(r"/(?:Feature|Map)Server/(?P<layer>[0-9]{1,4})/?\Z", re.IGNORECASE)
# Items that are a file; the names are those of the REST API's list of item types.
_FILES = frozenset(
    {
        "CSV",
        "CSV Collection",
        "Shapefile",
        "File Geodatabase",
        "GeoJson",
        "GeoPackage",
        "KML",
        "KML Collection",
        "Microsoft Excel",
        "Microsoft Word",
        "Microsoft Powerpoint",
        "PDF",
        "Image",
        "Image Collection",
        "SQLite Geodatabase",
        "Layer Package",
        "Map Package",
        "Tile Package",
        "Vector Tile Package",
        "Scene Package",
        "CAD Drawing",
        "Project Package",
        "Service Definition",
        "Statistical Data Collection",
        "Apache Parquet",
        "iWork Numbers",
        "Visio Document",
        "Code Sample",
    }
)


class ArcgisHub:
    """Items of ArcGIS Online as Hub sites and the portal's own pages show them."""

    slug = "arcgis-hub"

    def enter(self, url: Url) -> Reading | None:
        """The item's or layer's API page; the data of a file item at once."""
        path = unquote(url.path)
        name = name_of(url)
        if (reading := self._of_site(path)) is not None:
            return reading
        return self._of_portal(url, path) if name == "arcgis.com" or name.endswith(".arcgis.com") else None

    def _of_site(self, path: str) -> Reading | None:
        """Pages of Hub sites, which have hosts of their own."""
        if match := _ITEM_PAGE.match(path):
            if not match["layer"]:
                return self._item(match["id"])
            layer = f"{HUB}/v3/datasets/{match['id']}_{match['layer']}"
            return asked(layer, self.slug, why="arcgis-hub-layer")
        if match := _SLUG_PAGE.match(path):
            slug = quote(match["slug"].lower(), safe=":")
            return asked(f"{HUB}/v3/datasets?filter[slug]={slug}", self.slug, why="arcgis-hub-slug")
        return None

    def _of_portal(self, url: Url, path: str) -> Reading | None:
        """Pages of ArcGIS Online itself."""
        if match := _PORTAL_DATA.match(path):
            return led(file_lead(f"{ITEMS}/{match['id']}/data", why="arcgis-item-data"))
        if match := _PORTAL_ITEM.match(path):
            return self._item(match["id"])
        given = parameters(url) if _PORTAL_PAGE.match(path) else {}
        match = _WHOLE_ID.match(given.get("id") or given.get("webmap") or given.get("layers") or "")
        return self._item(match["id"]) if match else None

    def _item(self, identity: str) -> Reading:
        return asked(f"{ITEMS}/{identity}?f=json", self.slug, why="arcgis-item")

    def read(self, reply: Reply, url: Url) -> Reading:  # noqa: ARG002
        """The exports of a layer, the file of an item, or the service behind it."""
        record = mapping(record_of(reply))
        if "error" in record:
            return refused(record["error"])
        if "errors" in record:
            raise _unknown()
        found = Findings(self.slug)
        if "data" in record:
            return _read_dataset(found, record["data"])
        match = _WHOLE_ID.match(words(record.get("id")))
        if match is None or "type" not in record:
            raise no_record("an item of ArcGIS")
        return _read_item(found, match["id"], record)


def _read_dataset(found: Findings, data: Json) -> Reading:
    """The Hub's own record of a dataset: one, or the answers of a search by slug."""
    for item in entries(data if isinstance(data, list) else [data])[:1]:
        match = _WHOLE_ID.match(words(item.get("id")))
        attributes = mapping(item.get("attributes"))
        if match is None:
            raise no_record("a dataset of ArcGIS Hub")
        if match["layer"]:
            has_geometry = bool(words(attributes.get("geometryType")))
            title = shown(attributes.get("name"))
            return _exported(found, match["id"], int(match["layer"]), title, has_geometry=has_geometry)
        return _read_item(found, match["id"], attributes)
    raise _unknown()


def _unknown() -> PermanentError:
    return PermanentError("ArcGIS Hub knows no such dataset", reason="not-found")


def _read_item(found: Findings, identity: str, item: dict[str, Json]) -> Reading:
    kind, title, address = (words(item.get(key)) for key in ("type", "title", "url"))
    if kind in _FILES:
        found.file(
            f"{ITEMS}/{identity}/data",
            words(item.get("name")) or title,
            why="arcgis-item-data",
            size=item.get("size") or None,  # minus one where nobody counted
        )
        return found.reading(of="the item")
    keywords = items(item.get("typeKeywords"))
    layer = _LAYER_OF_SERVICE.search(address)
    if kind == "Feature Service" and (layer or "Singlelayer" in keywords):
        number = int(layer["layer"]) if layer else 0
        return _exported(found, identity, number, shown(title), has_geometry="Table" not in keywords)
    if address and (kind.endswith(("Service", "Link")) or kind in ("WMS", "WFS", "WMTS", "KML")):
        found.elsewhere(address, why="arcgis-item-url", label=title)
        return found.reading(of="the item")
    return nothing_in(f"the item is a {kind or 'thing'} of ArcGIS and holds no file")


def _exported(found: Findings, item: str, layer: int, title: str, *, has_geometry: bool) -> Reading:
    for lead in exports(item, layer, label=title, has_geometry=has_geometry):
        found.take(lead)
    return found.reading(of="the layer")
