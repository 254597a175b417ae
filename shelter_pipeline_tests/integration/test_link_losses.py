"""Links that die: noticed from captures that were made anyway, confirmed by further looks, ended by a good one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.batches import plannable_assets
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.losses import decide, list_losses, release_withheld, withheld_losses
from shelter_pipeline.catalog.portals import add_portal, organization_id
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.losses import DEAD, LASTING, REPLACED
from shelter_pipeline.operations.watch_links import watch_links
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

URL = "https://epa.example/air.csv"
NOTHING = {"suspected": 0, "withheld": 0, "confirmed": 0, "recovered": 0, "replaced": 0}


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """A workplace whose catalog knows one asset, URL, that a listed resource leads to."""
    with a_workplace(catalog_url, tmp_path / "store") as opened:
        portal = a_portal(catalog)
        harvested(catalog, portal, [a_dataset("1", a_resource(URL))])
        discovered(catalog, portal)
        yield opened


def only_loss(catalog: Catalog) -> dict[str, Any]:
    (row,) = list_losses(catalog)
    return row


def changes(workplace: Workplace, portal_slug: str | None = None) -> dict[str, int]:
    return {name: count for name, count in watch_links(workplace, portal_slug).items() if count}


def asset(catalog: Catalog) -> tuple[Any, ...]:
    """The asset's state, and in how many hours it is due."""
    query = "SELECT state, extract(epoch FROM next_attempt_at - now())::float / 3600 FROM asset"
    with catalog.begin() as connection:
        return tuple(connection.execute(sa.text(query)).one())


def due(catalog: Catalog) -> bool:
    return bool(plannable_assets(catalog, organization_id(catalog, "epa-gov")))


@pytest.mark.parametrize("reason", sorted(set(DEAD) - LASTING))
def test_a_link_that_leads_to_nothing_is_suspected_dead(
    workplace: Workplace, catalog: Catalog, reason: str
) -> None:
    captured(catalog, URL, reason, status=404)

    assert changes(workplace) == {"suspected": 1}
    row = only_loss(catalog)
    assert (row["state"], row["kind"], row["url"], row["identifier"]) == ("suspected", "link-dead", URL, "1")
    evidence = {"reason": reason, "status": 404, "final_url": URL, "held": False, "captures": [1]}
    assert row["evidence"] == evidence


@pytest.mark.parametrize("reason", sorted(REPLACED))
def test_a_page_in_place_of_the_file_is_suspected_to_have_replaced_it(
    workplace: Workplace, catalog: Catalog, reason: str
) -> None:
    captured(catalog, URL, "stored", days_ago=40, size=9)
    captured(catalog, URL, reason)

    assert changes(workplace) == {"suspected": 1, "replaced": 1}
    row = only_loss(catalog)
    assert (row["kind"], row["evidence"]["held"], row["held_bytes"]) == ("replaced", True, 9)


@pytest.mark.parametrize("reason", ["rate-limited", "forbidden", "robots", "no-space", "too-slow", "stored"])
def test_what_says_nothing_about_the_file_opens_no_loss(
    workplace: Workplace, catalog: Catalog, reason: str
) -> None:
    captured(catalog, URL, reason)

    assert watch_links(workplace) == NOTHING


def test_a_name_that_does_not_resolve_is_suspected_only_after_days(
    workplace: Workplace, catalog: Catalog
) -> None:
    captured(catalog, URL, "dns-failed", days_ago=4, status=None)
    assert changes(workplace) == {}

    captured(catalog, URL, "dns-failed", days_ago=3, status=None)
    assert changes(workplace) == {}

    captured(catalog, URL, "dns-failed", status=None)
    assert changes(workplace) == {"suspected": 1}


def test_a_name_that_resolved_in_between_is_not_suspected(workplace: Workplace, catalog: Catalog) -> None:
    captured(catalog, URL, "dns-failed", days_ago=9, status=None)
    captured(catalog, URL, "server-error", days_ago=1, status=500)
    captured(catalog, URL, "dns-failed", status=None)

    assert watch_links(workplace) == NOTHING


