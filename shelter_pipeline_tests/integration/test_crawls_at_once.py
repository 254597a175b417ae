"""Crawls, harvests and probes of the same rows at once: nobody fails, nobody waits for ever, nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.probe_assets import probe_assets
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

PLACES, FILES, ROUNDS = 40, 30, 8


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        for place in range(PLACES):
            running.answers(f"/{place}/", lambda _, place=place: listing(place))
        yield running


def listing(place: int) -> Answered:
    """Files of its own, and such as its neighbours list too, in another order."""
    shared = [f"/shared/{(place + number) % PLACES}.csv" for number in range(FILES)]
    links = "".join(f'<a href="{href}">file {href}</a><br>' for href in [f"/{place}/own.csv", *shared])
    return Answered(f"<!doctype html><html><body>{links}</body></html>".encode())


def at_once(*works: Callable[[], Any]) -> list[BaseException]:
    """What went wrong in them."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the test asserts that there is none
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert not any(thread.is_alive() for thread in threads)
    return errors


def test_crawls_beside_a_harvest_and_probes_end_with_every_file_found(
    catalog: Catalog, catalog_url: str, tmp_path: Path, site: LocalSite
) -> None:
    portal = a_portal(catalog)

    def harvest(shift: int) -> None:
        """Each dataset names a place, which is another one with each shift; two datasets share each."""
        records = [
            a_dataset(f"{number:03}", a_resource(f"{site.url}/{(number + shift) % PLACES}/"))
            for number in range(2 * PLACES)
        ]
        harvested(catalog, portal, records)

    def change(text: str) -> None:
        with catalog.begin() as connection:
            connection.execute(sa.text(text))

    def harvesting() -> None:
        for shift in range(1, ROUNDS):
            harvest(shift)

    with (
        a_workplace(catalog_url, tmp_path / "a", robots="ignore") as one,
        a_workplace(catalog_url, tmp_path / "b", robots="ignore") as other,
    ):

        def crawling(workplace: Any) -> None:
            for _ in range(ROUNDS):
                discover_resources(workplace, portal.slug)
                change("UPDATE exploration SET due_at = now() WHERE mod(id, 3) = 0 AND state = 'ended'")

        def probing() -> None:
            for _ in range(ROUNDS):
                probe_assets(other, None)

        harvest(0)
        errors = at_once(lambda: crawling(one), lambda: crawling(other), harvesting, probing)
        assert errors == []
        change("UPDATE exploration SET due_at = now()")
        discover_resources(one, portal.slug)

    with catalog.begin() as connection:
        files = connection.execute(
            sa.text(
                "SELECT dataset.identifier, count(*) FROM asset_resource JOIN resource ON resource.id = resource_id"
                " JOIN dataset ON dataset.id = dataset_id GROUP BY 1 ORDER BY 1"
            )
        ).all()
        states = connection.scalars(sa.text("SELECT DISTINCT outcome FROM resource")).all()
        held = connection.scalar(sa.text("SELECT count(*) FROM exploration WHERE taken_until IS NOT NULL"))
    assert [tuple(row) for row in files] == [(f"{number:03}", FILES + 1) for number in range(2 * PLACES)]
    assert (states, held) == (["found"], 0)
