"""The feed of losses over HTTP: pages, filters, and XML that is well-formed whatever titles contain."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import sqlalchemy as sa

from shelter_pipeline.api.questions import LossesAsked
from shelter_pipeline.api.shapes import Loss
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.losses import KINDS, STATES
from shelter_pipeline_tests.api.shelves import FAILED, a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.naughty_strings import NAUGHTY_STRINGS
from shelter_pipeline_tests.support.records import a_dataset, a_portal, harvested


def found(api: ApiUnderTest, **parameters: Any) -> dict[str, Any]:
    answer = api.get("/losses", params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def lose(catalog: Catalog, identifier: str, state: str, *, days_ago: int = 0) -> None:
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "WITH gone AS (UPDATE dataset SET state = CASE WHEN :state = 'withheld' THEN 'listed' ELSE 'absent' END"
                " WHERE identifier = :identifier RETURNING id, portal_id)"
                " INSERT INTO loss (portal_id, dataset_id, kind, state, suspected_at)"
                " SELECT portal_id, id, 'delisted', :state, :at FROM gone"
            ),
            {"identifier": identifier, "state": state, "at": datetime.now(UTC) - timedelta(days=days_ago)},
        )


def test_losses_are_paged_newest_first_and_filtered(api: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    lose(catalog, "rain", "confirmed", days_ago=30)
    lose(catalog, "snow", "suspected")
    lose(catalog, "wind", "withheld")
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO loss (portal_id, asset_id, kind)"
                " SELECT (SELECT portal_id FROM dataset LIMIT 1), id, 'link-dead' FROM asset WHERE url = :url"
            ),
            {"url": FAILED},
        )

    def datasets(**asked: Any) -> list[str | None]:
        return [item["dataset"] for item in found(api, **asked)["items"]]

    first = found(api, limit=2)
    Loss.model_validate(first["items"][0], strict=False)
    assert [item["url"] or item["dataset"] for item in first["items"]] == [FAILED, "dataset-snow"]
    assert datasets(limit=2, after=first["next"]) == ["dataset-rain"]
    assert datasets(state="withheld") == ["dataset-wind"]
    assert datasets(kind="link-dead", organization="noaa-gov") == ["dataset-snow"]
    assert datasets(organization="epa-gov") == []
    assert datasets(since=(datetime.now(UTC) - timedelta(days=1)).isoformat()) == ["dataset-snow"] * 2
    assert found(api, kind="link-dead")["items"][0]["held_files"] == 0
    assert api.get("/losses?organization=nobody").json()["error"] == "unknown-name"
    assert api.get("/losses", params={"state": "confirmed", "after": first["next"]}).status_code == 404


def test_the_feed_is_valid_xml_whatever_titles_contain(api: ApiUnderTest, catalog: Catalog) -> None:
    records = [a_dataset(str(number), title=text) for number, text in enumerate(NAUGHTY_STRINGS)]
    harvested(catalog, a_portal(catalog), records)
    for number in range(len(NAUGHTY_STRINGS)):
        lose(catalog, str(number), "suspected")

    answer = api.get("/losses.rss", params={"limit": 1000})
    some = api.get("/losses.rss", params={"limit": 2, "state": "confirmed"})

    assert answer.headers["content-type"].startswith("application/rss+xml")
    items = list(ET.fromstring(answer.content).iter("item"))  # noqa: S314
    assert len(items) == len(NAUGHTY_STRINGS)
    assert "Suspected (delisted): <script>alert(1)</script>" in {item.findtext("title") for item in items}
    assert b"<script" not in answer.content
    assert list(ET.fromstring(some.content).iter("item")) == []  # noqa: S314


def test_every_kind_and_state_of_a_loss_can_be_asked_for() -> None:
    def words(name: str) -> tuple[str, ...]:
        return get_args(get_args(LossesAsked.model_fields[name].annotation)[0])

    assert set(words("kind")) == set(KINDS)
    assert set(words("state")) == set(STATES)
