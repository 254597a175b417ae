"""What the catalog promises of places that are explored: shared, fenced, taken in turns, read again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.explorations import release_explorations, take_explorations
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.exploration_ledger import ExplorationLedger
from shelter_pipeline.operations.trail import trail_of
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.crawling import Open
from shelter_pipeline_tests.support.local_site import Answered, LocalSite
from shelter_pipeline_tests.support.records import a_dataset, a_resource, harvested

LEASE = timedelta(minutes=10)


def listing(*hrefs: str, size: int = 7) -> bytes:
    links = "".join(f'<a href="{href}">{href}</a>  2020-01-02 03:04  {size}\n' for href in hrefs)
    return f"<html><head><title>Index of /</title></head><body><pre>{links}</pre></body></html>".encode()


def page(*hrefs: str) -> bytes:
    links = "".join(f'<a href="{href}">{href}</a>' for href in hrefs)
    return f"<!doctype html><html><body>{links}</body></html>".encode()


def rows(catalog: Catalog, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with catalog.begin() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), values)]


def change(catalog: Catalog, statement: str) -> None:
    with catalog.begin() as connection:
        connection.execute(sa.text(statement))


def links(catalog: Catalog, site: LocalSite) -> list[tuple[str, str]]:
    """Which dataset leads to which file."""
    found = rows(
        catalog,
        "SELECT dataset.identifier, asset.url FROM asset_resource JOIN asset ON asset.id = asset_id"
        " JOIN resource ON resource.id = resource_id JOIN dataset ON dataset.id = dataset_id ORDER BY 1, 2",
    )
    return [(identifier, url.removeprefix(site.url)) for identifier, url in found]


def asked(site: LocalSite) -> list[str]:
    return [one.path for one in site.asked if one.path != "/robots.txt"]


def due_again(catalog: Catalog) -> None:
    change(catalog, "UPDATE exploration SET due_at = now()")


def test_a_place_that_two_datasets_name_is_read_once_and_leads_both_to_its_files(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    url = site.serves("/pub/", listing("a.csv", "b.csv"))
    harvested(catalog, portal, [a_dataset("1", a_resource(url)), a_dataset("2", a_resource(f"{url}#top"))])

    with opened() as workplace:
        summary = discover_resources(workplace, portal.slug)

    assert asked(site) == ["/pub/"]
    assert links(catalog, site) == [
        ("1", "/pub/a.csv"),
        ("1", "/pub/b.csv"),
        ("2", "/pub/a.csv"),
        ("2", "/pub/b.csv"),
    ]
    assert (summary["assets"], summary["places"]) == (2, 1)


def test_a_resource_that_comes_to_a_known_place_has_its_files_and_outcome_without_a_request(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    url = site.serves("/pub/", listing("a.csv"))
    harvested(catalog, portal, [a_dataset("1", a_resource(url))])
    with opened() as workplace:
        discover_resources(workplace, portal.slug)
        harvested(catalog, portal, [a_dataset("1", a_resource(url)), a_dataset("2", a_resource(url))])
        second = discover_resources(workplace, portal.slug)

    assert (asked(site), second["pages"]) == (["/pub/"], 0)
    assert links(catalog, site) == [("1", "/pub/a.csv"), ("2", "/pub/a.csv")]
    assert rows(catalog, "SELECT outcome FROM resource") == [("found",)] * 2


def test_a_size_that_a_listing_gives_is_an_estimate_and_no_promise(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    harvested(
        catalog, portal, [a_dataset("1", a_resource(site.serves("/pub/", listing("a.csv", size=4321))))]
    )

    with opened() as workplace:
        discover_resources(workplace, portal.slug)

    assert rows(catalog, "SELECT expected_size, estimated_size FROM asset") == [(None, 4321)]


def test_who_was_slower_than_its_lease_writes_nothing(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    harvested(catalog, portal, [a_dataset("1", a_resource(site.serves("/pub/", listing("a.csv"))))])
    with opened() as workplace:
        _classify_only(workplace, portal)
        slow = ExplorationLedger(workplace, portal.id)
        (held,) = slow.take(5, each=5, full_hosts=())
        held.begin()
        change(catalog, "UPDATE exploration SET taken_until = now() - interval '1 second'")
        discover_resources(workplace, portal.slug)
        before = rows(catalog, "SELECT * FROM exploration_page")

        for found in held.exploration.pages:
            held.hear(found, workplace.door.read(found.url))
        lost = slow.keep([held], [held])

    assert lost == {held.key}
    assert rows(catalog, "SELECT * FROM exploration_page") == before
    assert rows(catalog, "SELECT outcome FROM exploration") == [("found",)]


def _classify_only(workplace: Workplace, portal: PortalRow) -> None:
    """Attach places without reading any: the run has no time."""
    settings = workplace.settings.model_copy(update={"discovery_run_seconds": 1e-9})
    hurried = Workplace(
        settings,
        workplace.catalog,
        workplace.door,
        workplace.reader,
        workplace.politeness,
        workplace.robots,
        workplace.store,
    )
    summary = discover_resources(hurried, portal.slug)
    assert (summary["pages"], summary["cut_short"]) == (0, "the time of the run was over")


def test_a_run_without_time_leaves_places_to_the_next(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    harvested(catalog, portal, [a_dataset("1", a_resource(site.serves("/pub/", listing("a.csv"))))])

    with opened() as workplace:
        _classify_only(workplace, portal)
        waiting = rows(catalog, "SELECT outcome, discovered_at FROM resource")
        discover_resources(workplace, portal.slug)

    assert waiting == [(None, None)]
    assert rows(catalog, "SELECT outcome FROM resource") == [("found",)]


def test_two_takers_never_have_the_same_place_and_hosts_take_turns(
    catalog: Catalog, portal: PortalRow, opened: Open
) -> None:
    many = [f"https://big.example/{number}/" for number in range(50)]
    few = [f"https://small-{number}.example/" for number in range(5)]
    harvested(
        catalog, portal, [a_dataset(f"{at:03}", a_resource(url)) for at, url in enumerate([*many, *few])]
    )

    with opened() as workplace:
        _classify_only(workplace, portal)

    def take(each: int, *full: str) -> list[Any]:
        taken = take_explorations(
            catalog, portal.id, organization_id=None, limit=60, each=each, full_hosts=full, lease=LEASE
        )
        return [one for one, _ in taken]

    first, second = take(3), take(3, "small-0.example:443")
    assert sorted(one.host for one in first) == ["big.example:443"] * 3 + [
        f"small-{number}.example:443" for number in range(5)
    ]
    assert [one.host for one in second] == ["big.example:443"] * 3
    assert not {one.id for one in first} & {one.id for one in second}

    release_explorations(catalog, first)
    assert {one.id for one in first} <= {one.id for one in take(3) + take(50)}


@pytest.mark.parametrize(
    ("later", "hours"),
    [(("a.csv",), [168.0, 336.0]), (("a.csv", "b.csv"), [168.0, 84.0]), ((), [168.0, 84.0])],
)
def test_a_place_is_read_again_sooner_where_it_changed_and_later_where_it_did_not(
    catalog: Catalog,
    portal: PortalRow,
    opened: Open,
    site: LocalSite,
    later: tuple[str, ...],
    hours: list[float],
) -> None:
    url = site.serves_in_turn("/pub/", Answered(listing("a.csv")), Answered(listing(*later, "../")))
    harvested(catalog, portal, [a_dataset("1", a_resource(url))])
    seen = []

    with opened() as workplace:
        for _ in range(2):
            discover_resources(workplace, portal.slug)
            seen += rows(
                catalog, "SELECT interval_hours, extract(epoch FROM due_at - now()) / 3600 FROM exploration"
            )
            due_again(catalog)

    assert [interval for interval, _ in seen] == hours
    assert [round(float(left)) for _, left in seen] == hours


def test_what_is_not_due_is_not_read_again(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    harvested(catalog, portal, [a_dataset("1", a_resource(site.serves("/pub/", listing("a.csv"))))])

    with opened() as workplace:
        for _ in range(3):
            discover_resources(workplace, portal.slug)

    assert asked(site) == ["/pub/"]


def test_files_that_a_later_round_does_not_give_are_unlinked_unless_they_are_held(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    url = site.serves_in_turn(
        "/pub/", Answered(listing("a.csv", "sub/", "held.csv")), Answered(listing("c.csv"))
    )
    site.serves("/pub/sub/", listing("b.csv"))
    harvested(catalog, portal, [a_dataset("1", a_resource(url))])

    with opened() as workplace:
        discover_resources(workplace, portal.slug)
        first = links(catalog, site)
        change(catalog, "INSERT INTO blob (sha256, size) VALUES (repeat('0', 64), 1)")
        change(catalog, "INSERT INTO store (name) VALUES ('s')")
        change(catalog, "INSERT INTO copy (sha256, store_id) SELECT repeat('0', 64), id FROM store")
        change(
            catalog,
            "UPDATE asset SET state = 'held', sha256 = repeat('0', 64), size = 1 WHERE url LIKE '%held.csv'",
        )
        due_again(catalog)
        discover_resources(workplace, portal.slug)

    assert [url for _, url in first] == ["/pub/a.csv", "/pub/held.csv", "/pub/sub/b.csv"]
    assert [url for _, url in links(catalog, site)] == ["/pub/c.csv", "/pub/held.csv"]


def test_the_budget_is_that_of_a_dataset_over_all_its_places(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    places = [
        site.serves(f"/{place}/", listing(*(f"{place}{number}.csv" for number in range(10))))
        for place in "ab"
    ]
    resources = [a_resource(url, key=f"r{at}", position=at) for at, url in enumerate(places)]
    harvested(
        catalog, portal, [a_dataset("1", resources[0]), a_dataset("2", a_resource(f"{site.url}/x.csv"))]
    )
    with opened(discovery_max_files=15) as workplace:
        discover_resources(workplace, portal.slug)
        harvested(catalog, portal, [a_dataset("1", *resources)])
        discover_resources(workplace, portal.slug)

    assert rows(
        catalog,
        "SELECT outcome, files FROM exploration JOIN exploration_page ON exploration_id = exploration.id"
        " ORDER BY exploration.id",
    ) == [("found", 10), ("found-in-part", 5)]


def test_a_page_that_came_in_place_of_a_declared_file_is_read_for_its_links(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    url = site.serves("/data/48213", page("/files/a.csv"), content_type="text/html")
    harvested(catalog, portal, [a_dataset("1", a_resource(url, format="CSV"))])

    with opened() as workplace:
        discover_resources(workplace, portal.slug)
        before = links(catalog, site)
        change(catalog, "UPDATE asset SET state = 'failed', reason = 'html-instead'")
        discover_resources(workplace, portal.slug)

    assert before == [("1", "/data/48213")]
    assert links(catalog, site) == [("1", "/files/a.csv")]
    assert rows(catalog, "SELECT classified_as, rule, outcome FROM resource") == [
        ("web-page", "html-instead", "found")
    ]


def test_a_page_in_place_of_a_file_that_leads_nowhere_stays_the_failure_it_is(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    url = site.serves("/data/48213", page("/contact"), content_type="text/html")
    named = site.serves("/data/table.csv", page("/files/b.csv"), content_type="text/html")
    harvested(
        catalog, portal, [a_dataset("1", a_resource(url, format="CSV")), a_dataset("2", a_resource(named))]
    )

    with opened() as workplace:
        discover_resources(workplace, portal.slug)
        change(catalog, "UPDATE asset SET state = 'failed', reason = 'html-instead'")
        for _ in range(2):
            discover_resources(workplace, portal.slug)

    # A name that ends like a file's is a promise: the page in its place is no landing page.
    assert asked(site) == ["/data/48213"]
    assert links(catalog, site) == [("1", "/data/48213"), ("2", "/data/table.csv")]
    assert rows(catalog, "SELECT outcome FROM resource ORDER BY id") == [("landing-page-only",), ("found",)]


def test_a_resource_whose_address_changes_leads_only_to_what_the_new_one_gives(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    old, new = site.serves("/old/", listing("a.csv")), site.serves("/new/", listing("b.csv"))

    with opened() as workplace:
        for url in (old, new):
            harvested(catalog, portal, [a_dataset("1", a_resource(url))])
            discover_resources(workplace, portal.slug)

    assert links(catalog, site) == [("1", "/new/b.csv")]


@pytest.mark.parametrize("sooner", [0, 1])
def test_a_resource_that_moved_leads_not_to_its_old_place_although_both_places_are_kept_at_once(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite, sooner: int
) -> None:
    old, new = (site.serves(f"/{name}/", page(f"{name}.csv", "/both.csv")) for name in ("old", "new"))
    harvested(catalog, portal, [a_dataset("1", a_resource(old)), a_dataset("2", a_resource(old))])
    with opened() as workplace:
        discover_resources(workplace, portal.slug)
        harvested(catalog, portal, [a_dataset("1", a_resource(new)), a_dataset("2", a_resource(old))])
        _classify_only(workplace, portal)
        due_again(catalog)
        ledger = ExplorationLedger(workplace, portal.id)
        both = ledger.take(5, each=5, full_hosts=())
        for held in both:
            held.begin()
            for found in held.exploration.pages:
                held.hear(found, workplace.door.read(found.url))
        ledger.keep(both[:sooner], [])  # the page of the old place, which is not put down yet
        for held in both[:sooner]:
            held.fresh, held.found = {}, []
        lost = ledger.keep(both, both)

    assert (len(both), lost) == (2, set())
    assert links(catalog, site) == [
        ("1", "/both.csv"),
        ("1", "/new/new.csv"),
        ("2", "/both.csv"),
        ("2", "/old/old.csv"),
    ]


def test_several_urls_in_one_field_are_each_looked_at_and_repairs_are_recorded(
    catalog: Catalog, portal: PortalRow, opened: Open
) -> None:
    harvested(
        catalog,
        portal,
        [
            a_dataset("1", a_resource("https://a.example/a.csv, https://a.example/b.csv")),
            a_dataset("2", a_resource("hhttps://a.example/c.csv")),
        ],
    )

    with opened() as workplace:
        discover_resources(workplace, portal.slug)

    assert rows(catalog, "SELECT url FROM asset ORDER BY url") == [
        ("https://a.example/a.csv",),
        ("https://a.example/b.csv",),
        ("https://a.example/c.csv",),
    ]
    assert rows(catalog, "SELECT classified_as, outcome, repair FROM resource ORDER BY id") == [
        ("invalid", "found", None),
        ("file", "found", "scheme"),
    ]


def test_the_trail_of_a_file_names_every_page_and_why_it_was_read(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    site.serves("/pub/data/", listing("sub/"))
    site.serves("/pub/data/sub/", listing("a.nc"))
    about = site.serves("/about", b'<!doctype html><body><a href="/pub/data/">Data files</a></body>')
    harvested(catalog, portal, [a_dataset("1", a_resource(about))])

    with opened() as workplace:
        discover_resources(workplace, portal.slug)
        told = trail_of(workplace, f"{site.url}/pub/data/sub/a.nc")
        of_dataset = trail_of(workplace, "dataset-1")

    (way,) = told["ways"]
    assert (way["dataset"], way["resource"], way["kind"], way["via"], way["why"]) == (
        "dataset-1",
        about,
        "web-page",
        "directory",
        "listing",
    )
    assert [(one["url"].removeprefix(site.url), one["why"], one["what"]) for one in way["pages"]] == [
        ("/about", "resource", "landing-page"),
        ("/pub/data/", "directory-link", "listing"),
        ("/pub/data/sub/", "directory", "listing"),
    ]
    assert way["pages"][1]["label"] == "Data files"
    assert [(one["outcome"], one["files"], one["pages"]) for one in of_dataset["links"]] == [("found", 1, 3)]


RECORD = b"""<?xml version="1.0"?>
<gmd:MD_Metadata xmlns:gmd="http://www.isotc211.org/2005/gmd" xmlns:gco="http://www.isotc211.org/2005/gco">
 <gmd:distributionInfo><gmd:MD_Distribution><gmd:transferOptions><gmd:MD_DigitalTransferOptions>
  <gmd:onLine><gmd:CI_OnlineResource><gmd:linkage><gmd:URL>%s/files/a.nc</gmd:URL></gmd:linkage>
  <gmd:function><gmd:CI_OnLineFunctionCode codeListValue="download">download</gmd:CI_OnLineFunctionCode></gmd:function>
  </gmd:CI_OnlineResource></gmd:onLine>
 </gmd:MD_DigitalTransferOptions></gmd:transferOptions></gmd:MD_Distribution></gmd:distributionInfo>
