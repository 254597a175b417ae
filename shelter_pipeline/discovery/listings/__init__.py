"""Directories as their servers list them: one reader a form, and one door to all of them.

Whatever a listing says, its files and directories are below the directory it stands in (of
a bucket or a THREDDS catalogue: of the same server), names are never guessed, and what was
passed over is counted in the reading's notes. Sizes are estimates, dates are the server's.
"""

from __future__ import annotations

from shelter_pipeline.discovery.leads import Reading, Reply
from shelter_pipeline.discovery.listings import buckets, nginx, thredds
from shelter_pipeline.discovery.listings.html_listing import read_html
from shelter_pipeline.discovery.listings.links import as_utf8
from shelter_pipeline.discovery.listings.measures import latest_moment
from shelter_pipeline.discovery.listings.place import place_of
from shelter_pipeline.discovery.listings.xml_stream import root_of
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.portals.replies import looks_like_html

__all__ = ["read_listing"]

_SNIFFED = 4096  # bytes in which a body says what it is


def read_listing(reply: Reply, url: Url) -> Reading | None:
    """What the reply lists, if it is a listing of a directory; None if it is anything else.

    `url` is what was asked for; the directory is that of the URL which answered in the end.
    The leads may be read once, and are made meanwhile. Raises nothing, whatever the body is.
    """
    body = reply.body
    try:
        page = parse_url(reply.final_url)
    except RefusedError:
        page = url
    place = place_of(page, latest_moment(reply.head.get("date")))
    head = as_utf8(body[:_SNIFFED])
    if head.lstrip()[:1] == b"[":
        return nginx.read_nginx_json(body, place)
    root, attributes = root_of(head)
    if root in buckets.ROOTS:
        return buckets.read_bucket(body, place)
    if root == thredds.ROOT and thredds.NAMESPACE in attributes:
        return thredds.read_thredds(body, place)
    if root == nginx.ROOT:
        return nginx.read_nginx_xml(body, place)
    if looks_like_html(head, reply.head.get("content-type")):
        return read_html(body, place)
    return None
