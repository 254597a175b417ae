"""Real answers of data.gov through its driver: its hits, organizations, robots.txt, and the pages it shows instead."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.records import DatasetRecord
from shelter_pipeline.fetching.robots import crawl_delay
from shelter_pipeline.portals.datagov import DatagovPortal
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site, open_door

REPOSITORY = Path(__file__).parents[2]
FIXTURES = Path(os.environ.get("SHELTER_FIXTURES", REPOSITORY.parent / "shared" / "fixtures"))
DATAGOV = FIXTURES / "datagov"
ERROR_PAGES = sorted(DATAGOV.glob("error_pages/*.html"))
OWN_STATUS = {"403": 403, "500": 500, "malicious": 429}

pytestmark = [
    pytest.mark.real_records,
    pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"no real records at {FIXTURES} (set SHELTER_FIXTURES)"),
]


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def portal(site: LocalSite) -> DatagovPortal:
    return DatagovPortal(site.url, PageReader(open_door(), max_bytes=10**9, attempts=2, sleep=lambda _: None))


def derived_hits() -> list[dict[str, Any]]:
    pages = sorted(DATAGOV.glob("derived/*.json"))
    return [hit for path in pages for hit in json.loads(path.read_bytes())["results"]]


def serve_by_organization(site: LocalSite, hits: list[dict[str, Any]], per_page: int = 50) -> set[str]:
    """The hits as the API serves them, page by page; returns the organizations."""
    slugs = sorted({hit["organization"]["slug"] for hit in hits})
    site.serves("/api/organizations", {"organizations": [{"slug": slug, "name": slug} for slug in slugs]})

    def answer(asked: Asked) -> Answered:
        slug = asked.query.get("org_slug")
        of = [hit for hit in hits if slug in (None, hit["organization"]["slug"])]
        start = int(asked.query.get("after", "0"))
        more = {"after": str(start + per_page)} if start + per_page < len(of) else {}
        return Answered({"results": of[start : start + per_page], "sort": "relevance", **more})

    site.answers("/search", answer)
    return set(slugs)


def test_there_are_real_error_pages_to_try() -> None:
    assert len(ERROR_PAGES) == 6


def test_real_records_come_out_once_each_organization_by_organization(
    site: LocalSite, portal: DatagovPortal
) -> None:
    hits = derived_hits()
    slugs = serve_by_organization(site, hits)

    pages = list(portal.pages())

    records = [record for page in pages for record in page.records]
    assert sorted(str(record.identifier) for record in records) == sorted(hit["slug"] for hit in hits)
    assert {record.organization.slug for record in records if isinstance(record, DatasetRecord)} == slugs
    asked = [one.query["org_slug"] for one in site.asked if one.path == "/search"]
    assert all(one <= other for one, other in pairwise(asked))


def test_a_real_answer_says_until_when_it_knows_of_changes(site: LocalSite, portal: DatagovPortal) -> None:
    site.serves("/search", {**json.loads((DATAGOV / "live202604__search.json").read_bytes()), "after": None})

    (page,) = list(portal.pages())

    assert page.changed_until == datetime(2025, 8, 10, 9, 23, 28, 100901, tzinfo=UTC)


def test_a_real_dataset_is_found_by_its_slug(site: LocalSite, portal: DatagovPortal) -> None:
    answer = json.loads((DATAGOV / "live202604__search_by_slug.json").read_bytes())
    slug = answer["results"][0]["slug"]
    site.serves(f"/api/dataset/{slug}", answer)

    page = portal.look_up(slug)

    assert page is not None
    assert [record.identifier for record in page.records] == [slug]


def test_the_real_organizations_are_all_asked_for(site: LocalSite, portal: DatagovPortal) -> None:
    site.serves("/api/organizations", (DATAGOV / "live202604__organizations.json").read_bytes())
    site.serves("/search", {"results": []})

    (witness,) = portal.witnesses()
    list(portal.pages())

    asked = [one.query["org_slug"] for one in site.asked if one.path == "/search"]
    assert (witness.total, len(witness.organizations)) == (526_394, 120)
    assert witness.by_organization["census"] == 284_008
    assert (len(asked), asked) == (120, sorted(asked))


def test_the_real_robots_txt_asks_for_ten_seconds() -> None:
    assert crawl_delay((DATAGOV / "robots.txt").read_text(), "Shelter/0.1 (rescue)") == 10.0


@pytest.mark.parametrize("status", [200, 202, 403, 429, 500, 502, 503, None])
@pytest.mark.parametrize("path", ERROR_PAGES, ids=lambda path: path.stem.rpartition("__")[2])
def test_a_real_error_page_ends_as_trouble_that_may_pass_with_the_pages_own_words(
    site: LocalSite, portal: DatagovPortal, path: Path, status: int | None
) -> None:
    own = OWN_STATUS.get(path.stem.rpartition("__")[2], 503)
    site.serves_in_turn("/search", Answered(path.read_bytes(), status or own, {"content-type": "text/html"}))

    with pytest.raises(TransientError, match=r"/search\S* could not be read") as caught:
        list(portal.pages())

    heading = path.read_text().partition("<h1>")[2].partition("</h1>")[0]
    assert heading in str(caught.value)
    assert len([one for one in site.asked if one.path == "/search"]) == 2


@pytest.mark.parametrize("path", ERROR_PAGES, ids=lambda path: path.stem.rpartition("__")[2])
def test_a_real_error_page_for_one_dataset_never_means_that_it_is_gone(
    site: LocalSite, portal: DatagovPortal, path: Path
) -> None:
    site.serves("/api/dataset/a", path.read_bytes(), OWN_STATUS.get(path.stem.rpartition("__")[2], 503))

    with pytest.raises(TransientError, match="/api/dataset/a could not be read"):
        portal.look_up("a")


@pytest.mark.parametrize("path", ERROR_PAGES, ids=lambda path: path.stem.rpartition("__")[2])
def test_a_real_error_page_is_no_sitemap(site: LocalSite, portal: DatagovPortal, path: Path) -> None:
    site.serves("/sitemap.xml", path.read_bytes())

    with pytest.raises(TransientError, match=r"sitemap\.xml could not be read: a web page instead"):
        list(portal.identities())
