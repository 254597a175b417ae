"""How a portal's robots.txt sets the pace at which it is read, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.portal_access import open_driver
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.local_site import LocalSite, local_site

ASKS = b"User-agent: *\r\nCrawl-delay: 7.5\r\n"


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path, naps: list[float]) -> Workplace:
    """A workplace whose clock stands still, so that each wait is the whole delay."""
    settings = load_settings(
        home=tmp_path, database_url=SecretStr(catalog_url), allowed_networks="127.0.0.0/8"
    )
    politeness = Politeness(
        connections=1,
        delay_seconds=1.0,
        allowed_networks=[ip_network("127.0.0.0/8")],
        clock=lambda: 0.0,
        sleep=naps.append,
    )
    made = Workplace.of(settings, catalog)
    return replace(made, politeness=politeness, reader=PoliteDoor(made.door, politeness))


@pytest.mark.parametrize(
    ("robots", "status", "delay"),
    [
        (ASKS, 200, 7.5),
        (b"\xef\xbb\xbf" + ASKS, 200, 7.5),
        (ASKS + b"Disallow: /x\n" * 400_000, 200, 7.5),
        (b"Disallow: /x\n" * 400_000 + ASKS, 200, None),
        (ASKS, 404, None),
        (b"<!doctype html><html>" + ASKS.replace(b"\r\n", b" ") + b"</html>", 200, None),
        (b"\xff\xfe\x00", 200, None),
    ],
    ids=["asks", "mark", "5 MB", "at the end of 5 MB", "404", "web page", "no text"],
)
def test_a_portal_is_read_at_the_pace_that_its_robots_txt_asks_for(
    workplace: Workplace, site: LocalSite, naps: list[float], robots: bytes, status: int, delay: float | None
) -> None:
    site.serves("/robots.txt", robots, status)
    site.serves("/search", {"results": []})
    driver = open_driver(workplace, add_portal(workplace, f"datagov:{site.url}"))

    list(driver.pages())

    assert len(site.asked) == 3
    assert naps == ([] if delay is None else [delay, 2 * delay])


def test_a_portal_that_is_the_gateway_itself_gets_its_key_and_no_other_does(
    workplace: Workplace, site: LocalSite
) -> None:
    keyed = workplace.settings.model_copy(
        update={"datagov_api_key": SecretStr("hunter2"), "datagov_gateway_url": f"{site.url}/v4"}
    )
    workplace = replace(workplace, settings=keyed)
    site.serves("/v4/organizations", {"organizations": []})
    site.serves("/api/organizations", {"organizations": []})

    for url in (f"{site.url}/v4", site.url):
        open_driver(workplace, add_portal(workplace, f"datagov:{url}")).witnesses()

    sent = {asked.path: asked.headers.get("X-Api-Key") for asked in site.asked}
    assert sent["/v4/organizations"] == "hunter2"
    assert sent["/api/organizations"] is None
