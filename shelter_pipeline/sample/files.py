"""What the file servers answer: the bytes of `content`, the pages of `pages`, the faults of `faults`.

The one state here is which faults have happened: a fault that happens once is over after
its first GET, for everybody, until the portal is started again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import urljoin

from shelter_pipeline.sample import documents, pages
from shelter_pipeline.sample.content import content_of, kind_of
from shelter_pipeline.sample.dice import identity, number
from shelter_pipeline.sample.faults import Does, Spot
from shelter_pipeline.sample.ranges import requested_part
from shelter_pipeline.sample.replies import Reply, Request, html_reply, reply, xml_reply
from shelter_pipeline.sample.site import Site
from shelter_pipeline.sample.ways import FILE_SERVER

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


class Files:
    """The answers of all file servers of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._over: set[str] = set()
        self._lock = threading.Lock()
        self._answers: dict[Does, Callable[[Request, Spot], Reply]] = {
            Does.SERVE: _serve,
            Does.CHUNKED: _serve_chunked,
            Does.BUSY_ONCE: self._busy_once,
            Does.DROP_ONCE: self._drop_once,
            Does.REDIRECT: self._redirect,
            Does.NOT_FOUND: _status(HTTPStatus.NOT_FOUND),
            Does.GONE: _status(HTTPStatus.GONE),
            Does.FORBIDDEN: _status(HTTPStatus.FORBIDDEN),
            Does.ERROR: _status(HTTPStatus.INTERNAL_SERVER_ERROR),
            Does.HTML: lambda *_: html_reply(pages.plain_page("We have moved", "Our site has a new design.")),
            Does.LOGIN: lambda *_: html_reply(pages.login_page()),
            Does.EMPTY: lambda _, spot: reply(200, _media_type(spot), b""),
            Does.CUT_SHORT: _cut_short,
            Does.LISTING: lambda _, spot: html_reply(pages.listing_page(self._site, spot)),
            Does.LANDING: lambda _, spot: html_reply(pages.landing_page(self._site, spot)),
            Does.WALL: lambda *_: html_reply(pages.login_page()),
            Does.BUCKET: self._bucket,
            Does.CATALOG: lambda _, spot: xml_reply(documents.thredds_catalog(self._site, spot, FILE_SERVER)),
            Does.DEPOSIT: lambda _, spot: reply(
                200, "application/json", documents.deposit(self._site, spot).encode()
            ),
            Does.RECORD: lambda _, spot: xml_reply(documents.metadata_record(self._site, spot)),
            Does.SERVICE: lambda *_: xml_reply(documents.capabilities()),
            Does.PAGE: lambda _, spot: html_reply(pages.plain_page(spot.title, "Nothing to download here.")),
        }

    def answer(self, request: Request) -> Reply:
        """The reply for a path of the site; 404 where nothing stands."""
        spot = self._site.at(request.path)
        if spot is None:
            return _status(HTTPStatus.NOT_FOUND)(request, Spot(request.path))
        return self._answers[spot.does](request, spot)

    def _happens_now(self, request: Request, spot: Spot) -> bool:
        """Whether a fault that happens once happens to this request; asking makes it over."""
        if request.method != "GET":
            return False
        with self._lock:
            first = spot.path not in self._over
            self._over.add(spot.path)
        return first

    def _busy_once(self, request: Request, spot: Spot) -> Reply:
        if not self._happens_now(request, spot):
            return _serve(request, spot)
        return reply(503, "text/html", pages.error_page(503, "Busy").encode(), Retry_After="1")

    def _drop_once(self, request: Request, spot: Spot) -> Reply:
        whole = _serve(request, spot)
        half = spot.size // 2
        # A probe for the first bytes does not get far enough to lose its connection.
        if whole.status not in (200, 206) or (whole.length or 0) <= half:
            return whole
        if not self._happens_now(request, spot):
            return whole
        return Reply(whole.status, whole.headers, whole.body, whole.length, dies_after=half)

    def _bucket(self, request: Request, spot: Spot) -> Reply:
        token = request.query.get("continuation-token", "")
        return xml_reply(documents.bucket_listing(self._site, spot, token))

    def _redirect(self, _: Request, spot: Spot) -> Reply:
        target = urljoin(self._site.url(spot.path), spot.target)
        return reply(spot.status, "text/html", b"<p>Moved.</p>", Location=target)


def _status(status: HTTPStatus) -> Callable[[Request, Spot], Reply]:
    return lambda *_: html_reply(pages.error_page(status, status.phrase), status)


def _media_type(spot: Spot) -> str:
    return spot.type or kind_of(spot.path).media_type


def validators(spot: Spot) -> tuple[str, str]:
    """The strong ETag and the Last-Modified date of a file."""
    changed = _EPOCH + timedelta(minutes=number(f"{spot.path}/changed", 5_000_000))
    return f'"{identity(f"etag/{spot.path}/{spot.size}")}"', format_datetime(changed, usegmt=True)


def _serve(request: Request, spot: Spot) -> Reply:
    content = content_of(spot.path, spot.size)
    etag, changed = validators(spot)
    part = requested_part(request.headers, content.size, etag, changed)
    headers = {"ETag": etag, "Last-Modified": changed, "Accept-Ranges": "bytes"}
    if part.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return Reply(part.status, headers | {"Content-Range": f"bytes */{content.size}"}, (), 0)
    if part.status != HTTPStatus.NOT_MODIFIED:
        headers["Content-Type"] = _media_type(spot)
    if part.status == HTTPStatus.PARTIAL_CONTENT:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{content.size}"
    return Reply(part.status, headers, content.chunks(part.start, part.stop), part.stop - part.start)


def _serve_chunked(_: Request, spot: Spot) -> Reply:
    headers = {"Content-Type": _media_type(spot), "Content-Disposition": "attachment"}
    return Reply(200, headers, content_of(spot.path, spot.size).chunks(), None)


def _cut_short(_: Request, spot: Spot) -> Reply:
    content = content_of(spot.path, spot.size)
    headers = {"Content-Type": _media_type(spot)}
    return Reply(200, headers, content.chunks(), content.size, dies_after=content.size // 2)
