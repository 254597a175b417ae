"""ScienceBase: files in records and facets, bundles, links, and items below items a hundred at once."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, leads, read

ID = "5c8c03e4e4b0938824529f7d"
CHILD = "677eaf95d34e760b392c4970"
HOME = "https://www.sciencebase.gov/catalog"
PAGE = f"{HOME}/item/{ID}?format=json"
FIELDS = "title,files,facets,webLinks,distributionLinks,hasChildren"
CHILDREN = f"{HOME}/items?parentId={ID}&format=json&max=100&offset=0&fields={FIELDS}"


def file(name: str, disk: str, **changes: Any) -> dict[str, Any]:
    address = f"{HOME}/file/get/{ID}?f=__disk__{disk}"
    return {
        "cuid": "",
        "name": name,
        "title": None,
        "contentType": "text/csv",
        "pathOnDisk": f"__disk__{disk}",
        "size": 48213,
        "dateUploaded": "2018-06-20T17:52:59.000Z",
        "checksum": {"value": "9e6bb0a0ada77e2e62221b148957532e", "type": "MD5"},
        "url": address,
        "downloadUri": address,
        **changes,
    }


ITEM: dict[str, Any] = {
    "link": {"rel": "self", "url": f"{HOME}/item/{ID}"},
    "id": ID,
    "title": "Mineral commodity summaries",
    "files": [file("gold.csv", "3f%2F01")],
    "facets": [
        {
            "className": "gov.sciencebase.catalog.item.facet.ShapefileFacet",
            "files": [
                file("mines.shp", "4f%2F02", contentType="application/octet-stream"),
                file("gold.csv", "3f%2F01"),
            ],
        }
    ],
    "webLinks": [
        {
            "type": "download",
            "typeLabel": "Download",
            "uri": "https://pubs.example.gov/ds/1/mines.zip",
            "title": "All",
        },
        {"type": "webLink", "uri": "https://www.example.gov/about"},
        {"type": "download", "uri": "https://www.example.gov/hidden.zip", "hidden": True},
    ],
    "distributionLinks": [
        {
            "uri": f"{HOME}/file/get/{ID}",
            "title": "Download Attached Files",
            "type": "downloadLink",
            "name": "gold.zip",
        },
        {"uri": "https://www.sciencebase.gov/arcgis/services/x/MapServer/WMSServer", "type": "serviceLink"},
    ],
    "hasChildren": True,
}


@pytest.mark.parametrize(
    ("url", "page"),
    [
        (f"{HOME}/item/{ID}", PAGE),
        (f"http://sciencebase.gov/catalog/item/{ID}/", PAGE),
        (f"{HOME}/item/{ID}?format=json", PAGE),
        (f"{HOME}/folder/{ID}", PAGE),
        (f"{HOME}/items?parentId={ID}", CHILDREN),
    ],
)
def test_every_address_of_an_item_leads_to_its_record(url: str, page: str) -> None:
    assert entered(url) == ("sciencebase", [("page", page)])


def test_an_attached_file_is_a_file_at_once() -> None:
    url = f"{HOME}/file/get/{ID}?f=__disk__3f%2F01"

    assert entered(url) == ("sciencebase", [("file", url)])


@pytest.mark.parametrize(
    "url", [f"{HOME}/item/xyz", f"{HOME}/items?q=water", f"https://example.gov/catalog/item/{ID}"]
)
def test_other_pages_are_not_ours(url: str) -> None:
    assert entered(url) is None


def test_an_item_gives_files_facets_downloads_and_the_items_below_it() -> None:
    reading = read("sciencebase", ITEM, PAGE)

    assert brief(reading) == [
        ("file", f"{HOME}/file/get/{ID}?f=__disk__3f%2F01"),
        ("file", f"{HOME}/file/get/{ID}?f=__disk__4f%2F02"),
        ("file", "https://pubs.example.gov/ds/1/mines.zip"),
        ("page", CHILDREN),
    ]


def test_a_file_with_a_checksum_is_a_promise_and_one_without_is_none() -> None:
    bare = file("x.csv", "5f", checksum=None)

    first, second = leads(read("sciencebase", {"id": ID, "files": [file("gold.csv", "3f%2F01"), bare]}, PAGE))

    assert first == Lead(
        f"{HOME}/file/get/{ID}?f=__disk__3f%2F01",
        To.FILE,
        "sciencebase-file",
        label="gold.csv",
        asset_kind="csv",
        format="csv",
        size=48213,
        promised=True,
        checksum="md5:9e6bb0a0ada77e2e62221b148957532e",
    )
    assert (second.size, second.promised, second.checksum) == (48213, False, None)


def test_a_file_that_is_listed_twice_is_what_its_first_entry_says() -> None:
    again = file("gold.csv", "3f%2F01", size=1, checksum=None)

    [lead] = leads(read("sciencebase", {"id": ID, "files": [file("gold.csv", "3f%2F01"), again]}, PAGE))

    assert (lead.size, lead.promised) == (48213, True)


def test_the_bundle_is_taken_where_no_file_is_listed() -> None:
    item = {"id": ID, "distributionLinks": ITEM["distributionLinks"]}

    [lead] = leads(read("sciencebase", item, PAGE))

    assert (lead.url, lead.asset_kind, lead.promised) == (f"{HOME}/file/get/{ID}", "zip", False)


def test_a_list_gives_the_files_of_its_items_and_its_next_part() -> None:
    child = {"id": CHILD, "title": "2025", "files": [file("2025.csv", "6f")], "hasChildren": False}
    below = {"id": ID[::-1].replace("f", "0"), "hasChildren": True}

    reading = read("sciencebase", {"total": 150, "items": [child, below, None, 3]}, CHILDREN)

    assert [lead.label for lead in reading.leads if lead.to is To.FILE] == ["2025.csv"]
    assert brief(reading)[-1] == ("more", CHILDREN.replace("offset=0", "offset=4"))
    assert [lead.to.value for lead in reading.leads] == ["file", "page", "more"]


def test_a_list_ends_at_its_own_count_and_where_nothing_comes() -> None:
    child = {"id": CHILD, "files": [file("2025.csv", "6f")]}

    assert [to for to, _ in brief(read("sciencebase", {"total": 1, "items": [child]}, CHILDREN))] == ["file"]
    assert brief(read("sciencebase", {"total": 500, "items": []}, CHILDREN)) == []


def test_an_item_without_files_is_a_landing_page() -> None:
    reading = read("sciencebase", {"id": ID, "title": "Empty", "hasChildren": False}, PAGE)

    assert (leads(reading), reading.outcome) == ([], "landing-page-only")


@pytest.mark.parametrize(
    ("url", "body"), [(PAGE, {"errors": {"message": "x"}}), (CHILDREN, {"total": 3}), (PAGE, [])]
)
def test_what_is_no_item_is_an_error(url: str, body: Any) -> None:
    with pytest.raises(PermanentError):
        read("sciencebase", body, url)
