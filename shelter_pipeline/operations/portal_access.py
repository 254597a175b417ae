"""How this process may read one portal: its driver, its headers with their secrets, its manners.

A portal's robots.txt may ask for more time between requests than our setting does; an
operator's own delay for the portal counts before both.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.portal_headers import complete_headers
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.robots import crawl_delay
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.portals.protocol import Portal, Reader
from shelter_pipeline.portals.registry import ReadingRules, open_portal
from shelter_pipeline.settings import Settings, read_secret

_DATAGOV_HOST = "catalog.data.gov"
_ROBOTS_MAX_BYTES = 512 * 1024  # RFC 9309 section 2.5: at least 500 KiB are read
_TOO_LONG = "too-large"
_OK = 200


def open_driver(workplace: Workplace, portal: PortalRow, reader: Reader | None = None) -> Portal:
    """The portal's driver, ready to be asked politely, by the `reader` or the workplace's own.

    Raises SetupError naming the environment variable of a secret that is missing.
    """
    settings, reader = workplace.settings, reader or workplace.reader
    _be_polite(workplace, portal, reader)
    return open_portal(
        portal.kind,
        portal.url,
        reader,
        ReadingRules(
            page_max_bytes=settings.page_max_bytes,
            record_max_bytes=settings.record_max_bytes,
            attempts=settings.harvest_attempts,
            window_packages=settings.ckan_window_packages,
            headers=headers_for(portal, settings, portal.url),
            gateway=_gateway(portal, settings),
        ),
    )


def headers_for(portal: PortalRow, settings: Settings, url: str) -> dict[str, str]:
    """What `url` must be asked with: at the portal's own host its fields, at data.gov's gateway the key.

    Neither goes anywhere else. Raises SetupError naming the variable of a secret that is missing.
    """
    is_own = urlsplit(url)[:2] == urlsplit(portal.url)[:2]
    own = complete_headers(dict(portal.headers), read_secret) if is_own else {}
    gateway = settings.datagov_gateway_url.rstrip("/")
    key = settings.datagov_api_key if f"{url}/".startswith(f"{gateway}/") else None
    return ({"X-Api-Key": key.get_secret_value()} if key else {}) | own


def _gateway(portal: PortalRow, settings: Settings) -> tuple[str, Mapping[str, str]] | None:
    """data.gov's gateway and its key, for data.gov itself and where there is a key."""
    is_datagov = portal.kind == "datagov" and urlsplit(portal.url).hostname == _DATAGOV_HOST
    if settings.datagov_api_key is None or not is_datagov:
        return None
    url = settings.datagov_gateway_url
    return url, headers_for(portal, settings, url)


def _be_polite(workplace: Workplace, portal: PortalRow, reader: Reader) -> None:
    host = parse_url(portal.url).host
    if portal.delay_seconds is not None:
        workplace.politeness.set_delay(host, portal.delay_seconds, exact=True)
        return
    asked = _asked_of_robots(workplace, portal.url, reader)
    if asked is not None:
        workplace.politeness.set_delay(host, asked)


def _asked_of_robots(workplace: Workplace, url: str, reader: Reader) -> float | None:
    """The crawl delay of the portal's robots.txt; a host without a readable one asks for nothing."""
    parts = urlsplit(url)
    body = bytearray()

    def keep(piece: bytes) -> None:
        body.extend(piece)
        if len(body) > _ROBOTS_MAX_BYTES:
            raise PermanentError("what comes further down in it is not read", reason=_TOO_LONG)

    try:
        reply = reader.save(f"{parts.scheme}://{parts.netloc}/robots.txt", keep)
    except ShelterError as error:
        if error.reason != _TOO_LONG:
            return None
    else:
        if reply.head.status != _OK:
            return None
    return crawl_delay(body.decode("utf-8", "replace"), workplace.settings.user_agent)
