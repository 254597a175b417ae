"""Socrata (Tyler Data & Insights): a table's export as CSV, uploaded files, and what a view says of itself.

A view has an identity of four and four characters, on hosts of any name. Where the path names
one of Socrata's own interfaces as well, that is believed; else the view's description at
`/api/views/ID.json` is asked first, and only an answer that describes that view gives leads.
`/resource/ID` gives a thousand rows; `rows.csv?accessType=DOWNLOAD` gives them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from shelter_pipeline.discovery.asset_kinds import AssetKind, kind_of_extension, kind_of_media_type
from shelter_pipeline.discovery.families.descriptions import (
    count_in,
    description,
    has_room,
    json_object,
    led,
    list_in,
    object_in,
    question,
    secure_site_of,
    text_in,
    walled,
)
from shelter_pipeline.discovery.leads import Lead, Reading, Reply, To, What
from shelter_pipeline.domain.errors import PermanentError, RefusedError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url, parse_url

MAX_LINKS = 200
# The characters of an identity: digits and letters that are not taken for one another.
_ID = r"[2-9a-km-np-z]{4}-[2-9a-km-np-z]{4}"
_EXPORT = re.compile(rf"/api/views/(?P<id>{_ID})/rows\.(?P<format>[a-z]{{3,7}})\Z")
_UPLOAD = re.compile(
    rf"/(?:api/views/(?P<id>{_ID})/files/[^/]{{1,300}}|download/(?P<old>{_ID})/(?P<type>[\w.+-]+/[\w.+-]+))\Z"
)
_GEOSPATIAL = re.compile(rf"/api/geospatial/(?P<id>{_ID})\Z")
_VIEW = re.compile(
    rf"/(?:api/views/(?P<a>{_ID})(?:\.json|\.xml)?"
    rf"|api/v3/views/(?P<b>{_ID})(?:/.{{0,200}})?"
    rf"|resource/(?P<c>{_ID})(?:\.[a-z]{{3,7}})?"
    rf"|(?:api/odata/v4|OData\.svc)/(?P<d>{_ID})(?:/.{{0,200}})?"
    rf"|[dw]/(?P<e>{_ID})(?:/.{{0,200}})?)/?\Z"
)
# The address for people: category and name, of which any words may be made, so the identity needs a digit.
_PAGE = re.compile(
    rf"/[^/]{{1,300}}/[^/]{{1,300}}/(?P<id>(?=[a-z-]{{0,8}}[2-9]){_ID})"
    r"(?:/(?:data|data_preview|about|about_data|explore|visualize))?/?\Z"
)
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_LATEST_EPOCH = 2**33  # in the year 2242
_EXTENSION_OF_FORM = {"geojson": "geojson", "shapefile": "zip", "kml": "kml", "kmz": "kmz"}
_LOGIN_CODES = frozenset({"permission_denied", "authentication_required"})


class Socrata:
    """The family of Socrata's portals."""

    slug = "socrata"

    def enter(self, url: Url) -> Reading | None:
        """Files and description where the path alone tells that it is Socrata's, else the question what it is."""
        if not has_room(url):
            return None
        site, path = secure_site_of(url), url.path
        if export := _EXPORT.match(path):
            return led(_exports(site, export["id"], listed=_listed_export(url, export["format"])))
        if upload := _UPLOAD.match(path):
            view = upload["id"] or upload["old"]
            return led([_listed_upload(url, upload["type"]), _description(site, view)])
        if (shape := _GEOSPATIAL.match(path)) and "method=export" in urlsplit(url.text).query:
            return led([_listed_shape(url), _description(site, shape["id"])])
        view = _view_of(path)
        if view is None:
            return None
        return led([question(f"{site}/api/views/{view}.json", self.slug, why="view-description")])

    def read(self, reply: Reply, url: Url) -> Reading:
        """The files of a view: its rows, its uploads, its attachments, or the addresses it links to.

        Raises PermanentError `wrong-type` for what describes no view, and `not-found` where the portal has none.
        """
        told = json_object(reply, of="description of a Socrata view")
        if told.get("error"):
            return _refused(told)
        view = text_in(told.get("id"))
        asked = _VIEW.match(url.path)
        if asked is None or view != asked["a"] or not (told.get("viewType") or "columns" in told):
            raise PermanentError("JSON that describes no Socrata view", reason="wrong-type")
        return _reading(secure_site_of(url), view, told)


def _view_of(path: str) -> str | None:
    if match := _VIEW.match(path):
        return next(found for found in match.groups() if found)
    page = _PAGE.match(path)
    return page["id"] if page else None


def _description(site: str, view: str) -> Lead:
    return description(f"{site}/api/views/{view}.json", "json", label="columns and description of the view")


def _rows(site: str, view: str, *, label: str = "", modified: datetime | None = None) -> Lead:
    return Lead(
        f"{site}/api/views/{view}/rows.csv?accessType=DOWNLOAD",
        To.FILE,
        "socrata-export",
        label,
        asset_kind="csv",
        format="CSV",
        media_type="text/csv",
        modified=modified,
    )


def _exports(site: str, view: str, *, listed: Lead | None) -> Iterator[Lead]:
    """The rows as CSV, and in the one other form that is listed."""
    yield _rows(site, view)
    if listed is not None:
        yield listed
    yield _description(site, view)


