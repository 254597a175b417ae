"""Web services of the OGC (WMS, WFS, WCS, WMTS, CSW, SOS, WPS): their capabilities are saved, nothing else.

A request of any kind to a service leads to the same GetCapabilities request (OGC 06-121r9,
section 7): what belongs to the request is dropped, what the server needs to find the
service, such as MapServer's `map`, is kept. GetFeature and GetCoverage are no bulk exports:
servers cut the answer at a limit of their own, and in most formats it does not say so.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from shelter_pipeline.discovery.families.addresses import parameters, query_of, site_of
from shelter_pipeline.discovery.families.readings import AsksNothing, description, only_described
from shelter_pipeline.discovery.leads import Reading
from shelter_pipeline.domain.urls import Url

_SERVICES = frozenset({"wms", "wfs", "wcs", "wmts", "csw", "sos", "wps"})
_SEGMENTS = frozenset({*_SERVICES, "ows", *(f"{service}server" for service in (*_SERVICES, "ows"))})
_END = re.compile(r"/(wms|wfs|wcs|wmts|csw|sos|wps|ows)(?:server)?/?\Z", re.IGNORECASE)
_ABOVE_NAME = re.compile(r"/(wms|wfs|wcs)/[^./]{1,300}\Z", re.IGNORECASE)
_BESIDE_WMS = re.compile(r"(/wms)/(?:kml|reflect|icon|animate)/?\Z", re.IGNORECASE)
_REST_DOCUMENT = re.compile(r"(.{0,4000}/)[^/]{1,40}/wmtscapabilities\.xml\Z", re.IGNORECASE)
_HOST = re.compile(r"(wms|wfs|wcs|wmts|csw)[0-9]{0,3}\.")
_OF_OPERATION = {
    "getmap": "wms",
    "getfeatureinfo": "wms",
    "getlegendgraphic": "wms",
    "describelayer": "wms",
    "getfeature": "wfs",
    "getpropertyvalue": "wfs",
    "describefeaturetype": "wfs",
    "getcoverage": "wcs",
    "describecoverage": "wcs",
    "gettile": "wmts",
    "getrecords": "csw",
    "getrecordbyid": "csw",
    "describerecord": "csw",
    "getobservation": "sos",
    "describesensor": "sos",
    "describeprocess": "wps",
}
# What the standards, GeoServer and MapServer know as parts of one request; all else finds the service.
_OF_REQUESTS = frozenset(
    """
    service version acceptversions acceptformats acceptlanguages sections updatesequence request exceptions
    layers layer styles style crs srs bbox bbox-crs width height format transparent bgcolor time elevation
    query_layers info_format feature_count x y i j sld sld_body sld_version scale rule wms_layers
    tilematrixset tilematrix tilerow tilecol tiled tilesorigin angle env viewparams format_options
    legend_options interpolations buffer dpi map_resolution palette mode refresh superoverlay kmscore kmattr
    typename typenames outputformat maxfeatures count startindex propertyname filter filter_language
    cql_filter featureid resourceid featureversion sortby srsname namespace namespaces resulttype resolve
    storedquery_id storedqueryid valuereference
    coverage coverageid coverages identifier identifiers subset subsettingcrs outputcrs resx resy depth
    response_crs rangesubset scalefactor scalesize interpolation gridbasecrs store mediatype
    elementsetname elementname constraint constraintlanguage constraint_language_version id
    outputschema maxrecords startposition typename hopcount distributedsearch responsehandler
    procedure offering observedproperty featureofinterest temporalfilter spatialfilter responseformat
    proceduredescriptionformat resultmodel datainputs responsedocument rawdataoutput
    """.split()  # noqa: SIM905
)


class Ogc(AsksNothing):
    """The family of OGC web services."""

    slug = "ogc"

    def enter(self, url: Url) -> Reading | None:
        """The capabilities of the service that `url` asks something of; None where it asks none."""
        if url.path.lower().endswith("/wmtscapabilities.xml") and (rest := _REST_DOCUMENT.match(url.path)):
            return _described("wmts", f"{site_of(url)}{rest[0]}")
        service = _service_of(url)
        return describe(url, service) if service else None


def describe(url: Url, service: str) -> Reading:
    """The reading of a `service` (wms, wfs, …) at `url`, for a URL of which only the catalogue says that it is one."""
    path = _BESIDE_WMS.sub(r"\1", url.path)
    kept = sorted(_kept(query_of(url)))
    query = "&".join((*kept, f"service={service.upper()}", "request=GetCapabilities"))
    return _described(service, f"{site_of(url)}{path}?{query}")


def _described(service: str, capabilities: str) -> Reading:
    name = service.upper()
    return only_described(
        [description(capabilities, "xml", label=f"capabilities of a {name}")],
        f"a {name}: it answers single requests and hands out no whole files",
    )


def _service_of(url: Url) -> str | None:
    named = parameters(url)
    service = named.get("service", "").lower()
    if service in _SERVICES:
        return service
    operation = _OF_OPERATION.get(named.get("request", "").lower())
    if operation:
        return operation
    if _SEGMENTS.isdisjoint(url.path.lower().split("/")):
        return _named_by_host(url, named)
    path = _BESIDE_WMS.sub(r"\1", url.path)
    if end := _END.search(path) or _ABOVE_NAME.search(path):
        return "wms" if end[1].lower() == "ows" else end[1].lower()
    return _named_by_host(url, named)


def _named_by_host(url: Url, named: dict[str, str]) -> str | None:
    """The service that a host is called after; not where the URL is that of a page or a file, which it may have too."""
    host = _HOST.match(url.host)
    if host is None:
        return None
    is_page = url.path.endswith("/") or "." in url.path.rpartition("/")[2]
    return host[1] if "request" in named or not is_page else None


def _kept(query: str) -> list[str]:
    """The parameters that find the service, as they stand."""
    parts = (part for part in query.split("&") if part)
    return [part for part in parts if unquote_plus(part.partition("=")[0]).lower() not in _OF_REQUESTS]
