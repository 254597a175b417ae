"""Organizations take turns at the run slots: none with half the catalogue takes every one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.batches import planned_batches
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline_tests.support.records import a_portal


@pytest.fixture
def organizations(catalog: Catalog) -> Catalog:
    a_portal(catalog)
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO organization (portal_id, slug, key, name)"
                " SELECT 1, name, name, name FROM unnest(CAST(:names AS text[])) AS name"
            ),
            {"names": ["big", "mid", "small"]},
        )
    return catalog


def plan(catalog: Catalog, organization: str, scores: Sequence[float], **fields: object) -> None:
    """A batch of each score, each on a host of its own."""
    with catalog.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO batch (key, organization_id, host, number, score, files, bytes, urgent, state)"
                " SELECT o.key || '.' || place, o.id, o.key || place, place, score, 1, 1, :urgent, :state"
                " FROM organization AS o, unnest(CAST(:scores AS float[])) WITH ORDINALITY AS b (score, nth),"
                " LATERAL (SELECT nth + coalesce(max(number), 0) AS place FROM batch WHERE organization_id = o.id) AS p"
                " WHERE o.key = :organization"
            ),
            {"organization": organization, "scores": list(scores), "urgent": False, "state": "planned"}
            | fields,
        )


def offered(catalog: Catalog, limit: int, exclude: Sequence[str] = ()) -> list[str]:
    return [batch.key for batch in planned_batches(catalog, limit=limit, exclude=exclude)]


def test_an_organization_with_many_batches_leaves_room_for_the_others(organizations: Catalog) -> None:
    plan(organizations, "big", [0.6] * 50)
    plan(organizations, "mid", [0.6] * 5)
    plan(organizations, "small", [0.3])

    taken = offered(organizations, 9)

    assert Counter(key.partition(".")[0] for key in taken) == {"big": 4, "mid": 4, "small": 1}


def test_what_runs_or_is_in_flight_counts_for_its_organization(organizations: Catalog) -> None:
    plan(organizations, "big", [0.9] * 4)
    plan(organizations, "big", [0.9, 0.9], state="running")
    plan(organizations, "mid", [0.4])

    assert offered(organizations, 1) == ["mid.1"]  # 0.4 against 0.9 / 3
    assert offered(organizations, 1, exclude=["mid.1"]) == ["big.1"]
    assert offered(organizations, 1, exclude=["big.1"]) == ["mid.1"]


def test_within_an_organization_the_best_batch_is_first(organizations: Catalog) -> None:
    plan(organizations, "big", [0.2, 0.8, 0.5])

    assert offered(organizations, 3) == ["big.2", "big.3", "big.1"]


def test_urgent_batches_come_first_and_then_what_is_pinned_whoevers_it_is(organizations: Catalog) -> None:
    plan(organizations, "big", [1.0, 0.1, 1.0])
    plan(organizations, "big", [0.05], urgent=True)
    plan(organizations, "mid", [0.99])

    assert offered(organizations, 4) == ["big.4", "big.1", "big.3", "mid.1"]


def test_every_organization_comes_to_its_turn(organizations: Catalog) -> None:
    plan(organizations, "big", [0.99] * 200)
    plan(organizations, "small", [0.3])

    assert "small.1" in offered(organizations, 4)
