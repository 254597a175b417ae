"""Which kinds of portal there are, and how one line of configuration opens one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from shelter_pipeline.domain.errors import RefusedError, SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.portals.ckan import CkanPortal
from shelter_pipeline.portals.datagov import DatagovPortal
from shelter_pipeline.portals.dcat_us import DcatUsPortal
from shelter_pipeline.portals.protocol import Portal, Reader
from shelter_pipeline.portals.reading import PageReader

PORTAL_KINDS = ("datagov", "ckan", "dcat_us")
_DOCUMENT_KINDS = frozenset({"dcat_us"})  # their URL names one document and stands as written
_LOOKS_LIKE_KIND = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """How a portal is read: what bounds one page or record, how patient we are, what goes with every request.

    Sizes are bytes. `headers` go to the portal's own host, `gateway` is the URL of
    data.gov's gateway with the headers (the key) that go only there.
    """

    page_max_bytes: int
    record_max_bytes: int = 64 * 1024**2
    attempts: int = 4
    window_packages: int = 50_000
    headers: Mapping[str, str] = field(default_factory=dict)
    gateway: tuple[str, Mapping[str, str]] | None = None
    sleep: Callable[[float], None] = time.sleep

    def page_reader(self, reader: Reader, headers: Mapping[str, str]) -> PageReader:
        """A reader of pages under these rules."""
        return PageReader(
            reader, max_bytes=self.page_max_bytes, attempts=self.attempts, sleep=self.sleep, headers=headers
        )


def parse_portal(text: str) -> tuple[str, str]:
    """`KIND:URL` as (kind, url); the URL of an API loses its trailing slash.

    Raises SetupError naming what is wrong and which kinds there are.

    >>> parse_portal("ckan:https://demo.ckan.org/")
    ('ckan', 'https://demo.ckan.org')
    """
    kind, separator, url = text.strip().partition(":")
    kinds = ", ".join(PORTAL_KINDS)
    if not separator or url.startswith("//") or not _LOOKS_LIKE_KIND.match(kind):
        raise SetupError(f"{text!r} is not KIND:URL; KIND is one of {kinds}", reason="bad-portal")
    if kind not in PORTAL_KINDS:
        raise SetupError(f"{kind!r} is not a kind of portal; it must be one of {kinds}", reason="bad-portal")
    try:
        parsed = parse_url(url)
    except RefusedError as error:
        raise SetupError(
            f"the URL of the {kind} portal, {url!r}, cannot be used: {error}", reason="bad-portal"
        ) from error
    if parsed.scheme not in ("http", "https"):
        raise SetupError(
            f"the URL of the {kind} portal, {url!r}, must begin with http:// or https://", reason="bad-portal"
        )
    return kind, parsed.text if kind in _DOCUMENT_KINDS else parsed.text.rstrip("/")


def open_portal(kind: str, url: str, reader: Reader, rules: ReadingRules) -> Portal:
    """A driver for the portal; nothing is asked yet.

    Raises SetupError for a kind that is not one of `PORTAL_KINDS`.
    """
    pages = rules.page_reader(reader, rules.headers)
    if kind == "datagov":
        gateway = (rules.gateway[0], rules.page_reader(reader, rules.gateway[1])) if rules.gateway else None
        return DatagovPortal(url, pages, gateway=gateway, record_max_bytes=rules.record_max_bytes)
    if kind == "ckan":
        # A page that would be larger is asked for in parts, down to the one record that is too large itself.
        pages = replace(pages, max_bytes=min(rules.page_max_bytes, rules.record_max_bytes))
        return CkanPortal(url, pages, window_packages=rules.window_packages)
    if kind == "dcat_us":
        return DcatUsPortal(url, pages, record_max_bytes=rules.record_max_bytes)
    raise SetupError(
        f"{kind!r} is not a kind of portal; it must be one of {', '.join(PORTAL_KINDS)}", reason="bad-portal"
    )
