"""Socrata (Tyler Data & Insights): a table's export as CSV, uploaded files, and what a view says of itself.

A view has an identity of four and four characters, on hosts of any name. Where the path names
one of Socrata's own interfaces as well, that is believed; else the view's description at
`/api/views/ID.json` is asked first, and only an answer that describes that view gives leads.
`/resource/ID` gives a thousand rows; `rows.csv?accessType=DOWNLOAD` gives them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shelter_pipeline.discovery.asset_kinds import kind_of_extension, kind_of_media_type
from shelter_pipeline.discovery.families.addresses import parameters, query_of, secure_site_of
from shelter_pipeline.discovery.families.answers import items, mapping, no_record, object_of, shown, whole
from shelter_pipeline.discovery.families.readings import (
    LANDING_PAGE_ONLY,
    asked,
    description,
    file_lead,
    led,
    walled,
)
from shelter_pipeline.discovery.leads import Lead, Reading, Reply, To, What
from shelter_pipeline.domain.errors import PermanentError, RefusedError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.domain.urls import Url, parse_url

MAX_LINKS = 200
# The characters of an identity: digits and letters that are not taken for one another.
_ID = r"[2-9a-km-np-z]{4}-[2-9a-km-np-z]{4}"
_HAS_IDENTITY = re.compile(rf"/{_ID}(?![^/.])")
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
_DESCRIPTION = "a description of a Socrata view"
_LOGIN_CODES = frozenset({"permission_denied", "authentication_required"})


class Socrata:
    """The family of Socrata's portals."""

    slug = "socrata"

    def enter(self, url: Url) -> Reading | None:
        """Files and description where the path alone tells that it is Socrata's, else the question what it is."""
        if not _HAS_IDENTITY.search(url.path):
            return None
        site, path = secure_site_of(url), url.path
        if export := _EXPORT.match(path):
            return led(*_exports(site, export["id"], listed=_listed_export(url, export["format"])))
        if upload := _UPLOAD.match(path):
            view = upload["id"] or upload["old"]
            return led(_listed_upload(url, upload["type"]), _description(site, view))
        if (shape := _GEOSPATIAL.match(path)) and "method=export" in query_of(url):
            return led(_listed_shape(url), _description(site, shape["id"]))
        view = _view_of(path)
        if view is None:
            return None
        return asked(f"{site}/api/views/{view}.json", self.slug, why="view-description")

    def read(self, reply: Reply, url: Url) -> Reading:
        """The files of a view: its rows, its uploads, its attachments, or the addresses it links to.

        Raises PermanentError `wrong-type` for what describes no view, and `not-found` where the portal has none.
        """
        told = object_of(reply, of=_DESCRIPTION)
        if told.get("error"):
            return _refused(told)
        view = shown(told.get("id"))
        named = _VIEW.match(url.path)
        if named is None or view != named["a"] or not (told.get("viewType") or "columns" in told):
            raise no_record(_DESCRIPTION)
        return _reading(secure_site_of(url), view, told)


def _view_of(path: str) -> str | None:
    if match := _VIEW.match(path):
        return next(found for found in match.groups() if found)
    page = _PAGE.match(path)
    return page["id"] if page else None


def _description(site: str, view: str) -> Lead:
    return description(f"{site}/api/views/{view}.json", "json", label="columns and description of the view")


def _rows(site: str, view: str, *, label: str = "", modified: datetime | None = None) -> Lead:
    url = f"{site}/api/views/{view}/rows.csv?accessType=DOWNLOAD"
    return file_lead(url, "csv", why="socrata-export", label=label, media_type="text/csv", modified=modified)


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
    return file_lead(url.text, _kind(format), why="listed-request")


def _listed_upload(url: Url, media_type: str | None) -> Lead:
    return file_lead(url.text, _kind("", media_type), why="socrata-file", media_type=media_type)


def _listed_shape(url: Url) -> Lead:
    form = parameters(url).get("format", "").lower()
    return file_lead(url.text, _kind(_EXTENSION_OF_FORM.get(form, "")), why="listed-request")


