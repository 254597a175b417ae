"""How this process may read one portal: its driver, its headers with their secrets, its manners.

A portal's robots.txt may ask for more time between requests than our setting does; an
operator's own delay for the portal counts before both.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.portal_headers import complete_headers
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.robots import crawl_delay
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.portals.protocol import Portal
from shelter_pipeline.portals.registry import ReadingRules, open_portal
from shelter_pipeline.settings import Settings, read_secret

_DATAGOV_HOST = "catalog.data.gov"
_ROBOTS_MAX_BYTES = 512 * 1024  # RFC 9309 section 2.5: at least 500 KiB are read
_OK = 200


def open_driver(workplace: Workplace, portal: PortalRow) -> Portal:
    """The portal's driver, ready to be asked politely.

    Raises SetupError naming the environment variable of a secret that is missing.
    """
    settings = workplace.settings
    _be_polite(workplace, portal)
    return open_portal(
        portal.kind,
        portal.url,
        workplace.reader,
        ReadingRules(
            page_max_bytes=settings.page_max_bytes,
            record_max_bytes=settings.record_max_bytes,
            attempts=settings.harvest_attempts,
            window_packages=settings.ckan_window_packages,
            headers=complete_headers(dict(portal.headers), read_secret),
            gateway=_gateway(portal, settings),
        ),
    )


def _gateway(portal: PortalRow, settings: Settings) -> tuple[str, Mapping[str, str]] | None:
    """data.gov's gateway and its key, for data.gov itself and where there is a key."""
    key = settings.datagov_api_key
    if key is None or portal.kind != "datagov" or urlsplit(portal.url).hostname != _DATAGOV_HOST:
        return None
    return settings.datagov_gateway_url, {"X-Api-Key": key.get_secret_value()}


def _be_polite(workplace: Workplace, portal: PortalRow) -> None:
    host = parse_url(portal.url).host
    if portal.delay_seconds is not None:
        workplace.politeness.set_delay(host, portal.delay_seconds, exact=True)
        return
    asked = _asked_of_robots(workplace, portal.url)
    if asked is not None:
        workplace.politeness.set_delay(host, asked)


def _asked_of_robots(workplace: Workplace, url: str) -> float | None:
    """The crawl delay of the portal's robots.txt; a host without a readable one asks for nothing."""
    parts = urlsplit(url)
    try:
        reply = workplace.reader.read(
            f"{parts.scheme}://{parts.netloc}/robots.txt", max_bytes=_ROBOTS_MAX_BYTES
        )
    except ShelterError:
        return None
    if reply.head.status != _OK:
        return None
    return crawl_delay(reply.body.decode("utf-8", "replace"), workplace.settings.user_agent)