def test_one_look_counts_once_however_often_it_is_read(workplace: Workplace, catalog: Catalog) -> None:
    captured(catalog, URL, "not-found", days_ago=30)
    watch_links(workplace)

    assert watch_links(workplace) == NOTHING
    assert only_loss(catalog)["misses"] == 1


def test_looks_that_are_close_together_count_as_one(workplace: Workplace, catalog: Catalog) -> None:
    captured(catalog, URL, "not-found", days_ago=2)
    watch_links(workplace)

    captured(catalog, URL, "not-found", days_ago=1)
    watch_links(workplace)

    assert only_loss(catalog)["misses"] == 1


def test_a_dead_link_is_confirmed_by_enough_looks_over_enough_days(
    workplace: Workplace, catalog: Catalog
) -> None:
    for days_ago in (15, 10, 5):
        captured(catalog, URL, "not-found", days_ago=days_ago)
        assert "confirmed" not in changes(workplace)

    captured(catalog, URL, "gone")

    assert changes(workplace) == {"confirmed": 1}
    row = only_loss(catalog)
    assert (row["state"], row["misses"], row["evidence"]["captures"]) == ("confirmed", 4, [1, 2, 3, 4])


def test_two_looks_far_apart_confirm_nothing(workplace: Workplace, catalog: Catalog) -> None:
    captured(catalog, URL, "not-found", days_ago=60)
    watch_links(workplace)
    captured(catalog, URL, "not-found")

    assert changes(workplace) == {}
    assert only_loss(catalog)["misses"] == 2


def test_a_suspected_link_is_due_again_long_before_its_month_is_over(
    workplace: Workplace, catalog: Catalog
) -> None:
    captured(catalog, URL, "not-found", days_ago=1)
    resting = asset(catalog)

    watch_links(workplace)

    assert resting == ("failed", pytest.approx(30 * 24, abs=1))
    assert asset(catalog) == ("failed", pytest.approx(14 * 0.98 / 3 * 24 - 24, abs=1))
    assert not due(catalog)


def test_a_suspected_link_whose_time_has_come_is_planned(workplace: Workplace, catalog: Catalog) -> None:
    captured(catalog, URL, "not-found", days_ago=5)

    watch_links(workplace)

    assert due(catalog)


def test_a_held_file_whose_link_died_stays_held_and_is_looked_at_again(
    workplace: Workplace, catalog: Catalog
) -> None:
    captured(catalog, URL, "stored", days_ago=40)
    captured(catalog, URL, "not-found", days_ago=5)

    watch_links(workplace)

    assert asset(catalog)[0] == "held"
    assert due(catalog)


def test_a_confirmed_link_rests_for_its_month(workplace: Workplace, catalog: Catalog) -> None:
    for days_ago in (20, 13, 6, 0):
        captured(catalog, URL, "not-found", days_ago=days_ago)
        watch_links(workplace)

    assert only_loss(catalog)["state"] == "confirmed"
    assert asset(catalog) == ("failed", pytest.approx(30 * 24, abs=1))


def test_a_server_that_asks_for_rest_is_not_asked_sooner_for_a_suspicion(
    workplace: Workplace, catalog: Catalog
) -> None:
    captured(catalog, URL, "not-found", days_ago=9)
    watch_links(workplace)
    captured(catalog, URL, "forbidden", status=403)

    watch_links(workplace)

    assert asset(catalog) == ("failed", pytest.approx(30 * 24, abs=1))
    assert only_loss(catalog)["misses"] == 1


@pytest.mark.parametrize("good", ["stored", "unchanged"])
def test_a_link_that_gives_the_file_again_is_recovered(
    workplace: Workplace, catalog: Catalog, good: str
) -> None:
    captured(catalog, URL, "not-found", days_ago=5)
    watch_links(workplace)

    captured(catalog, URL, good)

    assert changes(workplace) == {"recovered": 1}
    assert changes(workplace) == {}
    assert only_loss(catalog)["evidence"]["seen_by_capture"] == 2


def test_a_link_that_no_resource_lists_any_more_is_no_new_loss(
    workplace: Workplace, catalog: Catalog
) -> None:
    captured(catalog, URL, "not-found")
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE resource SET listed = false"))

    assert watch_links(workplace) == NOTHING