def _kind(extension: str, media_type: str | None = None) -> str | None:
    """The slug of the kind that a media type, else an extension stands for."""
    kind = kind_of_media_type(media_type) or kind_of_extension(extension)
    return kind.slug if kind else None


def _refused(told: dict[str, Any]) -> Reading:
    code, message = shown(told.get("code")), shown(told.get("message"))
    text = f"the portal answers {code or 'an error'}: {message}"
    if code in _LOGIN_CODES:
        return walled(text)
    raise PermanentError(
        text, reason="not-found" if "missing" in code or "not_found" in code else "http-status"
    )


def _reading(site: str, view: str, told: dict[str, Any]) -> Reading:
    metadata = mapping(told.get("metadata"))
    links, passed_over = _links(told, metadata, site, view)
    leads = [*_data(site, view, told, metadata), *links]
    notes = (f"{passed_over} addresses could not be asked for",) if passed_over else ()
    if leads:
        return led(*leads, _description(site, view), notes=notes)
    detail = f"the view {view} ({shown(told.get('viewType'))}) has no rows, files or links"
    return Reading(What.RECORD, (_description(site, view),), LANDING_PAGE_ONLY, detail, notes=notes)


def _data(site: str, view: str, told: dict[str, Any], metadata: dict[str, Any]) -> Iterator[Lead]:
    """What the portal itself holds: rows, shapes without rows, or one uploaded file."""
    label, kind = shown(told.get("name")), shown(told.get("viewType"))
    if kind == "blobby":
        yield from _uploaded(site, view, told, label)
    elif kind == "geo" or metadata.get("geo"):
        for form, extension in (("GeoJSON", "geojson"), ("Shapefile", "zip")):
            url = f"{site}/api/geospatial/{view}?method=export&format={form}"
            yield file_lead(url, _kind(extension), why="socrata-geospatial-export", label=label)
    elif kind == "tabular":
        yield _rows(site, view, label=label, modified=_moment(told.get("rowsUpdatedAt")))


def _uploaded(site: str, view: str, told: dict[str, Any], label: str) -> Iterator[Lead]:
    name, media_type = (shown(told.get(key)) for key in ("blobFilename", "blobMimeType"))
    media_type = media_type.partition(";")[0]
    if upload := _upload(site, view, told.get("blobId"), name):
        yield file_lead(
            upload,
            _kind(name.rpartition(".")[2], media_type),
            why="socrata-file",
            label=name or label,
            media_type=media_type or None,
            size=whole(told.get("blobFileSize")),
        )


def _links(told: dict[str, Any], metadata: dict[str, Any], site: str, view: str) -> tuple[list[Lead], int]:
    """Attachments, and the addresses elsewhere that a view stands for; and how many of them cannot be asked for."""
    found: dict[str, Lead] = {}
    passed_over = 0
    for attachment in items(metadata.get("attachments"))[:MAX_LINKS]:
        told_of = mapping(attachment)
        name = shown(told_of.get("filename")) or shown(told_of.get("name"))
        if upload := _upload(site, view, told_of.get("assetId") or told_of.get("blobId"), name):
            kind = _kind(name.rpartition(".")[2])
            found[upload] = file_lead(upload, kind, why="socrata-attachment", label=name)
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
    points = [mapping(point) for point in items(metadata.get("additionalAccessPoints"))]
    points = points or [{"urls": metadata.get("accessPoints")}]
    urls = [
        (url, shown(point.get("title")) or shown(form))
        for point in points[:MAX_LINKS]
        for form, url in mapping(point.get("urls")).items()
        if isinstance(url, str) and url.strip()
    ]
    return urls[:MAX_LINKS]


def _upload(site: str, view: str, file_id: Json, name: str) -> str | None:
    if not isinstance(file_id, str) or not _FILE_ID.match(file_id):
        return None
    query = f"?download=true&filename={quote(name, safe='')}" if name else "?download=true"
    return f"{site}/api/views/{view}/files/{file_id}{query}"


def _moment(seconds: Json) -> datetime | None:
    epoch = whole(seconds)
    return datetime.fromtimestamp(epoch, UTC) if epoch and epoch < _LATEST_EPOCH else None
