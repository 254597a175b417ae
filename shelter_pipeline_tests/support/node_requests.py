"""Work for nodes, and nodes that ask for it, as tests need them."""

from __future__ import annotations

from typing import Any

import requests

from shelter_pipeline.operations.node_work import housekeep
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline_tests.support.api import ApiUnderTest
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested


def with_files(api: ApiUnderTest, count: int = 4, *, size: int | None = 1000) -> None:
    """So many files that wait to be fetched, each of a dataset and a host of its own."""
    catalog = api.workplace.catalog
    portal = a_portal(catalog)
    records = [
        a_dataset(str(n), a_resource(f"https://host{n}.example/file-{n}.csv", key=str(n), size=size))
        for n in range(count)
    ]
    harvested(catalog, portal, records)
    discovered(catalog, portal)
    score_all(api.workplace)
    housekeep(api.workplace)


def joined(api: ApiUnderTest, name: str) -> dict[str, str]:
    """A node of this name; returns the headers with which it asks."""
    answer = api.post("/nodes", {"name": name})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def allocated(api: ApiUnderTest, name: str = "node-123", **more: Any) -> list[dict[str, Any]]:
    """What this node is given when it asks."""
    headers = more.pop("headers", None)
    answer = api.post("/allocate", {"node_id": name, "free_space_gb": 10, **more}, headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()
    return items


def refusal(answer: requests.Response) -> tuple[int, str]:
    """The status and slug of an answer that is not what was asked for; its shape is checked."""
    body = answer.json()
    assert set(body) == {"error", "message", "problems"}, body
    assert body["message"]
    return answer.status_code, body["error"]


def live_claims(api: ApiUnderTest) -> dict[int, str]:
    """Who holds which file, as the catalog has it: seen past the API, for what it says of itself is under test."""
    import sqlalchemy as sa

    with api.workplace.catalog.begin() as connection:
        rows = connection.execute(sa.text("SELECT asset_id, holder FROM claim WHERE state = 'held'")).all()
    return {row.asset_id: row.holder for row in rows}
