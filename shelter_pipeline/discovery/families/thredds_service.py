"""THREDDS data servers: whatever is asked of a dataset leads to the file on the file server.

The services of a TDS share one path below their names (`dodsC`, `fileServer`, `wms` …; TDS
configuration, "Services"). An aggregation has no file; its descriptions are saved. Catalogues
are read as XML.
"""

from __future__ import annotations

import re

from shelter_pipeline.discovery.families.addresses import query_of, site_of
from shelter_pipeline.discovery.families.dap import answers_about, dataset_of, kind_of_file
from shelter_pipeline.discovery.families.opendap import catalog_lead
from shelter_pipeline.discovery.families.readings import (
    AsksNothing,
    description,
    file_lead,
    led,
    only_described,
)
from shelter_pipeline.discovery.leads import Lead, Reading
from shelter_pipeline.domain.urls import Url

_ROOT = re.compile(r"(?P<base>(?:/[^/]{1,100}){0,4}?/thredds)(?P<rest>/.*)?\Z", re.IGNORECASE)
_CATALOG = re.compile(r"/\Z|/catalog(?:\.(?:html|xml)|/.*)?\Z", re.IGNORECASE)
_PAGE = re.compile(r"\.(?:html|xml)\Z", re.IGNORECASE)
_CALL = re.compile(
    r"/(?P<service>dodsc|dap4|fileserver|httpserver|ncss(?:/(?:grid|point))?|cdmremote|cdmrfeature(?:/(?:grid|point))?"
    r"|wms|wcs|wfs|sos|iso|ncml|uddc|ncstream|godiva2?)/(?P<path>.+)\Z",
    re.IGNORECASE,
)
_OF_NCSS = re.compile(
    r"/(?:dataset|pointDataset|stations|datasetBoundaries)\.(?:xml|html|wkt|json)\Z|/grid\.html\Z"
)
_FILES = frozenset({"fileserver", "httpserver"})
_OGC = frozenset({"wms", "wcs", "wfs", "sos"})
_DOCUMENTS = frozenset({"iso", "ncml", "uddc"})
_DAP = frozenset({"dodsc", "dap4"})


class ThreddsService(AsksNothing):
    """The family of THREDDS data servers; catalogues are left to the reader of catalogues."""

    slug = "thredds-service"

    def enter(self, url: Url) -> Reading | None:
        """The file and the descriptions of the dataset that `url` asks something of, or the catalogue it is."""
        root = _ROOT.match(url.path) if "/thredds" in url.path.lower() else None
        if root is None:
            return None
        base, rest = f"{site_of(url)}{root['base']}", root["rest"] or "/"
        if call := _CALL.match(rest):
            return _dataset(base, call["service"].lower(), call["path"])
        if _CATALOG.match(rest):
            return led(catalog_lead(_catalog(base, rest, query_of(url))))
        return only_described((), "a service of a THREDDS server that names no dataset")


def _catalog(base: str, rest: str, query: str) -> str:
    """The XML of a catalogue; `dataset` in the query picks one dataset out of it, in either form."""
    if page := _PAGE.search(rest):
        return f"{base}{rest[: page.start()]}.xml" + (f"?{query}" if "dataset=" in query else "")
    return f"{base}{rest.rstrip('/')}/catalog.xml"


def _dataset(base: str, service: str, written: str) -> Reading:
    path, dap4 = _path_of(service, written)
    leads = list(_descriptions(base, service, path, dap4=dap4))
    kind = kind_of_file(path)
    if kind is None and service not in _FILES:
        detail = "an aggregation on a THREDDS server: no one file, its values come in pieces only"
        return only_described(leads, detail)
    return led(file_lead(f"{base}/fileServer/{path}", kind, why="thredds-file-server"), *leads)


def _path_of(service: str, written: str) -> tuple[str, bool]:
    if service in _DAP:
        path, dap4 = dataset_of(written, all_are_answers=True)
        return path, dap4 or service == "dap4"
    return (_OF_NCSS.sub("", written) if service.startswith("ncss") else written), False


def _descriptions(base: str, service: str, path: str, *, dap4: bool) -> list[Lead]:
    """What the service that was asked says of the dataset."""
    if service in _DAP:
        name = "dap4" if service == "dap4" else "dodsC"
        answers = answers_about(f"{base}/{name}/{path}", dap4=dap4)
        return answers[:1] if kind_of_file(path) else answers  # a file tells its structure itself
    if service in _OGC:
        url = f"{base}/{service}/{path}?service={service.upper()}&request=GetCapabilities"
        return [description(url, "xml", label=f"capabilities of a {service.upper()}")]
    if service in _DOCUMENTS:
        return [description(f"{base}/{service}/{path}", "xml", label=f"{service} of the dataset")]
    if service.startswith("ncss"):
        return [description(f"{base}/{service}/{path}/dataset.xml", "xml", label="what can be cut out")]
    return []