</gmd:MD_Metadata>"""


def test_a_metadata_record_is_a_file_and_tells_of_the_data_where_its_dataset_lists_none(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    alone = site.serves("/iso/1.xml", RECORD % site.url.encode(), content_type="application/xml")
    beside = site.serves("/iso/2.xml", RECORD % site.url.encode(), content_type="application/xml")
    gone = f"{site.url}/iso/3.xml"
    table = a_resource(f"{site.url}/table.csv", key="r2", position=1)
    harvested(
        catalog,
        portal,
        [
            a_dataset("1", a_resource(alone)),
            a_dataset("2", a_resource(beside), table),
            a_dataset("3", a_resource(gone)),
        ],
    )

    with opened() as workplace:
        for _ in range(2):
            discover_resources(workplace, portal.slug)

    assert links(catalog, site) == [
        ("1", "/files/a.nc"),
        ("1", "/iso/1.xml"),
        ("2", "/iso/2.xml"),
        ("2", "/table.csv"),
        ("3", "/iso/3.xml"),
    ]
    assert sorted(asked(site)) == ["/iso/1.xml", "/iso/3.xml"]
    assert rows(catalog, "SELECT classified_as, outcome FROM resource WHERE url LIKE '%1.xml'") == [
        ("file", "found")
    ]


def test_an_operators_kinds_reach_the_links_of_pages(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[kind.soundings]\nlabel = "Soundings"\nfamily = "scientific"\nextensions = "sdg"\n')
    harvested(catalog, portal, [a_dataset("1", a_resource(site.serves("/about", page("/files/a.sdg"))))])

    with opened(classification_rules=rules) as workplace:
        discover_resources(workplace, portal.slug)

    assert rows(catalog, "SELECT url, kind FROM asset") == [(f"{site.url}/files/a.sdg", "soundings")]


@pytest.mark.breaks("held_without_good_copy", "blobs_without_copy")
@pytest.mark.parametrize(
    ("later", "is_due"), [("2020-01-02", False), ("2024-05-06", True), ("2019-01-01", False)]
)
def test_a_held_file_that_its_listing_says_was_changed_is_due_for_another_look(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite, later: str, is_due: bool
) -> None:
    first = listing("a.csv")
    url = site.serves_in_turn(
        "/pub/", Answered(first), Answered(first.replace(b"2020-01-02", later.encode()))
    )
    harvested(catalog, portal, [a_dataset("1", a_resource(url))])

    with opened() as workplace:
        discover_resources(workplace, portal.slug)
        change(catalog, "INSERT INTO blob (sha256, size) VALUES (repeat('0', 64), 7)")
        change(
            catalog,
            "UPDATE asset SET state = 'held', sha256 = repeat('0', 64), size = 7,"
            " next_attempt_at = now() + interval '30 days'",
        )
        due_again(catalog)
        discover_resources(workplace, portal.slug)

    assert rows(catalog, "SELECT state, next_attempt_at <= now(), listed_modified FROM asset") == [
        ("held", is_due, datetime.fromisoformat(f"{later}T03:04:00+00:00"))
    ]
