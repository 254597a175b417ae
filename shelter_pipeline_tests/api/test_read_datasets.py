"""Datasets as researchers read them: lists that lose nothing, filters, one dataset whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.api.shapes import Dataset, WholeDataset
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.reading import TooBroadError, reading
from shelter_pipeline_tests.api.shelves import FAILED, HELD, a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.naughty_strings import NAUGHTY_STRINGS
from shelter_pipeline_tests.support.records import EPA, a_dataset, a_portal, a_resource, discovered, harvested


def titles(answer: dict[str, Any]) -> list[str]:
    return [item["title"] for item in answer["items"]]


def found(api: ApiUnderTest, path: str, **parameters: Any) -> dict[str, Any]:
    answer = api.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def id_of(api: ApiUnderTest, slug: str) -> int:
    [item] = found(api, "/datasets", slug=slug)["items"]
    return int(item["id"])


def test_a_list_says_how_much_of_each_dataset_is_held(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)

    items = found(api, "/datasets")["items"]

    for item in items:
        Dataset.model_validate(item, strict=False)
    assert [(item["title"], item["verdict"], item["files"], item["held_bytes"]) for item in items] == [
        ("Daily rainfall of Alaska", "complete", 1, 1234),
        ("Snow depth", "unreachable", 1, 0),
        ("Winds aloft", "waiting", 1, 0),
    ]
    assert items[1]["failed"] == ["not-found"]


FILTERED: tuple[tuple[dict[str, str], list[str]], ...] = (
    ({"organization": "noaa-gov"}, ["Daily rainfall of Alaska", "Snow depth"]),
    ({"portal": "portal-example", "organization": "epa-gov"}, ["Winds aloft"]),
    ({"state": "absent"}, ["Snow depth"]),
    ({"kind": "service"}, []),
    ({"slug": "dataset-wind"}, ["Winds aloft"]),
    ({"identifier": "snow"}, ["Snow depth"]),
    ({"url": "HTTPS://DATA.example.gov:443/rain.csv#part"}, ["Daily rainfall of Alaska"]),
    ({"modified_since": "2020-06-01"}, ["Winds aloft"]),
    ({"order": "modified"}, ["Winds aloft", "Daily rainfall of Alaska"]),
)


def test_filters_say_which_and_orders_in_which_order(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    with catalog.begin() as connection:
        for statement in (
            "UPDATE dataset SET modified = '2020-01-01' WHERE identifier = 'rain'",
            "UPDATE dataset SET modified = '2021-01-01' WHERE identifier = 'wind'",
            (
                "INSERT INTO loss (portal_id, dataset_id, kind)"
                " SELECT portal_id, id, 'delisted' FROM dataset WHERE identifier = 'snow'"
            ),
            "UPDATE dataset SET state = 'absent' WHERE identifier = 'snow'",
        ):
            connection.execute(sa.text(statement))

    assert [titles(found(api, "/datasets", **filters)) for filters, _ in FILTERED] == [
        expected for _, expected in FILTERED
    ]


@pytest.mark.parametrize("order", ["id", "modified"])
def test_pages_neither_double_nor_miss_a_row_while_others_come_and_change(
    api: ApiUnderTest, catalog: Catalog, order: str
) -> None:
    portal = a_portal(catalog)
    began = datetime(2020, 1, 1, tzinfo=UTC)

    def add(first: int, last: int, **fields: Any) -> None:
        rows = (
            # Several have one date: then the id decides.
            a_dataset(str(number), modified=began + timedelta(days=number // 3), title=f"T{number}", **fields)
            for number in range(first, last)
        )
        harvested(catalog, portal, rows)

    add(0, 30)
    there = {item["id"] for item in found(api, "/datasets", limit=200)["items"]}
    seen: list[int] = []
    page = found(api, "/datasets", order=order, limit=7)
    for step in range(100):
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        add(100 + 3 * step, 103 + 3 * step)  # newer ones, and then a record that is read already says more
        add(0, 2, description=f"changed {step}")
        page = found(api, "/datasets", order=order, limit=7, after=page["next"])

    assert page["next"] is None
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_the_last_page_has_no_next_even_if_it_is_full(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)

    first = found(api, "/datasets", limit=2)
    last = found(api, "/datasets", limit=1, after=first["next"])

    assert titles(last) == ["Winds aloft"]
    assert last["next"] is None


def test_a_dataset_is_shown_with_its_links_files_hashes_losses_and_versions(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    a_shelf(catalog)
    harvested(
        catalog,
        a_portal(catalog),
        [a_dataset("snow", a_resource(FAILED, format="csv"), title="Snow depth, revised", license="CC0")],
    )
    with catalog.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO loss (asset_id, kind) SELECT id, 'link-dead' FROM asset WHERE url = :url"),
            {"url": FAILED},
        )

    rain = found(api, f"/datasets/{id_of(api, 'dataset-rain')}")
    snow = found(api, f"/datasets/{id_of(api, 'dataset-snow')}")

    for one in (rain, snow):
        WholeDataset.model_validate(one, strict=False)
    [file] = rain["links"][0]["files_found"]
    assert (file["url"], file["state"], file["size"], file["copies"]) == (HELD, "held", 1234, 1.0)
    assert file["download"] == f"/files/{file['sha256']}"
    assert file["explanation"] == "It is held here, whole, and its hash is recorded."
    assert rain["losses"] == rain["replaced"] == []
    assert (snow["title"], snow["license"], snow["versions"]) == ("Snow depth, revised", "CC0", 1)
    assert {change["path"] for change in snow["replaced"][0]["changes"]} >= {"title"}
    assert [(loss["kind"], loss["url"]) for loss in snow["losses"]] == [("link-dead", FAILED)]
    assert snow["links"][0]["files_found"][0]["explanation"] == (
        "It is not held: the server has nothing at this address (404)."
    )


def test_the_portals_own_record_is_given_as_it_stands(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)

    answer = api.get(f"/datasets/{id_of(api, 'dataset-wind')}/record")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["identifier"] == "wind"


def test_a_dataset_with_very_many_files_is_counted_up_to_a_limit_in_lists_and_says_so(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    links = [a_resource(f"https://a.example/{n}.csv", key=f"r{n}", position=n) for n in range(1001)]
    harvested(catalog, a_portal(catalog), [a_dataset("many", *links)])
    discovered(catalog, a_portal(catalog))

    [listed] = found(api, "/datasets")["items"]
    whole = found(api, f"/datasets/{listed['id']}")

    assert (listed["files"], listed["files_are_more"]) == (1000, True)
    assert (whole["files"], whole["files_are_more"], len(whole["links"])) == (1001, False, 200)


def test_texts_come_back_as_they_were_published(api: ApiUnderTest, catalog: Catalog) -> None:
    records = [
        a_dataset(str(number), title=text, description=text, keywords=("second", text), publisher=text)
        for number, text in enumerate(NAUGHTY_STRINGS)
    ]
    harvested(catalog, a_portal(catalog), records)

    items = found(api, "/datasets", limit=200)["items"]
    searched = found(api, "/datasets/search", q="second", limit=200)["items"]

    assert [item["title"] for item in items] == list(NAUGHTY_STRINGS)
    assert [item["keywords"][1] for item in items] == list(NAUGHTY_STRINGS)
    assert [item["description"] for item in items] == [text[:400] for text in NAUGHTY_STRINGS]
    assert sorted(item["title"] for item in searched) == sorted(NAUGHTY_STRINGS)
    for item in items[:: len(items) // 10]:
        whole = found(api, f"/datasets/{item['id']}")
        assert (whole["description"], whole["publisher"]) == (item["title"], item["title"])


def test_a_list_that_stayed_the_same_need_not_be_sent_again(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    first = api.get("/datasets")
    tag = first.headers["etag"]

    again = api.get("/datasets", headers={"If-None-Match": f'"other", {tag}'})
    other = api.get("/datasets?limit=1", headers={"If-None-Match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


def test_an_id_that_is_none_is_refused(api: ApiUnderTest) -> None:
    paths = (
        "/datasets/{}",
        "/datasets/{}/record",
        "/resources/{}",
        "/assets/{}",
        "/assets/{}/captures",
        "/captures/{}",
    )
    for path in paths:
        for identity in ("0", "-1", str(2**63), "x", "1.5", "%00", "9" * 400):
            answer = api.get(path.format(identity))
            assert (answer.status_code, answer.json()["error"]) == (404, "not-found"), answer.url
            assert answer.json()["problems"][0]["where"].startswith("path."), answer.url
        answer = api.get(path.format(2**63 - 1))
        assert (answer.status_code, answer.json()["error"]) == (404, "not-found"), answer.url


BAD_PARAMETERS = {
    "limit=0": "query.limit",
    "limit=201": "query.limit",
    "limit=many": "query.limit",
    "state=lost": "query.state",
    "kind=%00": "query.kind",
    "organization=a%00b": "query.organization",
    "organization=" + "x" * 501: "query.organization",
    "q=": "query.q",
    "q=%ff%00": "query.q",
    "modified_since=yesterday": "query.modified_since",
    "order=rank": "query.order",
    "organisation=epa-gov": "query.organisation",
    "after=" + "A" * 301: "query.after",
}
REFUSED = {
    "after=abc": "bad-cursor",
    "organization=nobody": "unknown-name",
    "portal=nowhere": "unknown-name",
    "url=not%20a%20url": "bad-url",
    "q=rain&after=WyJ4IixbMV1d": "bad-cursor",
}


def test_a_bad_parameter_is_named_and_what_cannot_be_answered_is_refused_in_a_sentence(
    api: ApiUnderTest,
) -> None:
    for query, where in BAD_PARAMETERS.items():
        answer = api.get(f"/datasets?{query}")
        assert answer.status_code == 422
        assert [problem["where"] for problem in answer.json()["problems"]] == [where]
    for query, reason in REFUSED.items():
        answer = api.get(f"/datasets?{query}")
        assert (answer.status_code, answer.json()["error"]) == (404, reason)
        assert len(answer.json()["message"]) > 20


def test_a_question_that_takes_too_long_is_given_up_with_a_reason(
    catalog: Catalog,
) -> None:
    with (
        pytest.raises(TooBroadError, match=r"given up after 0\.05 seconds"),
        reading(catalog, seconds=0.05) as connection,
    ):
        connection.execute(sa.text("SELECT pg_sleep(5)"))
    with reading(catalog) as connection, pytest.raises(sa.exc.InternalError, match="read-only"):
        connection.execute(sa.text("DELETE FROM dataset"))


def test_a_cursor_goes_on_with_its_own_question_only(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog, *(a_dataset(f"more-{number}", organization=EPA) for number in range(3)))
    cursor = found(api, "/datasets", organization="epa-gov", limit=1)["next"]

    answer = api.get("/datasets", params={"organization": "noaa-gov", "after": cursor})

    assert answer.status_code == 404
    assert "another question" in answer.json()["message"]
