"""Datasets and documents of ArcGIS Hub and Open Data sites, on Esri's hosts and on sites' own.

An item is asked for what it is; a layer is exported by the Hub's download API as CSV and,
if it has a geometry, as GeoJSON too, because CSV loses it. An export is made on request
and answers 202 until it is ready. A service with several layers is read as a service.
ArcGIS REST API, Item and Item Data; ArcGIS Hub API v3 and download API v1.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from shelter_pipeline.discovery.families.findings import (
    LANDING_PAGE_ONLY,
    LOGIN_REQUIRED,
    Findings,
    entries,
    mapping,
    name_of,
    no_record,
    one_api_page,
    one_file,
    parameters,
    record_of,
    settled,
    words,
)
from shelter_pipeline.discovery.leads import Reading, Reply, What
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url

HUB = "https://hub.arcgis.com/api"
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
_NO_ACCESS = frozenset({401, 403, 498, 499})
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
            return one_api_page(self.slug, layer, why="arcgis-hub-layer")
        if match := _SLUG_PAGE.match(path):
            slug = quote(match["slug"].lower(), safe=":")
            return one_api_page(self.slug, f"{HUB}/v3/datasets?filter[slug]={slug}", why="arcgis-hub-slug")
        return None

    def _of_portal(self, url: Url, path: str) -> Reading | None:
        """Pages of ArcGIS Online itself."""
        if match := _PORTAL_DATA.match(path):
            return one_file(f"{ITEMS}/{match['id']}/data", why="arcgis-item-data")
        if match := _PORTAL_ITEM.match(path):
            return self._item(match["id"])
        given = parameters(url) if _PORTAL_PAGE.match(path) else {}
        match = _WHOLE_ID.match(given.get("id") or given.get("webmap") or given.get("layers") or "")
        return self._item(match["id"]) if match else None

    def _item(self, identity: str) -> Reading:
        return one_api_page(self.slug, f"{ITEMS}/{identity}?f=json", why="arcgis-item")

    def read(self, reply: Reply, url: Url) -> Reading:  # noqa: ARG002
        """The exports of a layer, the file of an item, or the service behind it."""
        record = mapping(record_of(reply))
        if "error" in record or "errors" in record:
            return _refused(record)
        found = Findings(self.slug)
        if "data" in record:
            return _read_dataset(found, record["data"])
        match = _WHOLE_ID.match(words(record.get("id")))
        if match is None or "type" not in record:
            raise no_record("an item of ArcGIS")
        return _read_item(found, match["id"], record)


def _refused(record: dict[str, Json]) -> Reading:
    """An error that came with status 200, which is ArcGIS's habit."""
    error = mapping(record.get("error"))
    said = words(error.get("message"))[:160] or "no reason is given"
    if error.get("code") in _NO_ACCESS:
        return settled(LOGIN_REQUIRED, f"ArcGIS says: {said}", what=What.RECORD)
    raise PermanentError(f"ArcGIS says: {said}", reason="not-found")


def _read_dataset(found: Findings, data: Json) -> Reading:
    """The Hub's own record of a dataset: one, or the answers of a search by slug."""
    for item in entries(data if isinstance(data, list) else [data])[:1]:
        match = _WHOLE_ID.match(words(item.get("id")))
        attributes = mapping(item.get("attributes"))
        if match is None:
            raise no_record("a dataset of ArcGIS Hub")
        if match["layer"]:
            has_geometry = bool(words(attributes.get("geometryType")))
            _export(
                found, match["id"], match["layer"], words(attributes.get("name")), has_geometry=has_geometry
            )
            return found.reading(of="the dataset")
        return _read_item(found, match["id"], attributes)
    raise PermanentError("ArcGIS Hub knows no dataset of this name", reason="not-found")


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
    keywords = item.get("typeKeywords")
    keywords = keywords if isinstance(keywords, list) else []
    layer = _LAYER_OF_SERVICE.search(address)
    if kind == "Feature Service" and (layer or "Singlelayer" in keywords):
        _export(
            found, identity, layer["layer"] if layer else "0", title, has_geometry="Table" not in keywords
        )
        return found.reading(of="the item")
    if address and (kind.endswith(("Service", "Link")) or kind in ("WMS", "WFS", "WMTS", "KML")):
        found.elsewhere(address, why="arcgis-item-url", label=title)
        return found.reading(of="the item")
    return settled(
        LANDING_PAGE_ONLY, f"the item is a {kind or 'thing'} of ArcGIS and holds no file", what=What.RECORD
    )


def _export(found: Findings, identity: str, layer: str, title: str, *, has_geometry: bool) -> None:
    for form in ("csv", "geojson") if has_geometry else ("csv",):
        found.file(
            f"{HUB}/download/v1/items/{identity}/{form}?layers={layer}&redirect=true",
            f"{title or identity}.{form}",
            why="arcgis-hub-download",
        )
