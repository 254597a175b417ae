"""What a run of discovery promises: it keeps what it found as it goes, ends with its budget, and starves nobody."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline_tests.support.crawling import Open
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite
from shelter_pipeline_tests.support.records import a_dataset, a_resource, harvested

PAGE = b'<!doctype html><html><body><a href="a.csv">A</a></body></html>'
LATER = Answered(b"later", 500)  # which fails for a while, and does not make the host rest as 503 does


def listing(*hrefs: str) -> Answered:
    links = "".join(f'<a href="{href}">{href}</a>  2020-01-02 03:04  7\n' for href in hrefs)
    page = f"<html><head><title>Index of /</title></head><body><pre>{links}</pre></body></html>"
    return Answered(page.encode())


def lists(catalog: Catalog, portal: PortalRow, *urls: str) -> None:
    """One dataset of one resource for each URL, in this order."""
    harvested(catalog, portal, [a_dataset(f"{at:04}", a_resource(url)) for at, url in enumerate(urls)])


def scalars(catalog: Catalog, query: str) -> list[Any]:
    with catalog.begin() as connection:
        return list(connection.scalars(sa.text(query)))


def outcomes(catalog: Catalog) -> list[str | None]:
    return scalars(catalog, "SELECT outcome FROM resource ORDER BY dataset_id")


def recorded(catalog: Catalog) -> int:
    return int(scalars(catalog, "SELECT count(*) FROM resource WHERE outcome IS NOT NULL")[0])


def found(catalog: Catalog, site: LocalSite) -> list[str]:
    urls = scalars(
        catalog,
        "SELECT DISTINCT url FROM asset JOIN asset_resource ON asset_resource.asset_id = asset.id ORDER BY 1",
    )
    return [url.removeprefix(site.url) for url in urls]


def let_rest(catalog: Catalog) -> None:
    """Let the rests of all pages be over."""
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE exploration_page SET next_at = now() WHERE state = 'waiting'"))
        connection.execute(sa.text("UPDATE exploration SET due_at = now() WHERE state = 'open'"))


def again(catalog: Catalog) -> None:
    """Let every place be due for another round."""
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE exploration SET due_at = now()"))


def pages(site: LocalSite) -> list[str]:
    """The paths that were asked for, but for the robots.txt."""
    return [asked.path for asked in site.asked if asked.path != "/robots.txt"]


def test_what_was_found_is_kept_while_the_run_still_looks(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    kept: list[int] = []

    def last(_: Asked) -> Answered:
        kept.append(recorded(catalog))
        return Answered(PAGE)

    files = [f"{site.url}/{number}.csv" for number in range(250)]
    lists(catalog, portal, *files, site.answers("/last/", last))

    with opened() as workplace:
        summary = discover_resources(workplace, portal.slug)

    assert kept[0] >= 200
    assert (summary["resources"], summary["pages"], recorded(catalog)) == (251, 1, 251)


def test_a_directory_of_many_files_is_kept_before_the_next_one_is_read(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    kept: list[int] = []

    def small(_: Asked) -> Answered:
        kept.append(recorded(catalog))
        return listing("a.csv")

    large = site.answers("/large/", lambda _: listing(*(f"{number}.csv" for number in range(10_000))))
    lists(catalog, portal, large, *(site.answers(f"/{number}/", small) for number in range(8)))

    with opened(fetch_connections=1) as workplace:
        discover_resources(workplace, portal.slug)

    assert kept[-1] >= 1
    assert len(found(catalog, site)) == 10_008


def test_a_run_ends_with_its_budget_of_pages_and_the_next_goes_on(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    lists(catalog, portal, *(site.answers(f"/{number}/", lambda _: listing("a.csv")) for number in range(60)))

    with opened(fetch_connections=2, discovery_pages_per_run=10) as workplace:
        first = discover_resources(workplace, portal.slug)
        asked_by_the_first = len(pages(site))
        runs = [discover_resources(workplace, portal.slug)["pages"] for _ in range(6)]

    assert 10 <= first["pages"] == asked_by_the_first < 20
    assert outcomes(catalog) == ["found"] * 60
    assert (len(pages(site)), runs[-1]) == (60, 0)


def test_what_nobody_looked_at_comes_before_what_failed_for_a_while(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    dead = [site.answers(f"/dead/{number}/", lambda _: LATER) for number in range(12)]
    good = [site.answers(f"/good/{number}/", lambda _: listing("a.csv")) for number in range(3)]
    lists(catalog, portal, *dead, *good)

    with opened(fetch_connections=1, discovery_pages_per_run=6) as workplace:
        for _ in range(3):
            discover_resources(workplace, portal.slug)

    assert outcomes(catalog) == ["server-error"] * 12 + ["found"] * 3


def test_what_failed_for_a_while_is_looked_at_again_once_its_rest_is_over(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    ill = [site.serves_in_turn(f"/ill/{number}/", LATER, listing("a.csv")) for number in range(120)]
    gone = site.serves("/gone/", b"gone", 410)
    lists(catalog, portal, *ill, gone)

    with opened() as workplace:
        first = discover_resources(workplace, portal.slug)
        then = outcomes(catalog)
        at_once = discover_resources(workplace, portal.slug)
        let_rest(catalog)
        later = discover_resources(workplace, portal.slug)

    assert (then, first["pages"]) == (["server-error"] * 120 + ["gone"], 121)
    assert (at_once["pages"], at_once["waiting"]) == (0, {"due": 0, "resting": 120})
    assert (outcomes(catalog), later["pages"]) == (["found"] * 120 + ["gone"], 120)


def test_a_host_that_asks_for_a_long_rest_is_left_alone_for_the_rest_of_the_run(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    busy = Answered(b"later", 503, {"Retry-After": "600"})
    lists(catalog, portal, *(site.answers(f"/{number}/", lambda _: busy) for number in range(120)))

    with opened(host_connections=2) as workplace:
        summary = discover_resources(workplace, portal.slug)

    assert set(outcomes(catalog)) == {"rate-limited", "host-rests"}
    assert len(pages(site)) <= 2
    assert summary["waiting"] == {"due": 0, "resting": 120}


def test_a_directory_that_was_read_in_part_is_read_on_and_loses_no_file(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    top = site.answers("/pub/", lambda _: listing("a/", "b/"))
    site.serves_in_turn("/pub/a/", listing("a.csv"), LATER, listing("a.csv"))
    site.serves_in_turn("/pub/b/", LATER, listing("b.csv"))
    lists(catalog, portal, top)
    ends = []

    with opened() as workplace:
        for _ in range(3):
            discover_resources(workplace, portal.slug)
            ends.append((outcomes(catalog), found(catalog, site), len(pages(site))))
            let_rest(catalog)
        again(catalog)
        discover_resources(workplace, portal.slug)
        ends.append((outcomes(catalog), found(catalog, site), len(pages(site))))

    both = ["/pub/a/a.csv", "/pub/b/b.csv"]
    assert ends == [
        (["found-in-part"], both[:1], 3),
        (["found"], both, 4),
        (["found"], both, 4),
        (["found-in-part"], both, 7),  # a new round, of which one page failed: its file is not forgotten
    ]


def test_a_landing_page_is_not_followed_where_a_file_of_its_dataset_was_found_before(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    file = a_resource(f"{site.url}/a.csv")
    harvested(catalog, portal, [a_dataset("1", file)])
    with opened() as workplace:
        discover_resources(workplace, portal.slug)
        page = a_resource(site.serves("/about", PAGE), key="r2", position=1, role="landing")
        harvested(catalog, portal, [a_dataset("1", file, page)])

        discover_resources(workplace, portal.slug)

    assert scalars(catalog, "SELECT outcome FROM resource ORDER BY key") == ["found", "not-followed"]
    assert pages(site) == []
