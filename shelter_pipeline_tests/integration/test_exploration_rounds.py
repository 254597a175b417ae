"""What a later round of a place does to what an earlier one found: only what is known to be gone is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.trail import trail_of
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.crawling import Open
from shelter_pipeline_tests.support.local_site import Answered, LocalSite
from shelter_pipeline_tests.support.records import a_dataset, a_resource, harvested

WALL = b"""<html><head><title>Log in</title></head>
<body><form>Log in <input type="password" name="p"></form></body></html>"""


def listing(*hrefs: str) -> Answered:
    links = "".join(f'<a href="{href}">{href}</a>  2020-01-02 03:04  7\n' for href in hrefs)
    page = f"<html><head><title>Index of /</title></head><body><pre>{links}</pre></body></html>"
    return Answered(page.encode())


def bucket(*names: str, following: str = "") -> bytes:
    """One part of the listing of an S3 bucket, version 2 of its API."""
    entries = "".join(f"<Contents><Key>{name}</Key><Size>7</Size></Contents>" for name in names)
    more = f"<IsTruncated>{'true' if following else 'false'}</IsTruncated>"
    token = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    return (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>b</Name><Prefix></Prefix>{more}{token}{entries}</ListBucketResult>"
    ).encode()


def change(catalog: Catalog, text: str) -> None:
    with catalog.begin() as connection:
        connection.execute(sa.text(text))


def scalars(catalog: Catalog, query: str) -> list[Any]:
    with catalog.begin() as connection:
        return list(connection.scalars(sa.text(query)))


def found(catalog: Catalog, site: LocalSite) -> list[str]:
    urls = scalars(catalog, "SELECT url FROM asset JOIN asset_resource ON asset_id = asset.id ORDER BY 1")
    return [url.removeprefix(site.url) for url in urls]


def rounds(catalog: Catalog, workplace: Workplace, portal: PortalRow, count: int) -> None:
    """So many rounds to their ends, whatever fails for a while."""
    for _ in range(count):
        change(catalog, "UPDATE exploration SET due_at = now() WHERE state = 'ended'")
        discover_resources(workplace, portal.slug)
        while scalars(catalog, "SELECT true FROM exploration WHERE state = 'open'"):
            change(catalog, "UPDATE exploration_page SET next_at = now() WHERE state = 'waiting'")
            change(catalog, "UPDATE exploration SET due_at = now() WHERE state = 'open'")
            discover_resources(workplace, portal.slug)


ILL = Answered(b"ill", 500)
GONE = Answered(b"gone", 404)


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        (ILL, True),
        (Answered(b"no", 403), True),
        (Answered(WALL), True),
        (GONE, False),
        (Answered(b"gone", 410), False),
        (listing("other.csv"), False),
    ],
)
@pytest.mark.parametrize("at", ["/pub/", "/pub/sub/"])
def test_a_page_that_cannot_be_read_keeps_all_that_was_found_below_it_unless_it_is_gone(
    catalog: Catalog,
    portal: PortalRow,
    opened: Open,
    site: LocalSite,
    at: str,
    second: Answered,
    kept: bool,
) -> None:
    tree = {"/pub/": ("sub/",), "/pub/sub/": ("deep/", "s.csv"), "/pub/sub/deep/": ("d.csv",)}
    for path, entries in tree.items():
        site.answers(path, lambda _, entries=entries: listing(*entries))
    first = listing(*tree[at])
    site.serves_in_turn(at, first, second)
    harvested(catalog, portal, [a_dataset("1", a_resource(f"{site.url}/pub/"))])
    both = ["/pub/sub/deep/d.csv", "/pub/sub/s.csv"]

    with opened(asset_max_attempts=2) as workplace:
        rounds(catalog, workplace, portal, 1)
        before = found(catalog, site)
        rounds(catalog, workplace, portal, 1)

    assert before == both
    assert [url for url in found(catalog, site) if url in both] == (both if kept else [])
    assert scalars(catalog, "SELECT state FROM exploration") == ["ended"]


def test_what_lay_below_an_unread_page_is_found_by_its_trail_and_goes_once_its_page_is_read_again(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    site.answers("/pub/", lambda _: listing("sub/"))
    site.serves_in_turn("/pub/sub/", listing("deep/"), Answered(b"no", 403), listing("deep/", "s.csv"))
    site.serves_in_turn("/pub/sub/deep/", listing("d.csv"), listing("e.csv"))
    harvested(catalog, portal, [a_dataset("1", a_resource(f"{site.url}/pub/"))])

    with opened() as workplace:
        rounds(catalog, workplace, portal, 2)
        (way,) = trail_of(workplace, f"{site.url}/pub/sub/deep/d.csv")["ways"]
        rounds(catalog, workplace, portal, 1)

    assert [one["url"].removeprefix(site.url) for one in way["pages"]] == [
        "/pub/",
        "/pub/sub/",
        "/pub/sub/deep/",
    ]
    assert found(catalog, site) == ["/pub/sub/deep/e.csv", "/pub/sub/s.csv"]


def test_a_file_that_moves_from_one_page_of_a_listing_to_the_next_is_never_forgotten(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    names = [["b.csv", "c.csv"], ["a.csv", "b.csv"], ["a.csv", "b.csv", "c.csv"]]

    def part(asked: Any) -> Answered:
        known = names[0]
        if "continuation-token" in asked.query:
            return Answered(bucket(*known[2:]), headers={"content-type": "application/xml"})
        following = "next" if len(known) > 2 else ""
        return Answered(bucket(*known[:2], following=following), headers={"content-type": "application/xml"})

    url = site.answers("/bucket/", part)
    harvested(catalog, portal, [a_dataset("1", a_resource(f"{url}?list-type=2"))])
    seen = []

    with opened() as workplace:
        for now in (["b.csv", "c.csv", "d.csv"], ["a.csv", "b.csv", "c.csv", "d.csv"], ["c.csv", "d.csv"]):
            names[0] = now
            rounds(catalog, workplace, portal, 1)
            seen.append([name.rpartition("/")[2] for name in found(catalog, site)])

    assert seen == [
        ["b.csv", "c.csv", "d.csv"],
        ["a.csv", "b.csv", "c.csv", "d.csv"],
        ["c.csv", "d.csv"],
    ]


def test_a_file_stays_found_where_of_two_pages_that_gave_it_one_no_longer_does(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    both = '<a href="/x.csv">X</a>'
    site.answers("/pub/", lambda _: listing("a/", "b/"))
    for name, later in (("a", "<p>nothing</p>"), ("b", both)):
        site.serves_in_turn(
            f"/pub/{name}/",
            *(
                Answered(f"<!doctype html><html><body>{body}</body></html>".encode())
                for body in (both, later)
            ),
        )
    harvested(catalog, portal, [a_dataset("1", a_resource(f"{site.url}/pub/"))])

    with opened() as workplace:
        rounds(catalog, workplace, portal, 1)
        before = found(catalog, site)
        rounds(catalog, workplace, portal, 1)

    assert before == ["/x.csv"]
    assert found(catalog, site) == ["/x.csv"]


def test_the_end_of_a_round_takes_what_nothing_leads_to_from_the_batch_that_waits(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    url = site.serves_in_turn("/pub/", listing("a.csv", "b.csv"), listing("b.csv"))
    other = site.serves("/other", b'<!doctype html><html><body><a href="/pub/b.csv">B</a></body></html>')
    harvested(catalog, portal, [a_dataset("1", a_resource(url)), a_dataset("2", a_resource(other))])

    with opened() as workplace:
        rounds(catalog, workplace, portal, 1)
        change(
            catalog,
            "INSERT INTO batch (key, organization_id, number, files, bytes) SELECT 'b', id, 1, 2, 0 FROM organization",
        )
        change(catalog, "UPDATE asset SET batch_id = batch.id FROM batch")
        rounds(catalog, workplace, portal, 1)

    assert scalars(catalog, "SELECT url FROM asset WHERE batch_id IS NULL") == [f"{site.url}/pub/a.csv"]


def test_pages_keep_their_place_in_the_tree_when_a_later_round_finds_them_in_another_order(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite
) -> None:
    # In the second round a page that is new stands before one that is known, and the run is put down between them.
    parts = [{"": "two"}, {"": "one", "one": "two"}]

    def part(asked: Any) -> Answered:
        token = asked.query.get("continuation-token", "")
        following = parts[0].get(token, "")
        body = bucket(f"{token or 'first'}.csv", following=following)
        return Answered(body, headers={"content-type": "application/xml"})

    url = site.answers("/bucket/", part)
    harvested(catalog, portal, [a_dataset("1", a_resource(f"{url}?list-type=2"))])

    with opened() as workplace:
        rounds(catalog, workplace, portal, 1)
    parts.pop(0)
    with opened(discovery_pages_per_run=1) as workplace:
        rounds(catalog, workplace, portal, 1)

    parents = scalars(
        catalog,
        "SELECT count(*) FROM exploration_page WHERE parent_id IS NULL",
    )
    assert parents == [1]
    assert [name.rpartition("/")[2] for name in found(catalog, site)] == ["first.csv", "one.csv", "two.csv"]


@pytest.mark.parametrize("is_read_whole", [True, False])
def test_a_place_that_was_left_and_is_come_back_to_leads_to_its_files_again(
    catalog: Catalog, portal: PortalRow, opened: Open, site: LocalSite, is_read_whole: bool
) -> None:
    site.answers("/a/", lambda _: listing("a.csv", "sub/"))
    site.answers("/a/sub/", lambda _: listing("s.csv") if is_read_whole else ILL)
    site.answers("/b/", lambda _: listing("b.csv"))
    seen = []

    with opened() as workplace:
        for path in ("/a/", "/b/", "/a/"):
            harvested(catalog, portal, [a_dataset("1", a_resource(f"{site.url}{path}"))])
            discover_resources(workplace, portal.slug)
            seen.append(found(catalog, site))

    assert set(seen[0]) <= set(seen[2])
    assert ("/a/a.csv" in seen[0], seen[1]) == (True, ["/b/b.csv"])
