"""Which kinds of portal there are, and how one line of configuration opens one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from shelter_pipeline.domain.errors import RefusedError, SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.portals.ckan import CkanPortal
from shelter_pipeline.portals.datagov import DatagovPortal
from shelter_pipeline.portals.dcat_us import DcatUsPortal
from shelter_pipeline.portals.protocol import Portal, Reader
from shelter_pipeline.portals.reading import PageReader

_DRIVERS: dict[str, Callable[[str, PageReader], Portal]] = {
    "datagov": DatagovPortal,
    "ckan": CkanPortal,
    "dcat_us": DcatUsPortal,
}
PORTAL_KINDS = tuple(_DRIVERS)
_DOCUMENT_KINDS = frozenset({"dcat_us"})  # their URL names one document and stands as written
_LOOKS_LIKE_KIND = re.compile(r"[A-Za-z0-9_-]+\Z")


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
    if kind not in _DRIVERS:
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


def open_portal(
    kind: str,
    url: str,
    reader: Reader,
    *,
    page_max_bytes: int,
    retry_attempts: int = 4,
    sleep: Callable[[float], None] = time.sleep,
    headers: Mapping[str, str] | None = None,
) -> Portal:
    """A driver for the portal; nothing is asked yet. `headers` go with every request (an API key, say).

    Raises SetupError for a kind that is not one of `PORTAL_KINDS`.
    """
    if kind not in _DRIVERS:
        raise SetupError(
            f"{kind!r} is not a kind of portal; it must be one of {', '.join(PORTAL_KINDS)}",
            reason="bad-portal",
        )
    pages = PageReader(
        reader, max_bytes=page_max_bytes, attempts=retry_attempts, sleep=sleep, headers=headers or {}
    )
    return _DRIVERS[kind](url, pages)
