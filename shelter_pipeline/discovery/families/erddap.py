"""ERDDAP: what a dataset is, and the directory of its source files where the administrator gives them.

Some ERDDAP servers block clients that send requests in vain, so the table `allDatasets` is
asked first: in one row it says whether the dataset is public, grid or table, and has files.
Requests that a catalogue lists are taken as they stand. None is made up: an unbounded one
makes the server compute for hours.
"""

from __future__ import annotations

import re
from typing import Any

from shelter_pipeline.discovery.families.addresses import site_of
from shelter_pipeline.discovery.families.answers import items, mapping, no_record, object_of, shown, words
from shelter_pipeline.discovery.families.readings import (
    description,
    directory_lead,
    file_lead,
    led,
    only_described,
    question,
    walled,
)
from shelter_pipeline.discovery.leads import Lead, Reading, Reply
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.urls import Url

_ROOT = re.compile(r"(?P<base>(?:/[^/]{1,100}){0,4}?/erddap)(?P<rest>/.*)?\Z", re.IGNORECASE)
_DATASET = re.compile(
    r"/(?P<protocol>tabledap|griddap|info|wms|wcs|sos|subset)/"
    r"(?P<id>[A-Za-z][A-Za-z0-9_-]{0,200})(?:\.(?P<type>[A-Za-z0-9]{1,30})|/.*)?\Z"
)
_FILES_OF = re.compile(r"/files/(?P<id>[A-Za-z][A-Za-z0-9_-]{0,200})\Z")
_BESIDE = ("/files/", "/metadata/", "/images/", "/download/")
_PAGES = frozenset({"index", "documentation", "allDatasets"})
_COLUMNS = "datasetID,accessible,dataStructure,files,title"
_OF_DATA = frozenset({"tabledap", "griddap"})
# File types that hold data and end as files do (griddap and tabledap documentation, "fileType").
_DATA_TYPES = {
    "csv": "csv",
    "csvp": "csv",
    "csv0": "csv",
    "nc": "netcdf",
    "ncCF": "netcdf",
    "ncCFMA": "netcdf",
    "json": "json",
    "geoJson": "geojson",
    "jsonlCSV": "jsonl",
    "jsonlKVP": "jsonl",
    "nccsv": "csv",
    "parquet": "parquet",
    "parquetWMeta": "parquet",
    "mat": "matlab",
    "tsv": "tsv",
    "tsvp": "tsv",
    "tsv0": "tsv",
    "kml": "kml",
    "geotif": "geotiff",
}
# Every dataset in one answer (ERDDAP's own page on its lists of datasets).
_ALL = "info/index.json?page=1&itemsPerPage=1000000000"


class Erddap:
    """The family of ERDDAP servers."""

    slug = "erddap"

    def enter(self, url: Url) -> Reading | None:
        """The question about a dataset, with the request that is listed; the server's list for the server.

        Directories and files below `files/` are taken as they are; None for what belongs to the server's pages.
        """
        root = _ROOT.match(url.path) if "/erddap" in url.path.lower() else None
        if root is None:
            return None
        base, rest = f"{site_of(url)}{root['base']}", root["rest"] or "/"
        dataset = _DATASET.match(rest) or _FILES_OF.match(rest)
        if dataset is not None and dataset["id"] not in _PAGES:
            row = question(_row_of(base, dataset["id"]), self.slug, why="dataset-description")
            return led(*_listed(url, dataset.groupdict()), row)
        if rest.startswith(_BESIDE):
            return _itself(url, rest)
        return only_described(
            [description(f"{base}/{_ALL}", "json", label="all datasets of the server")],
            "an ERDDAP server, which is no one dataset",
        )

    def read(self, reply: Reply, url: Url) -> Reading:
        """The descriptions of a dataset, and the directory of its files if it has one.

        Raises PermanentError: `not-found` where the server knows no such dataset, `wrong-type` for what is no table.
        """
        row = _row_in(object_of(reply, of="a table of ERDDAP"))
        root, dataset = _ROOT.match(url.path), words(row.get("datasetID"))
        if root is None or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,200}", dataset):
            raise no_record("a row of a dataset of ERDDAP")
        if words(row.get("accessible")) in {"no", "log in"}:
            return walled(f"the server shows the dataset {dataset} only after a login")
        base = f"{site_of(url)}{root['base']}"
        leads = _descriptions(base, dataset, words(row.get("dataStructure")), shown(row.get("title")))
        if not words(row.get("files")):
            return only_described(
                leads, f"the ERDDAP dataset {dataset}: its administrator gives out no source files"
            )
        return led(*leads, directory_lead(f"{base}/files/{dataset}/", why="erddap-files"))


def _itself(url: Url, rest: str) -> Reading | None:
    """A directory or file of a dataset, or a metadata record that is made of it."""
    if rest.startswith("/files/"):
        lead = directory_lead if rest.endswith("/") else file_lead
        return led(lead(url.text, why="erddap-files"))
    if rest.startswith("/metadata/") and rest.endswith(".xml"):
        return only_described([description(url.text, "xml")], "the metadata record of an ERDDAP dataset")
    return None


def _row_of(base: str, dataset: str) -> str:
    return f"{base}/tabledap/allDatasets.json?{_COLUMNS}&datasetID=%22{dataset}%22"


def _row_in(told: dict[str, Any]) -> dict[str, Any]:
    """The first row by the names of its columns (tabledap documentation, "json")."""
    table = mapping(told.get("table"))
    names = [name for name in items(table.get("columnNames")) if isinstance(name, str)]
    rows = items(table.get("rows"))
    if not names:
        raise no_record("a table of ERDDAP")
    if not rows:
        raise PermanentError("the server knows no such dataset", reason="not-found")
    return dict(zip(names, items(rows[0]), strict=False))


def _listed(url: Url, parts: dict[str, str | None]) -> list[Lead]:
    """The request itself where it is one for data, as its catalogue lists it."""
    kind = _DATA_TYPES.get(parts.get("type") or "")
    if parts.get("protocol") not in _OF_DATA or kind is None:
        return []
    return [file_lead(url.text, kind, why="listed-request")]


def _descriptions(base: str, dataset: str, structure: str, title: str) -> list[Lead]:
    protocol = "griddap" if structure == "grid" else "tabledap"
    return [
        description(f"{base}/info/{dataset}/index.json", "json", label=title),
        description(f"{base}/{protocol}/{dataset}.das", "text", label="attributes (DAS)"),
        description(f"{base}/{protocol}/{dataset}.dds", "text", label="structure (DDS)"),
    ]
