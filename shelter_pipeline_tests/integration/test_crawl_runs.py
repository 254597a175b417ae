"""What a crawl keeps when it is disturbed, and how places share hosts and budgets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.discoveries import due_resources
from shelter_pipeline.catalog.explorations import take_explorations
from shelter_pipeline.catalog.places import Place, attach_places
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.discovery.explore import Exploration, FoundAsset
from shelter_pipeline.discovery.pages import Page
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations import discover_resources as discovery
from shelter_pipeline.operations.discover_resources import discover_organization, discover_resources
from shelter_pipeline.operations.exploration_ledger import ExplorationLedger
from shelter_pipeline_tests.support.crawling import Open
from shelter_pipeline_tests.support.local_site import Answered, LocalSite
from shelter_pipeline_tests.support.records import a_dataset, a_resource, harvested


def listing(*hrefs: str) -> Answered:
    links = "".join(f'<a href="{href}">{href}</a>  2020-01-02 03:04  7\n' for href in hrefs)
    page = f"<html><head><title>Index of /</title></head><body><pre>{links}</pre></body></html>"
    return Answered(page.encode())


def rows(catalog: Catalog, query: str) -> list[tuple[Any, ...]]:
    with catalog.begin() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def change(catalog: Catalog, text: str) -> None:
    with catalog.begin() as connection:
        connection.execute(sa.text(text))


def attached(catalog: Catalog, portal: PortalRow, *urls: str) -> None:
    """One dataset of one resource for each URL, which waits for its place."""
    harvested(catalog, portal, [a_dataset(f"{at:04}", a_resource(url)) for at, url in enumerate(urls)])
    due = due_resources(catalog, portal.id, after_dataset=0, limit=10_000)
    attach_places(
        catalog,
        [
            Place(row.id, row.dataset_id, parse_url(row.url or ""), "directory", "trailing-slash")
            for row in due
        ],
    )


def held_places(catalog: Catalog) -> int:
    return int(rows(catalog, "SELECT count(*) FROM exploration WHERE taken_until > now()")[0][0])


def test_a_run_that_is_interrupted_gives_its_places_back_and_keeps_what_it_heard(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    hangs = threading.Event()

    def slow(_: Any) -> Answered:
        hangs.wait(30)
        return listing("late.csv")

    attached(
        catalog,
        portal,
        site.answers("/quick/", lambda _: listing("a.csv", "sub/")),
        site.answers("/quick/sub/", slow),
        site.answers("/slow/", slow),
    )
    began = time.monotonic()

    def interrupt(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    try:
        with opened() as workplace, pytest.raises(KeyboardInterrupt):
            discover_resources(workplace, portal.slug, progress=interrupt)
        took = time.monotonic() - began
    finally:
        hangs.set()

    assert took < 10
    assert held_places(catalog) == 0
    assert rows(catalog, "SELECT outcome FROM exploration ORDER BY url") == [
        ("found-in-part",),
        (None,),
        (None,),
    ]
    assert rows(catalog, "SELECT count(*) FROM asset_resource") == [(1,)]
    with opened() as workplace:
        discover_resources(workplace, portal.slug)
    assert rows(catalog, "SELECT DISTINCT outcome FROM exploration") == [("found",)]


def test_what_was_interrupted_in_the_middle_of_a_page_is_as_it_was_kept_last(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.answers("/pub/", lambda _: listing("a.csv", "b.csv", "c.csv"))
    attached(catalog, portal, url)

    whole = Exploration.take

    def torn(exploration: Exploration, page: Page, came: Any) -> Iterator[FoundAsset]:
        yield next(whole(exploration, page, came))
        raise KeyboardInterrupt

    with opened() as workplace:
        with monkeypatch.context() as changed:
            changed.setattr(Exploration, "take", torn)
            with pytest.raises(KeyboardInterrupt):
                discover_resources(workplace, portal.slug)
        assert held_places(catalog) == 0
        assert rows(catalog, "SELECT outcome FROM exploration") == [(None,)]

        discover_resources(workplace, portal.slug)

    assert rows(catalog, "SELECT count(*) FROM asset_resource") == [(3,)]


def test_a_place_that_a_run_had_no_pages_left_for_has_no_outcome(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    attached(catalog, portal, *(site.answers(f"/{n}/", lambda _: listing("a.csv")) for n in range(5)))

    with opened(discovery_pages_per_run=2) as workplace:
        summary = discover_resources(workplace, portal.slug)

    outcomes = sorted(str(outcome) for (outcome,) in rows(catalog, "SELECT outcome FROM resource"))
    assert outcomes == ["None"] * 3 + ["found"] * 2
    assert (summary["pages"], summary["places"], held_places(catalog)) == (2, 2, 0)
    assert summary["cut_short"] == "the run ended after 2 pages"


def test_a_large_place_is_read_on_for_as_many_pages_as_a_run_has(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    def slow(_: Any) -> Answered:
        time.sleep(0.02)
        return listing("a.csv")

    many = [f"{number}/" for number in range(100)]
    attached(catalog, portal, site.answers("/pub/", lambda _: listing(*many)))
    for name in many:
        site.answers(f"/pub/{name}", slow)

    with opened(discovery_pages_per_run=41, host_connections=2) as workplace:
        read = [discover_resources(workplace, portal.slug)["pages"] for _ in range(3)]

    assert read == [41, 41, 19]
    assert rows(catalog, "SELECT outcome, state FROM exploration") == [("found", "ended")]


def test_places_of_one_dataset_that_are_read_at_once_share_its_budget(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    urls = [
        site.answers(
            f"/{place}/", lambda _, place=place: listing(*(f"{place}{number}.csv" for number in range(10)))
        )
        for place in "abcdef"
    ]
    resources = [a_resource(url, key=url, position=at) for at, url in enumerate(urls)]
    harvested(catalog, portal, [a_dataset("1", *resources)])
    linked = []

    with opened(discovery_max_files=25) as workplace:
        for _ in range(3):
            discover_resources(workplace, portal.slug)
            linked += rows(catalog, "SELECT count(*) FROM asset_resource")
            change(catalog, "UPDATE exploration SET due_at = now()")

    assert linked == [(25,)] * 3


def test_every_host_has_a_place_in_hand_before_any_has_two(catalog: Catalog, portal: PortalRow) -> None:
    attached(
        catalog,
        portal,
        *(f"https://{letter}.example/{number}/" for letter in "abcdefghij" for number in range(20)),
    )

    def hosts(limit: int) -> list[str]:
        taken = take_explorations(
            catalog,
            portal.id,
            organization_id=None,
            limit=limit,
            each=6,
            full_hosts=(),
            lease=timedelta(minutes=1),
        )
        return [one.host for one, _ in taken]

    first = [hosts(5) for _ in range(30)]

    assert [len(set(each)) for each in first] == [5] * 30
    # Each call leaves a host out with a chance of a half: thirty leave out one of the ten once in a hundred million.
    assert len({host for each in first for host in each}) == 10


def test_a_run_that_slept_longer_than_its_lease_may_take_its_own_place_again(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    lapsed = threading.Event()

    def slow(_: Any) -> Answered:
        if not lapsed.is_set():
            change(catalog, "UPDATE exploration SET taken_until = now() - interval '1 second'")
            lapsed.set()
            time.sleep(1.5)  # longer than a crawl waits before it looks for places
        return listing("a.csv")

    attached(catalog, portal, site.answers("/pub/", slow))

    with opened() as workplace:
        discover_resources(workplace, portal.slug)

    assert rows(catalog, "SELECT outcome, state FROM exploration") == [("found", "ended")]
    assert rows(catalog, "SELECT count(*) FROM asset_resource") == [(1,)]


# Whoever attaches a resource to its place waits for the test, when it has looked what was found there.
WAITS = """
CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN new; END';
CREATE TRIGGER waits BEFORE UPDATE ON resource FOR EACH ROW
WHEN (old.exploration_id IS NULL AND new.exploration_id IS NOT NULL) EXECUTE FUNCTION wait_for_test()
"""


def test_who_comes_to_a_place_while_its_files_are_written_has_them_too(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    url = site.answers("/pub/", lambda _: listing("a.csv"))
    attached(catalog, portal, url)
    harvested(catalog, portal, [a_dataset("0000", a_resource(url)), a_dataset("late", a_resource(url))])
    (late,) = [row for row in due_resources(catalog, portal.id, after_dataset=0, limit=10) if row.due]
    place = Place(late.id, late.dataset_id, parse_url(url), "directory", "trailing-slash")
    coming = threading.Thread(target=attach_places, args=(catalog, [place]))
    change(catalog, WAITS)

    with opened() as workplace:
        ledger = ExplorationLedger(workplace, portal.id)
        (held,) = ledger.take(1, each=1, full_hosts=())
        held.begin()
        (start,) = held.exploration.pages
        held.hear(start, workplace.door.read(start.url))
        with catalog.engine.connect() as other:
            other.execute(sa.text("SELECT pg_advisory_lock(1)"))
            keeping = threading.Thread(target=ledger.keep, args=([held], [held]))
            coming.start()
            _until_somebody_waits(catalog, 1)
            keeping.start()
            _until_somebody_waits(catalog, 2)
            other.execute(sa.text("SELECT pg_advisory_unlock(1)"))
        keeping.join(30)
        coming.join(30)

    assert rows(catalog, "SELECT outcome FROM resource") == [("found",)] * 2
    assert rows(catalog, "SELECT count(*) FROM asset_resource") == [(2,)]


def _until_somebody_waits(catalog: Catalog, count: int) -> None:
    """Until so many wait for a lock, or for as long as one who does not wait would take."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 2
    while rows(catalog, query)[0][0] < count and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_resource_whose_address_changes_while_it_is_looked_at_is_due_again(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (site.answers(f"/{name}/", lambda _: listing("a.csv")) for name in ("old", "new"))
    changing = [("1", old, new), ("2", f"{site.url}/old.csv", f"{site.url}/new.csv"), ("3", None, new)]

    def harvest(at: int) -> None:
        harvested(catalog, portal, [a_dataset(one[0], a_resource(one[at])) for one in changing])

    harvest(1)
    with opened() as workplace:
        with monkeypatch.context() as between:
            read = discovery.due_resources

            def read_and_change(*arguments: Any, **named: Any) -> Any:
                due = read(*arguments, **named)
                harvest(2)
                return due

            between.setattr(discovery, "due_resources", read_and_change)
            discover_resources(workplace, portal.slug)
        assert rows(catalog, "SELECT DISTINCT outcome, exploration_id FROM resource") == [(None, None)]

        discover_resources(workplace, portal.slug)

    linked = "SELECT url FROM asset JOIN asset_resource ON asset_id = asset.id ORDER BY 1"
    assert [url.removeprefix(site.url) for (url,) in rows(catalog, linked)] == [
        "/new.csv",
        "/new/a.csv",
        "/new/a.csv",
    ]


def test_an_organization_is_looked_at_by_its_name_alone_and_never_in_another_portal(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    harvested(
        catalog, portal, [a_dataset("1", a_resource(site.answers("/pub/", lambda _: listing("a.csv"))))]
    )

    with opened() as workplace:
        with pytest.raises(SetupError, match="belongs to the portal"):
            discover_organization(workplace, "epa-gov", portal="another")
        with pytest.raises(SetupError, match="no organization"):
            discover_organization(workplace, "nobody")
        summary = discover_organization(workplace, "epa-gov")

    assert (summary["pages"], summary["assets"]) == (1, 1)
