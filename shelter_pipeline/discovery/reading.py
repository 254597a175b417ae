"""Reading one reply: whoever knows the page says what it leads to, and what is no page is the file itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from shelter_pipeline.discovery.asset_kinds import kind_of_extension, kind_of_media_type
from shelter_pipeline.discovery.classify import extension_of
from shelter_pipeline.discovery.families import declared, enter, family
from shelter_pipeline.discovery.families.metadata_xml import read_metadata_xml
from shelter_pipeline.discovery.ftp_listing import read_ftp_listing
from shelter_pipeline.discovery.landing import LINKSET, read_landing, read_linkset
from shelter_pipeline.discovery.leads import Lead, Reading, Reply, To, What
from shelter_pipeline.discovery.listings import read_listing
from shelter_pipeline.discovery.pages import Page
from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.fetching.content import ContentRules
from shelter_pipeline.fetching.replies import retry_after_seconds
from shelter_pipeline.portals.protocol import Head
from shelter_pipeline.portals.replies import looks_like_html, status_problem

__all__ = ["declared", "enter", "may_be_page", "read_reply"]

# Kinds whose media type may still be that of a page: a listing, a record, a catalogue.
_PAGE_KINDS = frozenset({"xml", "json", "json-ld", "rdf", "feed"})
_PAGE_TYPES = frozenset({"application/xhtml+xml", "application/vnd.wap.xhtml+xml", "application/x-httpd-php"})


def may_be_page(head: Head) -> bool:
    """Whether a reply is worth reading for links; a data file is not, and is told by its head alone."""
    if not _is_good(head.status):
        return True
    if (head.get("content-disposition") or "").strip().lower().startswith("attachment"):
        return False
    media_type = (head.get("content-type") or "").partition(";")[0].strip().lower()
    if not media_type or media_type in _PAGE_TYPES:
        return True
    kind = kind_of_media_type(media_type)
    if kind is not None:
        return kind.slug in _PAGE_KINDS
    return media_type.startswith("text/") or media_type.endswith(("xml", "json"))


def read_reply(page: Page, reply: Reply, content: ContentRules | None = None) -> Reading:
    """What a reply to a page's request says; `content` are the signs of walls, by default those of the package.

    Raises the ShelterError that its status or emptiness calls for.
    """
    if (problem := status_problem(reply.head.status)) is not None:
        raise _failure(page, reply, *problem)
    url = parse_url(reply.final_url)
    return _by_who_sent_it(page, reply, url) or _by_what_came(page, reply, url, content)


def _by_who_sent_it(page: Page, reply: Reply, url: Url) -> Reading | None:
    """What is known before the body is looked at: a listing of FTP, a family's answer, a redirect to one, a file."""
    if url.scheme == "ftp":
        return read_ftp_listing(reply, url)
    if page.reader == LINKSET:
        return read_linkset(reply, url)
    if page.reader and (reader := family(page.reader)) is not None:
        return reader.read(reply, url)
    if url.text != page.url and (entered := enter(url)) is not None:
        return entered[1]
    return None if may_be_page(reply.head) else Reading(What.FILE, [_itself(page, url, reply)])


def _by_what_came(page: Page, reply: Reply, url: Url, content: ContentRules | None) -> Reading:
    if not reply.body.strip():
        raise PermanentError(f"{page.url} answered with nothing", reason="empty")
    if (listing := read_listing(reply, url)) is not None:
        return listing
    if looks_like_html(reply.body, reply.head.get("content-type")):
        return read_landing(reply, parse_url(page.url), rules=content)
    itself = _itself(page, url, reply)
    if (record := read_metadata_xml(reply, url)) is not None:
        return replace(record, leads=chain([itself], record.leads))
    return Reading(What.FILE, [itself])


def _is_good(status: int) -> bool:
    return status_problem(status) is None


def _failure(page: Page, reply: Reply, kind: type[ShelterError], reason: str) -> ShelterError:
    text = f"{page.url} answered status {reply.head.status}"
    if issubclass(kind, TransientError):
        later = retry_after_seconds(reply.head.get("retry-after"), datetime.now(UTC))
        return kind(text, reason=reason, retry_after_seconds=later)
    return kind(text, reason=reason)


def _itself(page: Page, url: Url, reply: Reply) -> Lead:
    """What was taken for a page and is none: after redirects its name, else its media type, tells the kind."""
    media_type = reply.head.get("content-type")
    kind = kind_of_extension(extension_of(url.path) or "") or kind_of_media_type(media_type)
    size = len(reply.body) or None
    return Lead(page.url, To.FILE, page.why, asset_kind=kind.slug if kind else None, size=size)
