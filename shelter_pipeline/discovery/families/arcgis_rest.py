"""ArcGIS REST services: the descriptions are saved; layers hosted by ArcGIS Online lead to exports of Hub.

The services directory answers in JSON with `f=json` (ArcGIS REST API, Feature Service and Map
Service). Records come in pages of `maxRecordCount` at most, which is no bulk export. ArcGIS
Online knows each of its hosted services as an item, and Hub's download interface makes whole
files of items. Servers of an organization's own name items too, which Hub does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shelter_pipeline.discovery.families.addresses import name_of, site_of
from shelter_pipeline.discovery.families.answers import entries, no_record, object_of, shown, whole
from shelter_pipeline.discovery.families.arcgis import exports, refused
from shelter_pipeline.discovery.families.readings import asked, description, led, only_described
from shelter_pipeline.discovery.leads import Lead, Reading, Reply
from shelter_pipeline.domain.urls import Url

MAX_LAYERS = 500
_WITH_LAYERS = frozenset({"featureserver", "mapserver"})
_TYPES = (
    "feature|map|image|geocode|geodata|geometry|gp|globe|mobile|na|scene|stream|vectortile"
    "|versionmanagement|utilitynetwork"
)
_SERVICE = re.compile(
    rf"(?P<before>(?:/[^/]{{1,300}}){{0,8}}?)/(?:rest/)?services(?P<name>(?:/[^/]{{1,300}}){{1,5}}?"
    rf"/(?P<type>(?:{_TYPES})server))(?:/(?P<layer>[0-9]{{1,6}}))?(?:/.*)?\Z",
    re.IGNORECASE,
)
_FOLDER = re.compile(
    r"(?P<root>/(?:[^/]{1,300}/){0,8}?rest/services(?:/[^/]{1,300}){0,4}?)/?\Z", re.IGNORECASE
)
_ITEM = re.compile(r"[0-9a-f]{32}\Z")
_DESCRIPTION = "a description of an ArcGIS service"


class ArcgisRest:
    """The family of ArcGIS services."""

    slug = "arcgis-rest"

    def enter(self, url: Url) -> Reading | None:
        """The question what a service or a layer is; the description alone where nothing could be exported."""
        if "services/" not in f"{url.path.lower()}/":
            return None
        match = _SERVICE.match(url.path)
        if match is None:
            return _folder(url)
        root = _root(url, match)
        if match["type"].lower() not in _WITH_LAYERS:
            return only_described(
                [_document(root)], f"an ArcGIS {match['type']}: it hands out no whole files"
            )
        described = root if match["layer"] is None else f"{root}/{match['layer']}"
        return asked(f"{described}?f=json", self.slug, why="service-description")

    def read(self, reply: Reply, url: Url) -> Reading:
        """The descriptions to be saved of the service or layer, and the exports of its layers.

        Raises PermanentError `wrong-type` for what describes no service, and what the error inside the
        reply means.
        """
        told = object_of(reply, of=_DESCRIPTION)
        if told.get("error") is not None:
            return refused(told["error"])
        match = _SERVICE.match(url.path)
        if match is None or not _describes(told):
            raise no_record(_DESCRIPTION)
        root = _root(url, match)
        if match["layer"] is None:
            layers = [layer for layer in _layers_of(told) if _holds_records(layer)]
            leads = [_document(root), _document(f"{root}/layers")]
        else:
            layers = [told] if _holds_records(told) else []
            leads = [_document(root), _document(f"{root}/{match['layer']}")]
        return _reading(url, told, layers, leads)


def _root(url: Url, match: re.Match[str]) -> str:
    """The service's URL in the REST directory, for its SOAP address too."""
    return f"{site_of(url)}{match['before']}/rest/services{match['name']}"


def _folder(url: Url) -> Reading | None:
    match = _FOLDER.match(url.path)
    if match is None:
        return None
    root = f"{site_of(url)}{match['root']}"
    return only_described([_document(root)], "a folder of ArcGIS services, which is no one dataset")


def _document(url: str) -> Lead:
    return description(f"{url}?f=json", "json")


def _describes(told: dict[str, Any]) -> bool:
    return "currentVersion" in told or "layers" in told or ("id" in told and "type" in told)


def _layers_of(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("layers", "tables"):
        yield from entries(told.get(name))


def _holds_records(layer: dict[str, Any]) -> bool:
    """Whether it is a layer or a table with a number, and no group of others or picture."""
    kind = shown(layer.get("type")).lower()
    is_container = (
        bool(layer.get("subLayerIds")) or "group" in kind or "raster" in kind or "annotation" in kind
    )
    return whole(layer.get("id")) is not None and not is_container


def _reading(url: Url, told: dict[str, Any], layers: list[dict[str, Any]], leads: list[Lead]) -> Reading:
    limit = whole(told.get("maxRecordCount"))
    detail = f"an ArcGIS service with {len(layers)} layers and tables" + (
        f", at most {limit} records an answer (maxRecordCount)" if limit else ""
    )
    item = _exported_item(url, told)
    if item is None or not layers:
        return only_described(leads, f"{detail}: no documented export of whole files")
    kept = layers[:MAX_LAYERS]
    left = len(layers) - len(kept)
    notes = (f"{left} layers beyond the first {MAX_LAYERS} were passed over",) if left else ()
    files = [file for layer in kept for file in _exports(item, layer)]
    return led(*leads, *files, detail=detail, notes=notes)


def _exported_item(url: Url, told: dict[str, Any]) -> str | None:
    """The item of a service that ArcGIS Online hosts and that lets its records be queried."""
    item = shown(told.get("serviceItemId")).lower()
    is_hosted = name_of(url).endswith(".arcgis.com")
    capabilities = shown(told.get("capabilities")).lower()
    may_query = not capabilities or "query" in capabilities or "extract" in capabilities
    return item if is_hosted and may_query and _ITEM.match(item) else None


def _exports(item: str, layer: dict[str, Any]) -> Iterator[Lead]:
    number, has_geometry = whole(layer.get("id")), bool(layer.get("geometryType"))
    if number is not None:
        yield from exports(item, number, label=shown(layer.get("name")), has_geometry=has_geometry)
