"""Figshare: articles and their versions, long lists of files, collections, embargoes, linked files."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, leads, read

API = "https://api.figshare.com/v2"
ARTICLE_PAGE = f"{API}/articles/21431547/versions/1"
MD5 = "043a51806d646e88cafbf19e7b82846f"


def file(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"table {number}.xls",
        "size": 14848,
        "is_link_only": False,
        "download_url": f"https://ndownloader.figshare.com/files/{number}",
        "supplied_md5": MD5,
        "computed_md5": MD5,
        "mimetype": "application/vnd.ms-excel",
        **changes,
    }


ARTICLE: dict[str, Any] = {
    "id": 21431547,
    "title": "Road damage",
    "doi": "10.6084/m9.figshare.21431547.v1",
    "defined_type_name": "dataset",
    "version": 1,
    "is_public": True,
    "is_confidential": False,
    "is_embargoed": False,
    "embargo_date": None,
    "embargo_type": "",
    "is_metadata_record": False,
    "has_linked_file": False,
    "files": [file(3000002), file(3000003, name="README.txt", mimetype="text/plain", computed_md5="")],
}


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://figshare.com/articles/dataset/Road_damage/21431547/1", ARTICLE_PAGE),
        ("https://figshare.com/articles/Road_damage/21431547/1", ARTICLE_PAGE),
        ("https://figshare.com/articles/21431547/1", ARTICLE_PAGE),
        ("https://figshare.com/articles/dataset/2020/21431547/1", ARTICLE_PAGE),
        ("http://rdr.ucl.figshare.com/articles/dataset/Road_damage/21431547/1", ARTICLE_PAGE),
        ("https://doi.org/10.6084/m9.figshare.21431547.v1", ARTICLE_PAGE),
        ("https://figshare.com/articles/dataset/Road_damage/21431547", f"{API}/articles/21431547"),
        ("https://doi.org/10.6084/m9.figshare.21431547", f"{API}/articles/21431547"),
        ("https://api.figshare.com/v2/articles/21431547", f"{API}/articles/21431547"),
        (
            "https://figshare.com/collections/All_roads/5432100/2",
            f"{API}/collections/5432100/articles?page=1&page_size=1000",
        ),
        (
            "https://doi.org/10.6084/m9.figshare.c.5432100.v2",
            f"{API}/collections/5432100/articles?page=1&page_size=1000",
        ),
    ],
)
def test_every_address_of_an_article_or_collection_leads_to_its_api_page(url: str, page: str) -> None:
    assert entered(url) == ("figshare", [("page", page)])


@pytest.mark.parametrize(
    "url",
    ["https://figshare.com/", "https://figshare.com/s/0a1b2c3d", "https://notfigshare.com/articles/21431547"],
)
def test_other_pages_are_not_ours(url: str) -> None:
    assert entered(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://ndownloader.figshare.com/files/3000002",
        "https://figshare.com/ndownloader/articles/21431547/versions/1",
    ],
)
def test_a_download_is_a_file_at_once(url: str) -> None:
    assert entered(url) == ("figshare", [("file", url)])


def test_files_come_with_size_and_checksum_as_promises() -> None:
    first, second = leads(read("figshare", ARTICLE, ARTICLE_PAGE))

    assert first == Lead(
        "https://ndownloader.figshare.com/files/3000002",
        To.FILE,
        "figshare-file",
        label="table 3000002.xls",
        asset_kind="xls",
        format="xls",
        size=14848,
        promised=True,
        checksum=f"md5:{MD5}",
    )
    assert (second.asset_kind, second.checksum) == ("text", f"md5:{MD5}")


def test_a_media_type_counts_only_where_the_name_tells_nothing() -> None:
    files = [file(1, name="from windows.csv"), file(2, name="table")]

    named, unnamed = leads(read("figshare", {**ARTICLE, "files": files}, ARTICLE_PAGE))

    assert (named.asset_kind, named.format, named.media_type) == ("csv", "csv", None)
    assert (unnamed.asset_kind, unnamed.format, unnamed.media_type) == (
        "xls",
        None,
        "application/vnd.ms-excel",
    )


def test_a_record_that_may_show_the_first_ten_files_only_is_asked_for_the_list() -> None:
    reading = read("figshare", {**ARTICLE, "files": [file(number) for number in range(10)]}, ARTICLE_PAGE)

    assert brief(reading) == [("more", f"{ARTICLE_PAGE}/files?page=1&page_size=1000")]


def test_the_list_of_files_is_read_until_a_page_is_not_full() -> None:
    page = f"{ARTICLE_PAGE}/files?page=1&page_size=2"

    assert brief(read("figshare", [file(1), file(2)], page))[-1] == (
        "more",
        f"{ARTICLE_PAGE}/files?page=2&page_size=2",
    )
    assert [to for to, _ in brief(read("figshare", [file(1)], page))] == ["file"]


def test_a_collection_leads_to_its_articles_and_its_next_page() -> None:
    page = f"{API}/collections/5432100/articles?page=1&page_size=2"
    articles = [{"id": 1, "title": "One", "url": "https://evil.example/1"}, {"title": "no number"}]

    reading = read("figshare", articles, page)

    assert brief(reading) == [
        ("page", f"{API}/articles/1"),
        ("more", f"{API}/collections/5432100/articles?page=2&page_size=2"),
    ]
    assert reading.notes == ("an article without a number was passed over",)


def test_a_file_that_is_only_a_link_is_a_link_like_any_other_and_promises_nothing() -> None:
    linked = [
        file(1, is_link_only=True, download_url="https://example.org/about", size=0),
        file(2, is_link_only=True, download_url="https://example.org/x.csv"),
    ]

    page, table = leads(read("figshare", {**ARTICLE, "files": linked}, ARTICLE_PAGE))

    assert (page.to, page.reader, page.size) == (To.PAGE, "", None)
    assert (table.to, table.promised, table.checksum) == (To.FILE, False, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"is_embargoed": True, "embargo_date": "2031-05-01", "embargo_type": "file"},
            "embargoed until 2031-05-01",
        ),
        ({"is_confidential": True, "files": []}, "confidential"),
    ],
)
def test_a_withheld_article_asks_for_a_login(change: dict[str, Any], said: str) -> None:
    reading = read("figshare", ARTICLE | change, ARTICLE_PAGE)

    assert (leads(reading), reading.outcome) == ([], "login-required")
    assert said in reading.detail


def test_a_record_of_metadata_only_is_a_landing_page() -> None:
    assert (
        read("figshare", {**ARTICLE, "is_metadata_record": True, "files": []}, ARTICLE_PAGE).outcome
        == "landing-page-only"
    )


def test_an_error_is_no_article() -> None:
    with pytest.raises(PermanentError):
        read("figshare", {"message": "Entity not found: article", "code": "EntityNotFound"}, ARTICLE_PAGE)
