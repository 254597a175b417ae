"""Tables of places on the web that are known by the shape of their URLs.

Web services answer questions and are no files; repositories are landing pages under a
persistent identifier; routes are download addresses without an extension. Order counts:
the first row that fits decides.
"""

from __future__ import annotations

import re


def _paths(*rows: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((rule, re.compile(pattern, re.IGNORECASE)) for rule, pattern in rows)


# Where a service hands out whole files all the same. The group `format` names the kind.
_ROUTES = _paths(
    ("socrata-export", r"/api/views/[a-z0-9]{4}-[a-z0-9]{4}/rows\.(?P<format>[a-z]{3,7})\Z"),
    ("ckan-datastore-dump", r"/datastore/dump/[0-9a-f-]{36}/?(?P<format>)\Z"),
    ("arcgis-hub-download", r"/api/download/v1/items/[0-9a-f]{32}/(?P<format>[a-z]+)\Z"),
    ("thredds-file", r"/thredds/fileserver/.+\.(?P<format>[a-z][a-z0-9]{1,4})\Z"),
    (
        "erddap-file",
        r"/erddap/(?:files/.+|(?:grid|table)dap/[^/]+)\.(?P<format>csv|nc|json|mat|tsv|geojson|parquet)\Z",
    ),
    ("dataverse-file", r"/api/access/datafile/(?:[0-9]+|:persistentid)/?(?P<format>)\Z"),
)
_FORMAT_OF_ROUTE = {"ckan-datastore-dump": "csv"}

_SERVICE_PATHS = _paths(
    ("arcgis-rest", r"/rest/services(?:/|\Z)"),
    ("arcgis-rest", r"/(?:map|feature|image|geocode|gp|scene|vectortile|stream)server(?:/|\Z)"),
    ("wms", r"/(?:wms|wmsserver)(?:/[^./]*)?\Z"),
    ("tile-service", r"/gwc/service/\w+/?\Z"),
    ("wfs", r"/(?:wfs|wfsserver)(?:/[^./]*)?\Z"),
    ("wcs", r"/(?:wcs|wcsserver)(?:/[^./]*)?\Z"),
    ("wmts", r"/(?:wmts|wmts/1\.0\.0/wmtscapabilities\.xml)/?\Z"),
    ("csw", r"/csw/?\Z"),
    ("opendap", r"/(?:dodsc|opendap|dods)(?:/|\Z)"),
    ("erddap", r"/erddap(?:/|\Z)"),
    ("thredds", r"/thredds(?:/|\Z)"),
    ("ckan-api", r"/api/(?:[123]/)?action/"),
    ("socrata-api", r"/resource/[a-z0-9]{4}-[a-z0-9]{4}(?:\.[a-z]+)?\Z"),
    ("socrata-api", r"/api/(?:odata|geospatial)/(?:v[0-9]/)?[a-z0-9]{4}-[a-z0-9]{4}\Z"),
    ("odata", r"/odata(?:/|\Z)"),
    ("sparql", r"/sparql/?\Z"),
    ("tile-template", r"%7B[zxy]%7D"),
)
_SERVICE_QUERY = re.compile(r"(?:^|&)service=(wms|wfs|wcs|wmts|csw|sos|wps)(?:&|\Z)", re.IGNORECASE)
_OGC_REQUEST = re.compile(
    r"(?:^|&)request=(?:get(?:capabilities|map|featureinfo|feature|coverage|tile|records)|describe\w+)(?:&|\Z)",
    re.IGNORECASE,
)
_TILE_QUERY = re.compile(r"=(?:\{|%7B)[zxy](?:\}|%7D)", re.IGNORECASE)

_SERVICE_HOST = re.compile(r"(wms|wfs|wcs|wmts|csw)[0-9]*\.")

_SERVICE_FORMATS = {
    "wms": "wms",
    "ogc wms": "wms",
    "wfs": "wfs",
    "ogc wfs": "wfs",
    "wcs": "wcs",
    "ogc wcs": "wcs",
    "wmts": "wmts",
    "csw": "csw",
    "sos": "sos",
    "esri rest": "arcgis-rest",
    "arcgis geoservices rest api": "arcgis-rest",
    "arcgis map service": "arcgis-rest",
    "arcgis geoservice": "arcgis-rest",
    "esri_rest": "arcgis-rest",
    "opendap": "opendap",
    "erddap": "erddap",
    "thredds": "thredds",
    "odata": "odata",
    "sparql": "sparql",
    "api": "api",
    "rest": "api",
    "rest api": "api",
    "web api": "api",
    "web service": "api",
}
_SERVICE_MEDIA_TYPES = {"application/vnd.ogc.wms_xml": "wms", "application/vnd.ogc.wfs_xml": "wfs"}

# Identifiers lead to pages whatever they end in; at the other hosts a file may be meant.
_RESOLVERS = {
    "doi.org": "doi",
    "dx.doi.org": "doi",
    "www.doi.org": "doi",
    "hdl.handle.net": "handle",
    "n2t.net": "ark",
    "purl.org": "purl",
}
_REPOSITORIES = {
    "zenodo.org": "zenodo",
    "figshare.com": "figshare",
    "datadryad.org": "dryad",
    "osf.io": "osf",
    "pangaea.de": "pangaea",
    "icpsr.umich.edu": "icpsr",
    "openicpsr.org": "icpsr",
    "data.mendeley.com": "mendeley",
    "sciencebase.gov": "sciencebase",
}
_DATAVERSE = re.compile(r"/dataset\.xhtml\Z|/dataverse(?:/|\Z)|/citation\Z", re.IGNORECASE)


def route_of(path: str) -> tuple[str, str] | None:
    """The rule and the format of a known download address without telling extension."""
    for rule, pattern in _ROUTES:
        if match := pattern.search(path):
            return rule, match["format"] or _FORMAT_OF_ROUTE.get(rule, "")
    return None


def service_of_url(path: str, query: str) -> str | None:
    """The rule by which a URL is a web service, if it is one."""
    for rule, pattern in _SERVICE_PATHS:
        if pattern.search(path):
            return rule
    if match := _SERVICE_QUERY.search(query):
        return match[1].lower()
    if _OGC_REQUEST.search(query):
        return "ogc-request"
    return "tile-template" if _TILE_QUERY.search(query) else None


def service_of_host(host: str) -> str | None:
    """The rule by which a host's first label names the service it is there for."""
    match = _SERVICE_HOST.match(host)
    return match[1] if match else None


def service_of_format(format: str | None, media_type: str | None) -> str | None:
    """The rule by which a declared format names a web service."""
    named = (format or "").strip().lower()
    found = _SERVICE_FORMATS.get(named) or _SERVICE_MEDIA_TYPES.get((media_type or "").strip().lower())
    return f"declared-{found}" if found else None


def repository_of(host: str, path: str, *, has_file: bool) -> str | None:
    """The repository whose landing page a URL is; a file within one is not its landing page."""
    if host in _RESOLVERS:
        return _RESOLVERS[host]
    if has_file:
        return None
    labels = host.split(".")
    for start in range(len(labels) - 1):
        if rule := _REPOSITORIES.get(".".join(labels[start:])):
            return rule
    return "dataverse" if _DATAVERSE.search(path) or "dataverse" in labels else None
