"""What becomes of datasets that a harvest does not see: no false alarm, no loss forgotten, each step proved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.losses import (
    Absences,
    decide,
    list_losses,
    loss_counts,
    record_absences,
    recover,
    recovered_since,
    release_withheld,
    unseen,
    withheld_losses,
)
from shelter_pipeline.catalog.portals import PortalRow, add_portal
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.losses import LossRules
from shelter_pipeline.domain.records import DatasetRecord, OrganizationRecord, Refusal
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

RULES = LossRules(breaker_fraction=0.1, confirm_harvests=3, confirm_days=14)
NOAA = OrganizationRecord("noaa-gov", "National Oceanic and Atmospheric Administration")


def titled(identifier: str, title: str | None = None, **fields: Any) -> DatasetRecord:
    return a_dataset(identifier, title=title or f"Air quality {identifier}", **fields)


def several(count: int, prefix: str = "d", **fields: Any) -> list[DatasetRecord]:
    return [titled(f"{prefix}{number}", **fields) for number in range(count)]


def missed(
    catalog: Catalog,
    portal: PortalRow,
    records: Iterable[DatasetRecord],
    *,
    rules: LossRules = RULES,
    asked: dict[str, bool] | None = None,
) -> Absences:
    """One complete full harvest that saw `records` and nothing else, and what it found missing."""
    harvest_id = harvested(catalog, portal, records)
    recover(catalog, portal, harvest_id)
    return record_absences(catalog, portal, harvest_id, rules=rules, asked=asked or {})


def days_pass(catalog: Catalog, days: float) -> None:
    with catalog.begin() as connection:
        connection.execute(
            sa.text("UPDATE loss SET suspected_at = suspected_at - make_interval(secs => :secs)"),
            {"secs": days * 86400},
        )


def rows(catalog: Catalog, query: str) -> list[tuple[Any, ...]]:
    with catalog.begin() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def states(catalog: Catalog) -> dict[str, str]:
    """The state of each dataset that is or was lost, with that of its loss."""
    query = "SELECT identifier, loss.state || ' ' || dataset.state FROM loss JOIN dataset ON dataset.id = dataset_id"
    return dict(rows(catalog, query))


def placed(catalog: Catalog) -> dict[str, str | None]:
    return {row["identifier"]: row["moved_to"] for row in list_losses(catalog)}


def test_a_dataset_that_a_complete_harvest_did_not_see_is_suspected_lost_and_absent(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    first = harvested(catalog, portal, everything)

    absences = missed(catalog, portal, everything[1:])

    assert absences == Absences(missing=1, suspected=1)
    assert states(catalog) == {"d0": "suspected absent"}
    assert list_losses(catalog)[0]["evidence"] == {"harvests": [2], "last_seen_by": first, "absent_since": 2}


def test_a_harvest_that_saw_everything_finds_nothing_missing(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, several(20))

    assert missed(catalog, portal, several(21)) == Absences()


def test_another_portals_datasets_are_not_missed(catalog: Catalog) -> None:
    harvested(catalog, a_portal(catalog), several(20))
    other = add_portal(catalog, "ckan", "https://other.example")

    assert missed(catalog, other, several(2, "x")) == Absences()


@pytest.mark.parametrize("kept", [19, 5])
def test_recording_a_harvest_twice_changes_nothing(catalog: Catalog, kept: int) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, several(20))
    harvest_id = harvested(catalog, portal, several(kept))
    rules = LossRules(breaker_fraction=0.1, confirm_harvests=1, confirm_days=0)
    query = "SELECT id, state, kind, misses, evidence::text, moved_to_id, decided_at FROM loss ORDER BY id"
    once = record_absences(catalog, portal, harvest_id, rules=rules, asked={})
    written = rows(catalog, query)

    again = record_absences(catalog, portal, harvest_id, rules=rules, asked={})

    assert again == once
    assert once.missing == 20 - kept
    assert rows(catalog, query) == written


def test_a_harvest_that_a_later_one_overtook_misses_nothing(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    slow = harvested(catalog, portal, several(20))
    harvested(catalog, portal, several(20))

    assert record_absences(catalog, portal, slow, rules=RULES, asked={}) == Absences()


def test_a_loss_is_confirmed_only_after_enough_harvests_over_enough_days(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)

    assert missed(catalog, portal, everything[1:]).confirmed == 0
    days_pass(catalog, 15)
    assert missed(catalog, portal, everything[1:]).confirmed == 0
    assert states(catalog) == {"d0": "suspected absent"}
    assert missed(catalog, portal, everything[1:]).confirmed == 1
    assert states(catalog) == {"d0": "confirmed absent"}
    assert missed(catalog, portal, everything[1:]) == Absences()
    assert rows(catalog, "SELECT misses, evidence -> 'harvests', decided_at IS NOT NULL FROM loss") == [
        (4, [2, 3, 4], True)
    ]


def test_many_harvests_in_a_few_days_confirm_nothing(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)

    for _ in range(5):
        missed(catalog, portal, everything[1:])
        days_pass(catalog, 2.5)

    assert rows(catalog, "SELECT state, misses FROM loss") == [("suspected", 5)]


def test_two_back_ends_that_alternate_confirm_no_loss(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(482)
    harvested(catalog, portal, everything)

    for _ in range(4):
        assert missed(catalog, portal, everything[2:]).suspected == 2
        days_pass(catalog, 7)
        missed(catalog, portal, everything)

    assert loss_counts(catalog) == {"recovered": {"delisted": 8}}
    assert rows(catalog, "SELECT count(*) FROM dataset WHERE state = 'absent'") == [(0,)]


def test_a_mass_drop_is_withheld_and_its_datasets_stay_listed(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(30)
    harvested(catalog, portal, everything)

    absences = missed(catalog, portal, everything[:10])

    assert absences == Absences(missing=20, withheld=20, breakers=("portal", "epa-gov"))
    assert set(states(catalog).values()) == {"withheld listed"}
    assert [(row["organization"], row["breaker"], row["datasets"]) for row in withheld_losses(catalog)] == [
        ("epa-gov", "epa-gov", 20)
    ]


def test_an_organization_that_vanishes_does_not_hide_the_losses_of_others(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    epa, noaa = several(40), several(400, "n", organization=NOAA)
    harvested(catalog, portal, [*epa, *noaa])

    absences = missed(catalog, portal, noaa[1:])

    assert absences == Absences(missing=41, suspected=1, withheld=40, breakers=("epa-gov",))
    assert states(catalog)["n0"] == "suspected absent"


def test_a_little_of_every_organization_is_withheld_by_the_portals_breaker(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    owners = [OrganizationRecord(f"org-{number}", f"Organization {number}") for number in range(5)]
    parts = [several(20, f"o{number}-", organization=owner) for number, owner in enumerate(owners)]
    harvested(catalog, portal, [record for part in parts for record in part])

    absences = missed(catalog, portal, [record for part in parts for record in part[4:]])

    assert absences == Absences(missing=20, withheld=20, breakers=("portal",))


def test_a_mass_drop_that_lasts_is_confirmed_as_real(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(30)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[:10])
    days_pass(catalog, 15)
    missed(catalog, portal, everything[:10])

    absences = missed(catalog, portal, everything[:10])

    assert (absences.confirmed, absences.withheld) == (20, 0)
    assert set(states(catalog).values()) == {"confirmed absent"}


def test_what_is_seen_again_after_a_mass_drop_is_dismissed_as_a_fault_of_the_harvest(
    catalog: Catalog,
) -> None:
    portal = a_portal(catalog)
    everything = several(30)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[:10])

    back = recover(catalog, portal, harvested(catalog, portal, everything))

    assert back == 0  # they were never absent
    assert loss_counts(catalog) == {"dismissed": {"harvest-fault": 20}}


def test_what_is_still_missing_when_a_mass_drop_is_over_is_suspected(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(30)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[:10])

    absences = missed(catalog, portal, everything[1:])

    assert absences == Absences(missing=1, suspected=1)
    assert states(catalog)["d0"] == "suspected absent"
    assert rows(catalog, "SELECT misses FROM loss WHERE state = 'suspected'") == [(1,)]


def test_a_dataset_that_was_withheld_and_stays_away_keeps_its_misses(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(30)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[1:11])

    missed(catalog, portal, everything[1:])

    assert rows(catalog, "SELECT misses FROM loss WHERE state = 'suspected'") == [(2,)]


@pytest.mark.parametrize("verdict", ["complete", "plausible", "partial"])
def test_a_dataset_that_any_harvest_sees_again_is_recovered(catalog: Catalog, verdict: str) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[1:])

    seeing = harvested(catalog, portal, everything[:1], verdict=verdict)

    assert recover(catalog, portal, seeing) == 1
    assert recover(catalog, portal, seeing) == 0
    assert states(catalog) == {"d0": "recovered listed"}
    assert recovered_since(catalog, portal.id, hours=1) == 1
    counted = f"SELECT recovered FROM harvest_organization WHERE harvest_id = {seeing}"  # noqa: S608
    assert rows(catalog, counted) == [(1,)]


def test_a_sighting_older_than_the_loss_recovers_nothing(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    first = harvested(catalog, portal, everything)
    missed(catalog, portal, everything[1:])

    assert recover(catalog, portal, first) == 0
    assert states(catalog) == {"d0": "suspected absent"}


def test_a_dataset_that_is_lost_again_is_a_loss_of_its_own(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[1:])
    missed(catalog, portal, everything)

    missed(catalog, portal, everything[1:])

    assert [(row["state"], row["misses"]) for row in list_losses(catalog)] == [
        ("suspected", 1),
        ("recovered", 1),
    ]


def test_what_was_missed_is_counted_by_organization(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    epa, noaa = several(40), several(400, "n", organization=NOAA)
    harvested(catalog, portal, [*epa, *noaa])

    missed(catalog, portal, noaa[3:])

    counted = (
        "SELECT key, delisted, withheld FROM harvest_organization JOIN organization ON id = organization_id"
        " WHERE harvest_id = (SELECT max(id) FROM harvest) ORDER BY key"
    )
    assert rows(catalog, counted) == [("epa-gov", 0, 40), ("noaa-gov", 3, 0)]


def test_that_the_portal_denied_a_dataset_by_name_is_evidence(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)

    missed(catalog, portal, everything[2:], asked={"d0": False, "d7": True})

    asked = {row["identifier"]: row["evidence"].get("asked") for row in list_losses(catalog)}
    assert asked == {"d0": False, "d1": None}


def test_the_portal_is_asked_for_listed_datasets_first_and_not_for_what_is_known_to_be_gone(
    catalog: Catalog,
) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[2:])
    decide(
        catalog,
        [row["id"] for row in list_losses(catalog) if row["identifier"] == "d1"],
        **a_word("confirmed"),
    )
    harvest_id = harvested(catalog, portal, everything[4:])

    first, second, third = unseen(catalog, portal, harvest_id, limit=10)
    assert ({first, second}, third) == ({"d2", "d3"}, "d0")
    assert unseen(catalog, portal, harvest_id, limit=1) == [first]


def test_a_dataset_that_comes_back_under_another_identifier_has_moved(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)

    absences = missed(catalog, portal, [*everything[1:], titled("new", "Air quality d0")])

    assert absences == Absences(missing=1, suspected=1, moved=1)
    row = list_losses(catalog)[0]
    assert (row["kind"], row["moved_to"]) == ("moved", "dataset-new")
    assert row["evidence"]["because"] == "it has the same title and organization"


def test_a_dataset_whose_file_another_one_lists_now_has_moved_there(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    url = "https://epa.example/air.csv"
    everything = [a_dataset("d0", a_resource(url), title="Air"), *several(20, "x")]
    harvested(catalog, portal, everything)
    successor = a_dataset("new", a_resource(url), title="Air, revised", organization=NOAA)

    missed(catalog, portal, [*everything[1:], successor])

    row = list_losses(catalog)[0]
    assert (row["kind"], row["moved_to"]) == ("moved", "dataset-new")
    assert row["evidence"]["because"] == f"it lists the same file, {url}"


def test_a_twin_that_was_there_before_is_no_successor(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = [titled("twin", "Air quality d0"), *several(20)]
    harvested(catalog, portal, everything[:1])
    harvested(catalog, portal, everything)

    missed(catalog, portal, [record for record in everything if record.identifier != "d0"])

    assert placed(catalog) == {"d0": None}


def test_a_title_and_a_file_that_many_datasets_share_say_nothing(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    logo = a_resource("https://epa.example/logo.png")
    lost = a_dataset("d0", logo, title="Untitled")
    rest = several(20, "x")
    harvested(catalog, portal, [lost, *rest])
    crowd = [a_dataset(f"new{number}", logo, title="Untitled") for number in range(8)]

    missed(catalog, portal, [*rest, *crowd])

    assert placed(catalog) == {"d0": None}


def test_a_dataset_whose_successor_is_lost_too_is_delisted(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    rest = several(20, "x")
    harvested(catalog, portal, [titled("d0", "Air"), *rest])
    missed(catalog, portal, [titled("d1", "Air"), *rest])
    moved = placed(catalog)

    missed(catalog, portal, rest)

    assert moved == {"d0": "dataset-d1"}
    assert placed(catalog) == {"d0": None, "d1": None}
    assert loss_counts(catalog) == {"suspected": {"delisted": 2}}


def test_a_loss_that_nobody_could_place_is_placed_when_its_successor_appears(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    rest = several(20, "x")
    harvested(catalog, portal, [titled("d0", "Air"), *rest])
    missed(catalog, portal, rest)

    absences = missed(catalog, portal, [titled("d1", "Air"), *rest])

    assert absences.moved == 1
    assert placed(catalog) == {"d0": "dataset-d1"}


def test_a_portal_that_renames_everything_is_seen_to_have_moved(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [titled(f"old{number}", f"Table {number}") for number in range(50)])

    absences = missed(catalog, portal, [titled(f"new{number}", f"Table {number}") for number in range(50)])

    assert (absences.withheld, absences.moved) == (50, 50)


def a_word(state: str) -> Any:
    return {"state": state, "who": "ada", "why": "asked the agency"}


def one_loss(catalog: Catalog) -> tuple[PortalRow, list[DatasetRecord], int]:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[1:])
    return portal, everything, list_losses(catalog)[0]["id"]


def test_a_persons_word_confirms_a_loss_and_is_kept_as_evidence(catalog: Catalog) -> None:
    _, _, loss_id = one_loss(catalog)

    assert decide(catalog, [loss_id, loss_id], **a_word("confirmed")) == 1

    row = list_losses(catalog)[0]
    assert (row["state"], row["decided_at"] is not None) == ("confirmed", True)
    decision = row["evidence"]["decisions"][0]
    assert (decision["state"], decision["who"], decision["why"]) == ("confirmed", "ada", "asked the agency")


def test_a_dismissed_loss_is_listed_again_until_a_harvest_misses_it_anew(catalog: Catalog) -> None:
    portal, everything, loss_id = one_loss(catalog)
    decide(catalog, [loss_id], **a_word("confirmed"))

    decide(catalog, [loss_id], **a_word("dismissed"))

    assert states(catalog) == {"d0": "dismissed listed"}
    assert missed(catalog, portal, everything[1:]).suspected == 1
    assert loss_counts(catalog) == {"dismissed": {"harvest-fault": 1}, "suspected": {"delisted": 1}}


def test_a_word_on_an_unknown_loss_decides_nothing(catalog: Catalog) -> None:
    _, _, loss_id = one_loss(catalog)

    with pytest.raises(SetupError, match="no open loss that could be confirmed with the id 4711"):
        decide(catalog, [loss_id, 4711], **a_word("confirmed"))

    assert states(catalog) == {"d0": "suspected absent"}


def test_what_ended_cannot_be_decided_any_more(catalog: Catalog) -> None:
    portal, everything, loss_id = one_loss(catalog)
    missed(catalog, portal, everything)

    with pytest.raises(SetupError, match="no open loss"):
        decide(catalog, [loss_id], **a_word("dismissed"))


def test_a_person_can_say_that_a_mass_drop_is_real(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(30)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[:10])

    released = release_withheld(catalog, organization="epa-gov", who="ada", why="the agency was closed")

    assert released == 20
    assert set(states(catalog).values()) == {"suspected absent"}
    assert withheld_losses(catalog) == []
    assert missed(catalog, portal, everything[:10]) == Absences()


def test_nothing_is_released_without_saying_whose(catalog: Catalog) -> None:
    with pytest.raises(SetupError, match="name the organization or the portal"):
        release_withheld(catalog, who="ada", why="x")


def test_a_listed_loss_says_what_survives_of_it(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    urls = [f"https://epa.example/{name}.csv" for name in "abc"]
    resources = [a_resource(url, key=url, position=position) for position, url in enumerate(urls)]
    rest = several(20, "x")
    harvested(catalog, portal, [a_dataset("d0", *resources), *rest])
    discovered(catalog, portal)
    captured(catalog, urls[0], "stored", size=7)
    captured(catalog, urls[1], "stored", size=11)

    missed(catalog, portal, rest)

    row = list_losses(catalog)[0]
    assert (row["files"], row["held_files"], row["held_bytes"]) == (3, 2, 18)
    assert (row["portal"], row["organization"], row["identifier"]) == (portal.slug, "epa-gov", "d0")


def test_losses_are_listed_page_by_page_newest_first(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(200)
    harvested(catalog, portal, everything)
    missed(catalog, portal, everything[5:])

    first = list_losses(catalog, limit=3)
    second = list_losses(catalog, limit=3, after=first[-1]["id"])

    ids = [row["id"] for row in (*first, *second)]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 5


def test_losses_are_listed_by_what_is_asked_for(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    epa, noaa = several(40), several(400, "n", organization=NOAA)
    harvested(catalog, portal, [*epa, *noaa])
    missed(catalog, portal, noaa[1:])

    def count(**filters: Any) -> int:
        return len(list_losses(catalog, **filters))

    assert (count(), count(states=["suspected"]), count(states=["withheld", "suspected"])) == (41, 1, 41)
    assert (count(organization="noaa-gov"), count(organization="nasa-gov")) == (1, 0)
    assert (count(portal=portal.slug), count(portal="other")) == (41, 0)
    assert (count(kinds=["delisted"]), count(kinds=["moved"])) == (41, 0)


@contextmanager
def counted_statements(catalog: Catalog) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, text: str, *_: object) -> None:
        seen.append(text)

    sa.event.listen(catalog.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(catalog.engine, "before_cursor_execute", note)


_MANY = """
WITH owner AS (SELECT id FROM organization ORDER BY id LIMIT 1), made AS (
    INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash)
    SELECT :portal_id, owner.id, 'm' || n, 'm' || n, 'Table ' || n % 90000, '{}', sha256(n::text::bytea)
      FROM owner, generate_series(1, 100000) AS n
    RETURNING id
), listing AS (
    INSERT INTO resource (dataset_id, key, position, role, url)
    SELECT id, 'r', 0, 'download', 'https://epa.example/' || id FROM made
)
INSERT INTO sighting (dataset_id, harvest_id) SELECT id, :harvest_id - (id % 20 = 0)::int FROM made
"""


def test_5000_of_100000_missing_datasets_take_as_many_statements_as_one(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = several(20)
    harvested(catalog, portal, everything)
    few = harvested(catalog, portal, everything[1:])
    with counted_statements(catalog) as for_one:
        record_absences(catalog, portal, few, rules=RULES, asked={})
    many = harvested(catalog, portal, everything[1:])
    with catalog.begin() as connection:
        connection.execute(sa.text(_MANY), {"portal_id": portal.id, "harvest_id": many})

    with counted_statements(catalog) as for_many:
        absences = record_absences(catalog, portal, many, rules=RULES, asked={})

    assert (absences.missing, absences.suspected) == (5000, 5000)
    assert for_many == for_one


def test_the_search_for_successors_reads_each_table_a_few_times_only(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, several(20))
    many = harvested(catalog, portal, several(20))
    with catalog.begin() as connection:
        connection.execute(sa.text(_MANY), {"portal_id": portal.id, "harvest_id": many})
        connection.execute(sa.text("ANALYZE dataset, resource, sighting"))
    counts = (
        "SELECT relname::text, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables"
        " WHERE relname IN ('dataset', 'resource')"
    )
    before = dict(settled(catalog, counts))

    record_absences(catalog, portal, many, rules=RULES, asked={})

    read = {name: count - before[name] for name, count in settled(catalog, counts)}
    # A few passes over each, where a loop in a loop would read 5,000 times as much.
    assert all(100_000 <= count <= 1_000_000 for count in read.values()), read


def settled(catalog: Catalog, query: str) -> list[tuple[Any, ...]]:
    """Rows about statistics that the connections of the pool have handed in."""
    with catalog.begin() as connection:
        connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
    with catalog.begin() as connection:
        connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_a_dataset_whose_record_is_refused_is_neither_lost_nor_asked_for(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, several(5))
    unreadable = Refusal(1, "title", "the record has no title", "d1")
    others = [record for record in several(5) if record.identifier not in ("d1", "d2")]

    harvest_id = harvested(catalog, portal, [*others, unreadable])
    asked = unseen(catalog, portal, harvest_id, limit=10)
    absences = record_absences(catalog, portal, harvest_id, rules=RULES, asked={})

    assert asked == ["d2"]
    assert (absences.missing, absences.suspected) == (1, 1)
