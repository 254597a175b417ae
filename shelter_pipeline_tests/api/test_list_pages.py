"""The pages of lists, served by a real API: what they show, sort, filter and page, and that hostile text is text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline.operations import loss_lists, organization_lists
from shelter_pipeline.operations.watch_lists import at_risk, volunteers
from shelter_pipeline_tests.api.shelves import FAILED, WAITING, a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest, an_own_api
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.crowds import a_crowd
from shelter_pipeline_tests.support.naughty_strings import NAUGHTY_STRINGS
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

PAGES = ("organizations", "losses", "at-risk", "queue", "nodes", "activity")
DAGSTER = "https://dagster.example.gov"
_FIRST_VIEW_BYTES = 100_000


def shown(api: ApiUnderTest, path: str, **asked: Any) -> str:
    answer = api.get(f"/browse/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "'self'" in answer.headers["content-security-policy"]
    return answer.text


def rows(html: str) -> list[str]:
    """The keys of the organizations of a page, in its order."""
    return re.findall(r'<span class="note">(crowd-\d+)</span></th>', html)


def column(html: str, number: int) -> list[str]:
    found = []
    for row in re.findall(r"<tr>\n<th scope=\"row\">.*?</tr>", html, re.DOTALL):
        cell = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)[number]
        found.append(re.sub(r"<[^>]+>", "", cell).strip())
    return found


@pytest.fixture(scope="module")
def crowd(postgres: PostgresForTests) -> Iterator[ApiUnderTest]:
    """Many of everything: 160 organizations, 900 datasets, 1800 files, 120 nodes."""
    with an_own_api(postgres, dagster_public_url=DAGSTER) as api:
        a_crowd(api.workplace.catalog, organizations=160, datasets=900)
        yield api


def test_organizations_sort_by_every_column_both_ways_and_turn_pages(crowd: ApiUnderTest) -> None:
    def numbers(sort: str) -> list[int]:
        cells = column(shown(crowd, "organizations", sort=sort), 4)
        return [int(cell.replace(",", "")) for cell in cells]

    assert numbers("-datasets") == sorted(numbers("-datasets"), reverse=True)
    assert numbers("datasets") == sorted(numbers("datasets"))
    assert numbers("datasets")[0] < numbers("-datasets")[0]
    for name in ("name", "verdict", "absent", "files", "share", "bytes", "failed"):
        rising, falling = (
            rows(shown(crowd, "organizations", sort=name)),
            rows(shown(crowd, "organizations", sort=f"-{name}")),
        )
        assert len(rising) == len(falling) == 50
        assert rising != falling, name
    pages = [rows(shown(crowd, "organizations", sort="name", page=number)) for number in (1, 2, 3, 4)]
    assert len({key for page in pages for key in page}) == 160
    assert 'aria-sort="descending"' in shown(crowd, "organizations", sort="-bytes")
    assert "ends before this page" in shown(crowd, "organizations", page=9)


def test_organizations_are_filtered_by_words_and_verdict_and_links_keep_what_was_asked(
    crowd: ApiUnderTest,
) -> None:
    found = shown(crowd, "organizations", q="OCEAN survey", sort="-bytes", verdict="", utm_source="mail")
    names = re.findall(r"<bdi>([^<]+)</bdi></a><br>", found)

    assert names
    assert all("Ocean" in name and "Survey" in name for name in names)
    assert "q=OCEAN+survey" in found
    assert "utm_source" not in found
    partial = shown(crowd, "organizations", verdict="partial")
    assert set(column(partial, 0)) == {"partial"}
    assert "No organization fits" in shown(crowd, "organizations", q="nothing of the kind")
    assert "No organization fits" in shown(crowd, "organizations", q="100%_")
    part = shown(crowd, "organizations", q="ocean", part="results")
    assert "<html" not in part
    assert "data-count" in part
    assert "part=" not in part


def test_what_cannot_be_asked_is_said_on_a_page(crowd: ApiUnderTest) -> None:
    for path in (
        "organizations?page=0",
        "organizations?page=x",
        "organizations?sort=password",
        "organizations?q=%00",
        "losses?state=gone",
        "losses?before=-1",
        "activity?before=99999999999999999999",
    ):
        answer = crowd.get(f"/browse/{path}", headers={"Accept": "text/html"})
        assert answer.status_code == 422, path
        assert "<h1>" in answer.text
    assert crowd.get("/browse/organizations/nobody", headers={"Accept": "text/html"}).status_code == 404


def test_an_organization_tells_its_failures_in_words_and_leads_to_dagster(crowd: ApiUnderTest) -> None:
    html = shown(crowd, "organizations/crowd-7")

    assert "The server has nothing at this address (404)." in html
    assert f"{DAGSTER}/assets/batch_plan?partition=crowd-7" in html
    assert f"{DAGSTER}/runs/" in html
    assert "/browse/datasets?organization=crowd-7" in html
    assert "shelter rescue" not in html


def test_an_organization_is_shown_where_its_losses_take_too_long_to_find(
    crowd: ApiUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organization_lists, "_LOOKING_SECONDS", 0.001)
    shown(crowd, "organizations")  # counted by now, which reads losses as well
    with crowd.workplace.catalog.begin() as slow:
        slow.execute(sa.text("LOCK TABLE loss IN ACCESS EXCLUSIVE MODE"))

        assert "take long to find" in shown(crowd, "organizations/crowd-8")


def test_a_reader_sees_at_once_what_is_gone_and_whether_we_have_it(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    a_shelf(catalog)
    with catalog.begin() as connection:
        for identifier, state in (("rain", "confirmed"), ("snow", "suspected"), ("wind", "recovered")):
            connection.execute(
                sa.text(
                    "INSERT INTO loss (portal_id, dataset_id, kind, state, misses, suspected_at, last_missed_at,"
                    " decided_at, evidence) SELECT portal_id, id, 'delisted', :state, 3, '2026-01-02', '2026-01-09',"
                    " '2026-01-16', jsonb_build_object('asked', false) FROM dataset WHERE identifier = :identifier"
                ),
                {"identifier": identifier, "state": state},
            )
        connection.execute(
            sa.text(
                "INSERT INTO loss (portal_id, asset_id, kind, evidence)"
                " SELECT (SELECT portal_id FROM dataset LIMIT 1), id, 'link-dead',"
                " jsonb_build_object('reason', 'not-found', 'status', 404) FROM asset WHERE url = :url"
            ),
            {"url": FAILED},
        )

    html = shown(api, "losses")

    assert "Gone, and we have it" in html
    assert html.count("Missing, and we do not have it") == 2
    assert "Back again" in html
    assert "3 complete harvests did not find it, the last on 2026-01-09." in html
    assert "the portal did not know it either" in html
    assert "has nothing at this address. (HTTP status 404.)" in html
    assert "see and download it" in html
    assert "Gone, and we have it" not in shown(api, "losses", held="nothing")
    assert "Missing" not in shown(api, "losses", held="whole", part="results")
    assert "No loss fits" in shown(api, "losses", kind="moved")
    assert "No loss fits" in shown(api, "losses", organization="nobody")
    risks = shown(api, "at-risk")
    assert "Snow depth" in risks
    assert "Gone, and we have it" not in risks


@pytest.mark.parametrize("path", ["losses", "activity"])
def test_losses_and_captures_are_paged_back_in_time_without_doubles(crowd: ApiUnderTest, path: str) -> None:
    seen: list[list[str]] = []
    following: str | None = f"/browse/{path}"
    while following is not None and len(seen) < 3:
        html = crowd.get(following).text
        part = html.partition("data-results" if path == "losses" else 'id="captures"')[2]
        seen.append(re.findall(r"/browse/(?:datasets|files)/\d+", part.partition("</section>")[0]))
        link = re.search(rf'href="(/browse/{path}\?before=\d+)">Older', html)
        following = link[1] if link else None

    assert len(seen) > 1
    assert all(seen)
    assert set(seen[0]).isdisjoint(seen[1])


def test_a_rare_loss_is_found_by_looking_back_part_by_part(
    crowd: ApiUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk() -> tuple[list[str], list[str]]:
        pages, found = [], []
        following: str | None = "/browse/losses?held=nothing"
        while following is not None:
            pages.append(crowd.get(following).text)
            part = pages[-1].partition("data-results")[2]
            found += re.findall(r"/browse/(?:datasets|files)/\d+", part.partition("<nav")[0])
            link = re.search(r'href="(/browse/losses\?[^"]+)">Older', pages[-1])
            following = link[1].replace("&amp;", "&") if link else None
        return pages, found

    whole, wanted = walk()
    assert wanted
    assert not any("looked through" in page for page in whole)

    monkeypatch.setattr(loss_lists, "LOOKED_THROUGH", 10)
    pages, found = walk()

    assert found == wanted
    assert len(pages) > len(whole)
    assert all("10 losses were looked through for this page" in page for page in pages[:-1])
    assert "looked through" not in pages[-1]


def test_a_file_that_came_leaves_the_lists_before_anybody_counts_again(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    a_shelf(catalog)
    with catalog.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO priority (asset_id, score, level) SELECT id, 0.97, 10 FROM asset")
        )
    assert FAILED in shown(api, "at-risk")

    def urgent() -> list[str]:
        found = at_risk(api.workplace)
        assert found is not None
        return [line["url"] for line in found["urgent"]["items"]]

    assert sorted(urgent()) == [FAILED, WAITING]
    captured(catalog, FAILED, "stored")
    assert urgent() == [WAITING]


def test_the_queue_says_what_comes_first_what_runs_and_what_waits_for_a_person(crowd: ApiUnderTest) -> None:
    html = shown(crowd, "queue")

    assert [int(level) for level in re.findall(r'<th scope="row"><span class="level">(\d+)', html)] == [
        *range(10, 0, -1)
    ]
    assert "A person asked for it." in html
    assert "Under way" in html
    assert f"{DAGSTER}/runs/" in html
    person = html.partition('id="person"')[2]
    assert "used up their attempts" in person
    assert "shelter dead-letters revive" in person


def test_volunteers_are_known_by_nickname_and_gifts_alone(crowd: ApiUnderTest) -> None:
    with crowd.workplace.catalog.begin() as connection:
        connection.execute(
            sa.text("UPDATE node SET contact = 'me@home.example', network = '\\x0102' WHERE mod(id, 2) = 0")
        )
    pages = [shown(crowd, "nodes", page=number) for number in (1, 2, 3)]
    together = "".join(pages)

    gifts = [
        int(cell.replace(",", "")) for cell in re.findall(r'</th><td class="number">([\d,]+)</td>', pages[0])
    ]
    assert gifts[0] > 0
    assert "paused" in together
    assert "sent other bytes" not in together
    assert "home.example" not in together
    assert len(set(re.findall(r"<bdi>(\w+-\w+-\d+)</bdi>", together))) == 120
    assert f"shelter node run --api {crowd.url}" in pages[0]


def test_however_many_help_each_is_listed_and_counted(api: ApiUnderTest, catalog: Catalog) -> None:
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO node (name, last_seen_at)"
                " SELECT 'node-' || n, now() - n * interval '1 second' FROM generate_series(1, 6000) AS n"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO summary (name, body, seconds) SELECT 'contributions', jsonb_object_agg(id,"
                " jsonb_build_object('id', id, 'brought_files', 1, 'brought_bytes', 10, 'copies_good', 2,"
                " 'bytes_good', id, 'copies_claimed', 3)), 1 FROM node WHERE name <> 'node-77'"
            )
        )

    first, last = volunteers(api.workplace, 1), volunteers(api.workplace, 120)

    assert first is not None
    assert last is not None
    assert (first["total"], first["pages"], first["sums"]["copies_good"]) == (6000, 120, 2 * 5999)
    assert first["items"][0]["name"] == "node-6000"
    assert 0 < first["active"] < 6000
    assert (last["items"][-1]["name"], last["items"][-1]["copies_good"]) == (
        "node-77",
        0,
    )  # came after the count
    assert len(last["items"]) == 50


def test_machines_and_troubles_are_told_without_their_names(api: ApiUnderTest, catalog: Catalog) -> None:
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO worker (name, host, release, slots, queues, clock_offset_seconds)"
                " VALUES ('secret-host-7', '10.1.2.3', '1', 4, '{downloads}', 0)"
            )
        )
        connection.execute(
            sa.text("INSERT INTO alert (kind, thing, detail) VALUES ('no-room', '/srv/secret-disk', 'full')")
        )

    html = shown(api, "activity")

    assert "Machines at work" in html
    assert "No room where files arrive" in html
    assert "secret" not in html
    assert "10.1.2.3" not in html


def test_the_pages_of_an_empty_catalog_say_what_fills_them(api: ApiUnderTest) -> None:
    said = {
        "organizations": "No portal was read yet",
        "losses": "nothing was lost",
        "at-risk": "Nothing is held yet",
        "queue": "No file has a score yet",
        "nodes": "You could be the first",
        "activity": "Nothing was fetched yet",
    }
    assert set(said) == set(PAGES)
    for path, sentence in said.items():
        assert sentence in shown(api, path), path


def test_first_views_are_small(crowd: ApiUnderTest) -> None:
    sizes = {path: len(shown(crowd, path).encode()) for path in (*PAGES, "organizations/crowd-7")}

    assert {path: size for path, size in sizes.items() if size > _FIRST_VIEW_BYTES} == {}


def test_hostile_names_stand_as_text_on_every_page(api: ApiUnderTest, catalog: Catalog) -> None:
    hostile = [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "\u202egnp.exe",
        "word " * 2000,
        "{{ 7 * 7 }}",
        *NAUGHTY_STRINGS[:60],
    ]
    url = "https://evil.example/%22%3E%3Cscript%3E"
    records = [
        a_dataset(
            str(number),
            a_resource(f"{url}{number}", format="CSV"),
            title=text,
            organization=OrganizationRecord(f"org-{number}", text),
        )
        for number, text in enumerate(hostile)
    ]
    portal = a_portal(catalog)
    harvested(catalog, portal, records)
    discovered(catalog, portal)
    captured(catalog, f"{url}0", "not-found")
    with catalog.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO priority (asset_id, score, level) SELECT id, 0.99, 10 FROM asset")
        )
        connection.execute(
            sa.text(
                "INSERT INTO loss (portal_id, dataset_id, kind, evidence) SELECT portal_id, id, 'moved',"
                " jsonb_build_object('because', '<script>alert(2)</script>', 'decisions',"
                ' \'[{"why": "<b>x"}]\'::jsonb) FROM dataset'
            )
        )
        connection.execute(sa.text("INSERT INTO node (name) VALUES ('<script>alert(3)</script>')"))

    for path in (*PAGES, "organizations?page=2", "losses?before=40"):
        html = api.get(f"/browse/{path}").text
        assert "<script>alert" not in html, path
        assert "<img src=x" not in html
        assert "<b>x" not in html
        assert "\u202e" not in html
        assert "\x00" not in html
        assert len(html) < _FIRST_VIEW_BYTES, path
    assert "{{ 7 * 7 }}" in shown(api, "organizations", q="{{")
    quoted = shown(api, "organizations", q='"><script>alert(4)</script>')
    assert "<script>alert" not in quoted