def test_a_dismissed_link_is_suspected_again_only_by_a_new_look(
    workplace: Workplace, catalog: Catalog
) -> None:
    captured(catalog, URL, "not-found", days_ago=5)
    watch_links(workplace)
    decide(catalog, [only_loss(catalog)["id"]], state="dismissed", who="ada", why="works for me")
    assert changes(workplace) == {}

    captured(catalog, URL, "not-found")

    assert changes(workplace) == {"suspected": 1}
    assert [row["kind"] for row in list_losses(catalog)] == ["link-dead", "link-dead"]


def test_links_of_another_portal_are_left_alone(workplace: Workplace, catalog: Catalog) -> None:
    captured(catalog, URL, "not-found")
    other = add_portal(catalog, "ckan", "https://other.example")

    assert changes(workplace, other.slug) == {}
    assert changes(workplace, a_portal(catalog).slug) == {"suspected": 1}


def test_a_portal_that_is_not_known_is_named(workplace: Workplace) -> None:
    with pytest.raises(SetupError, match="no portal 'nowhere'"):
        watch_links(workplace, "nowhere")


def test_a_link_loss_is_listed_under_the_organization_of_its_dataset(
    workplace: Workplace, catalog: Catalog
) -> None:
    captured(catalog, URL, "not-found")
    watch_links(workplace)

    assert [row["organization"] for row in list_losses(catalog, organization="epa-gov")] == ["epa-gov"]
    assert list_losses(catalog, organization="noaa-gov") == []


def many_links(catalog: Catalog, count: int) -> list[str]:
    """More links of the same organization."""
    urls = [f"https://epa.example/{number}.csv" for number in range(count)]
    portal = a_portal(catalog)
    resources = [a_resource(url, key=f"r{place}", position=place) for place, url in enumerate(urls)]
    harvested(catalog, portal, [a_dataset("1", a_resource(URL)), a_dataset("2", *resources)])
    discovered(catalog, portal)
    return urls


def test_many_links_that_fail_at_once_are_withheld_and_dismissed_when_their_server_is_back(
    workplace: Workplace, catalog: Catalog
) -> None:
    urls = many_links(catalog, 60)
    for url in urls:
        captured(catalog, url, "stored", days_ago=9)
    assert changes(workplace) == {}
    for url in urls[:20]:
        captured(catalog, url, "login-page", days_ago=2)

    assert changes(workplace) == {"withheld": 20}
    assert {row["state"] for row in list_losses(catalog)} == {"withheld"}
    assert withheld_losses(catalog)[0]["links"] == 20
    for url in urls[:20]:
        captured(catalog, url, "stored")
    assert changes(workplace) == {}
    assert {(row["state"], row["kind"]) for row in list_losses(catalog)} == {("dismissed", "harvest-fault")}


def test_links_that_go_on_failing_together_are_confirmed_in_the_end(
    workplace: Workplace, catalog: Catalog
) -> None:
    urls = many_links(catalog, 60)
    for days_ago in (15, 8, 0):
        for url in urls[:20]:
            captured(catalog, url, "gone", status=410, days_ago=days_ago)
        found = changes(workplace)

    assert found == {"confirmed": 20}


def test_a_person_can_say_that_many_dead_links_are_real(workplace: Workplace, catalog: Catalog) -> None:
    for url in many_links(catalog, 60)[:20]:
        captured(catalog, url, "gone", status=410)
    changes(workplace)

    released = release_withheld(
        catalog, organization="epa-gov", who="a person", why="the server is switched off"
    )

    assert released == 20
    assert {row["state"] for row in list_losses(catalog)} == {"suspected"}


def test_a_few_dead_links_among_many_are_suspected_at_once(workplace: Workplace, catalog: Catalog) -> None:
    urls = many_links(catalog, 60)
    for url in urls:
        captured(catalog, url, "stored", days_ago=9)
    for url in urls[:8]:
        captured(catalog, url, "not-found", status=404)

    assert changes(workplace) == {"suspected": 8}