def _listed_export(url: Url, format: str) -> Lead | None:
    """The export as it is listed, unless it is the CSV that is taken in any case."""
    if format == "csv":
        return None
    return _file(url.text, kind_of_extension(format), why="listed-request")


def _listed_upload(url: Url, media_type: str | None) -> Lead:
    return _file(url.text, kind_of_media_type(media_type), why="socrata-file", media_type=media_type)


def _listed_shape(url: Url) -> Lead:
    form = parse_qs(urlsplit(url.text).query).get("format", [""])[0].lower()
    return _file(url.text, kind_of_extension(_EXTENSION_OF_FORM.get(form, "")), why="listed-request")


def _file(
    url: str,
    kind: AssetKind | None,
    *,
    why: str,
    label: str = "",
    media_type: str | None = None,
) -> Lead:
    return Lead(
        url,
        To.FILE,
        why,
        label,
        asset_kind=kind.slug if kind else None,
        format=kind.label if kind else None,
        media_type=media_type,
    )


def _refused(told: dict[str, Any]) -> Reading:
    code, message = text_in(told.get("code")), text_in(told.get("message"))
    text = f"the portal answers {code or 'an error'}: {message}"
    if code in _LOGIN_CODES:
        return walled(text)
    raise PermanentError(
        text, reason="not-found" if "missing" in code or "not_found" in code else "http-status"
    )


def _reading(site: str, view: str, told: dict[str, Any]) -> Reading:
    metadata = object_in(told.get("metadata"))
    links, passed_over = _links(told, metadata, site, view)
    leads = [*_data(site, view, told, metadata), *links]
    notes = (f"{passed_over} addresses could not be asked for",) if passed_over else ()
    if leads:
        return led([*leads, _description(site, view)], notes=notes)
    detail = f"the view {view} ({text_in(told.get('viewType'))}) has no rows, files or links"
    return Reading(What.RECORD, (_description(site, view),), "landing-page-only", detail, notes=notes)


def _data(site: str, view: str, told: dict[str, Any], metadata: dict[str, Any]) -> Iterator[Lead]:
    """What the portal itself holds: rows, shapes without rows, or one uploaded file."""
    label, kind = text_in(told.get("name")), text_in(told.get("viewType"))
    if kind == "blobby":
        yield from _uploaded(site, view, told, label)
    elif kind == "geo" or metadata.get("geo"):
        for form, extension in (("GeoJSON", "geojson"), ("Shapefile", "zip")):
            url = f"{site}/api/geospatial/{view}?method=export&format={form}"
            yield _file(url, kind_of_extension(extension), why="socrata-geospatial-export", label=label)
    elif kind == "tabular":
        yield _rows(site, view, label=label, modified=_moment(told.get("rowsUpdatedAt")))


def _uploaded(site: str, view: str, told: dict[str, Any], label: str) -> Iterator[Lead]:
    name, media_type = (text_in(told.get(key)) for key in ("blobFilename", "blobMimeType"))
    media_type = media_type.partition(";")[0]
    kind = kind_of_media_type(media_type) or kind_of_extension(name.rpartition(".")[2])
    if upload := _upload(site, view, told.get("blobId"), name):
        lead = _file(upload, kind, why="socrata-file", label=name or label, media_type=media_type or None)
        yield replace(lead, size=count_in(told.get("blobFileSize")))


def _links(told: dict[str, Any], metadata: dict[str, Any], site: str, view: str) -> tuple[list[Lead], int]:
    """Attachments, and the addresses elsewhere that a view stands for; and how many of them cannot be asked for."""
    found: dict[str, Lead] = {}
    passed_over = 0
    for attachment in list_in(metadata.get("attachments"))[:MAX_LINKS]:
        told_of = object_in(attachment)
        name = text_in(told_of.get("filename")) or text_in(told_of.get("name"))
        if upload := _upload(site, view, told_of.get("assetId") or told_of.get("blobId"), name):
            kind = kind_of_extension(name.rpartition(".")[2])
            found[upload] = _file(upload, kind, why="socrata-attachment", label=name)
        else:
            passed_over += 1
    if told.get("viewType") == "href":
        for written, label in _access_points(metadata):
            try:
                target = parse_url(written).text
            except RefusedError:
                passed_over += 1
            else:
                found.setdefault(target, Lead(target, To.PAGE, "access-point", label))
    return list(found.values()), passed_over


def _access_points(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """Addresses elsewhere with their labels: `additionalAccessPoints` repeat what the older `accessPoints` hold."""
    points = [object_in(point) for point in list_in(metadata.get("additionalAccessPoints"))]
    points = points or [{"urls": metadata.get("accessPoints")}]
    urls = [
        (url, text_in(point.get("title")) or text_in(form))
        for point in points[:MAX_LINKS]
        for form, url in object_in(point.get("urls")).items()
        if isinstance(url, str) and url.strip()
    ]
    return urls[:MAX_LINKS]


def _upload(site: str, view: str, file_id: Json, name: str) -> str | None:
    if not isinstance(file_id, str) or not _FILE_ID.match(file_id):
        return None
    query = f"?download=true&filename={quote(name, safe='')}" if name else "?download=true"
    return f"{site}/api/views/{view}/files/{file_id}{query}"


def _moment(seconds: Json) -> datetime | None:
    epoch = count_in(seconds)
    return datetime.fromtimestamp(epoch, UTC) if epoch and epoch < _LATEST_EPOCH else None
