"""Scores: each signal counts as the weights say, an operator has the last word, and nothing is written for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.catalog.batches import plannable_assets
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import PortalRow, organization_id
from shelter_pipeline.catalog.priorities import level_counts, top_assets
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline.priorities.weights import SIGNALS
from shelter_pipeline_tests.support.records import EPA, a_dataset, a_portal, a_resource
from shelter_pipeline_tests.support.scoring import a_file, filled, hold, row, run, score, scores, url

NOAA = OrganizationRecord("noaa-gov", "NOAA")


@pytest.fixture
def portal(catalog: Catalog) -> PortalRow:
    return a_portal(catalog)


def override(catalog: Catalog, action: str, target: str, value: str, **more: Any) -> None:
    """`target` is the column that names what is meant, `value` an SQL expression."""
    run(
        catalog,
        f"INSERT INTO override (action, amount, {target}, who, why, until)"  # noqa: S608 - our own words
        f" VALUES (:action, :amount, {value}, 'a test', 'because', now() + make_interval(secs => :seconds))",
        action=action,
        amount=more.get("amount"),
        seconds=more.get("seconds"),
    )


def test_what_is_looked_at_more_often_scores_higher(catalog: Catalog, portal: PortalRow) -> None:
    filled(
        catalog,
        portal,
        a_file("never"),
        a_file("some", popularity=10),
        a_file("much", popularity=999_999),
        a_file("most", popularity=10**9),
    )

    score(catalog, {"popularity": 1.0})

    got = scores(catalog)
    assert got["never"] == 0
    assert got["some"] == pytest.approx(0.1736, abs=0.001)
    assert got["much"] == got["most"] == 1


def test_a_threatened_organization_scores_higher_by_its_risk(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("epa"), a_file("noaa", organization=NOAA))

    score(catalog, {"threat": 1.0}, organization_risks={"noaa-gov": 0.8})

    assert scores(catalog) == {"epa": 0, "noaa": 0.8}


def test_what_its_portal_stopped_listing_is_threatened_most(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("listed"), a_file("gone"))
    run(catalog, "UPDATE dataset SET state = 'absent' WHERE identifier = 'gone'")

    score(catalog, {"threat": 1.0}, organization_risks={"epa-gov": 0.5})

    assert scores(catalog) == {"gone": 1, "listed": 0.5}


def test_the_strongest_word_in_title_or_keywords_counts(catalog: Catalog, portal: PortalRow) -> None:
    filled(
        catalog,
        portal,
        a_file("none"),
        a_file("title", title="Water and SEA LEVEL"),
        a_file("keyword", keywords=("ocean", "Water")),
    )

    score(catalog, {"relevance": 1.0}, vocabulary={"Sea Level": 0.9, "water": 0.5})

    assert scores(catalog) == {"none": 0, "title": 0.9, "keyword": 0.5}


def test_the_fewer_copies_the_higher_the_score(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("none"), a_file("one"), a_file("three"))
    hold(catalog, "one")
    hold(catalog, "three", copies=3)

    score(catalog, {"scarcity": 1.0})

    assert scores(catalog) == {"none": 1, "one": 0.5, "three": 0.25}


@pytest.mark.breaks("held_without_good_copy")
def test_a_copy_that_is_not_good_does_not_count(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("rotten"))
    hold(catalog, "rotten")
    run(catalog, "UPDATE copy SET state = 'damaged'")

    score(catalog, {"scarcity": 1.0})

    assert scores(catalog) == {"rotten": 1}


def test_small_files_come_first_and_unknown_sizes_in_the_middle(catalog: Catalog, portal: PortalRow) -> None:
    filled(
        catalog,
        portal,
        a_file("empty", size=0),
        a_file("small", size=1000),
        a_file("unknown"),
        a_file("big", size=10**11),
        a_file("vast", size=2 * 10**12),
    )

    score(catalog, {"smallness": 1.0})

    got = scores(catalog)
    assert sorted(got, key=got.__getitem__, reverse=True) == ["empty", "small", "unknown", "big", "vast"]
    assert (got["empty"], got["unknown"], got["vast"]) == (1, 0.5, 0)


def test_a_dataset_that_is_nearly_complete_is_finished_first(catalog: Catalog, portal: PortalRow) -> None:
    both = a_dataset("2", a_resource(url("held")), a_resource(url("missing"), key="r2", position=1))
    filled(catalog, portal, a_file("alone"), both)
    hold(catalog, "held")

    score(catalog, {"completeness": 1.0})

    assert scores(catalog) == {"alone": 0, "held": 0.5, "missing": 0.5}


def test_a_shared_file_has_the_best_of_each_signal(catalog: Catalog, portal: PortalRow) -> None:
    popular = a_dataset("1", a_resource(url("shared")), popularity=10**6, title="Plain")
    relevant = a_dataset("2", a_resource(url("shared")), title="Climate", organization=NOAA)
    filled(catalog, portal, popular, relevant)

    score(
        catalog,
        {"popularity": 0.25, "relevance": 0.25, "threat": 0.5},
        vocabulary={"climate": 1.0},
        organization_risks={"noaa-gov": 1.0},
    )

    assert scores(catalog) == {"shared": 1}


def test_a_score_keeps_its_reasons_and_they_add_up_to_it(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("a", popularity=40, size=5000, title="Climate"))

    score(catalog, vocabulary={"climate": 1.0})

    got = row(catalog, "a")
    parts = {signal: getattr(got, signal) for signal in SIGNALS}
    assert {name for name, part in parts.items() if part > 0} == set(SIGNALS) - {"threat", "completeness"}
    assert sum(parts.values()) == pytest.approx(got.score, abs=0.00001)


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("asset_id", "(SELECT id FROM asset WHERE url LIKE '%chosen%')"),
        ("host", "'chosen.example:443'"),
        ("dataset_id", "(SELECT id FROM dataset WHERE identifier = 'chosen')"),
        ("organization_id", "(SELECT id FROM organization WHERE slug = 'noaa-gov')"),
    ],
)
def test_an_override_reaches_what_it_names_and_nothing_else(
    catalog: Catalog, portal: PortalRow, target: str, value: str
) -> None:
    filled(catalog, portal, a_file("chosen", organization=NOAA), a_file("other", organization=EPA))

    override(catalog, "boost", target, value, amount=0.25)
    score(catalog, {"smallness": 1.0})

    assert scores(catalog) == {"chosen": 0.75, "other": 0.5}
    assert row(catalog, "chosen").boost == 0.25


def test_boosts_add_up_within_0_and_1(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("up"), a_file("down"))
    for amount in (0.5, 0.75):
        override(catalog, "boost", "host", "'up.example:443'", amount=amount)
        override(catalog, "boost", "host", "'down.example:443'", amount=-amount)

    score(catalog, {"smallness": 1.0})

    assert scores(catalog) == {"up": 1, "down": 0}
    assert (row(catalog, "up").level, row(catalog, "down").level) == (10, 1)


def test_what_is_pinned_comes_first_of_all(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("pinned", size=10**13), a_file("other", size=0))
    override(catalog, "pin", "host", "'pinned.example:443'")

    score(catalog, {"smallness": 0.5})

    assert top_assets(catalog)[0]["url"] == url("pinned")
    assert row(catalog, "pinned").level == 10
    assert row(catalog, "pinned").pinned is True


def test_what_is_excluded_is_not_planned_until_the_override_ends(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("out"), a_file("in"))
    identity = organization_id(catalog, "epa-gov")
    override(catalog, "exclude", "host", "'out.example:443'", seconds=3600)

    score(catalog)
    excluded = [asset.host for asset in plannable_assets(catalog, identity)]
    run(catalog, "UPDATE override SET until = now() - interval '1 second'")
    changed = score(catalog)

    assert excluded == ["in.example:443"]
    assert changed == 1
    assert len(plannable_assets(catalog, identity)) == 2
    assert [entry["url"] for entry in top_assets(catalog)] == [url("out"), url("in")]


def holding(catalog: Catalog, name: str, *holders: str) -> None:
    for holder in holders:
        run(
            catalog,
            "INSERT INTO holding (holder, url, url_hash, source)"
            " SELECT :holder, url, url_hash, 'list.csv' FROM asset WHERE url = :url",
            holder=holder,
            url=url(name),
        )


def test_an_outside_holder_lowers_scarcity_by_less_than_a_copy_of_ours(
    catalog: Catalog, portal: PortalRow
) -> None:
    filled(catalog, portal, *(a_file(name) for name in ("alone", "said", "told", "kept", "both")))
    holding(catalog, "said", "LIL")
    holding(catalog, "told", "LIL", "IA")
    hold(catalog, "kept")
    hold(catalog, "both")
    holding(catalog, "both", "LIL", "IA")

    score(catalog, {"scarcity": 1.0})

    got = scores(catalog)
    assert got["alone"] == 1
    assert got["said"] == pytest.approx(2 / 3)
    assert got["told"] == got["kept"] == 0.5
    assert got["both"] == pytest.approx(1 / 3)


def ranked(catalog: Catalog, name: str, **events: int) -> None:
    run(catalog, "INSERT INTO ranking (name, source) VALUES (:name, 'export.csv')", name=name)
    for identifier, count in events.items():
        run(
            catalog,
            "INSERT INTO rank (ranking_id, dataset_id, rank, events)"
            " SELECT ranking.id, dataset.id, 1, :count FROM ranking, dataset"
            " WHERE ranking.name = :name AND dataset.identifier = :identifier",
            name=name,
            identifier=identifier,
            count=count,
        )


def test_the_most_used_of_a_ranking_is_as_popular_as_can_be_and_the_others_by_their_logarithm(
    catalog: Catalog, portal: PortalRow
) -> None:
    filled(catalog, portal, *(a_file(name) for name in ("most", "some", "once", "none", "unranked")))
    ranked(catalog, "ga", most=9999, some=99, once=1, none=0)

    score(catalog, {"popularity": 1.0})

    got = scores(catalog)
    assert got["most"] == 1
    assert got["some"] == pytest.approx(0.5)
    assert 0 < got["once"] < 0.1
    assert got["none"] == got["unranked"] == 0


def test_popularity_is_the_best_of_the_portal_and_all_rankings(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("seen", popularity=999_999), a_file("used"), a_file("top"))
    ranked(catalog, "one", top=9999, used=99, seen=1)
    ranked(catalog, "two", used=7)
    ranked(catalog, "unused", seen=0)

    score(catalog, {"popularity": 1.0})

    assert scores(catalog) == {"seen": 1, "used": 1, "top": 1}


def lose(catalog: Catalog, name: str, *, state: str = "suspected") -> None:
    run(
        catalog,
        "INSERT INTO loss (dataset_id, kind, state)"
        " SELECT id, 'delisted', :state FROM dataset WHERE identifier = :name",
        name=name,
        state=state,
    )


def lose_link(catalog: Catalog, name: str, *, state: str = "suspected") -> None:
    run(
        catalog,
        "INSERT INTO loss (asset_id, kind, state) SELECT id, 'link-dead', :state FROM asset WHERE url = :url",
        url=url(name),
        state=state,
    )


@pytest.mark.parametrize(
    ("state", "threat"),
    [("withheld", 1), ("suspected", 1), ("confirmed", 1), ("recovered", 0), ("dismissed", 0)],
)
def test_a_dataset_with_an_open_loss_is_threatened(
    catalog: Catalog, portal: PortalRow, state: str, threat: int
) -> None:
    filled(catalog, portal, a_file("lost"))
    lose(catalog, "lost", state=state)

    score(catalog, {"threat": 1.0})

    assert scores(catalog) == {"lost": threat}


def test_what_is_left_of_an_organization_is_threatened_by_what_it_has_lost(
    catalog: Catalog, portal: PortalRow
) -> None:
    filled(
        catalog,
        portal,
        *(a_file(f"epa{n}") for n in range(10)),
        *(a_file(f"noaa{n}", organization=NOAA) for n in range(4)),
    )
    lose(catalog, "epa0", state="confirmed")
    lose(catalog, "epa1", state="recovered")
    lose(catalog, "noaa0")

    score(catalog, {"threat": 1.0})

    got = scores(catalog)
    assert (got["epa0"], got["epa1"], got["epa9"]) == (1, 0.5, 0.5)
    assert {got[f"noaa{n}"] for n in range(4)} == {1}


def test_losses_that_are_withheld_threaten_no_organization(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("gone"), a_file("left"))
    lose(catalog, "gone", state="withheld")

    score(catalog, {"threat": 1.0})

    assert scores(catalog) == {"gone": 1, "left": 0}


def test_a_dead_link_threatens_the_others_of_its_dataset_and_not_itself(
    catalog: Catalog, portal: PortalRow
) -> None:
    pair = a_dataset("1", a_resource(url("dead")), a_resource(url("left"), key="r2", position=1))
    back = a_dataset("2", a_resource(url("back")), a_resource(url("kept"), key="r2", position=1))
    filled(catalog, portal, pair, back, a_file("other"))
    lose_link(catalog, "dead")
    lose_link(catalog, "back", state="recovered")

    score(catalog, {"threat": 1.0})

    assert scores(catalog) == {"dead": 0, "left": 0.8, "back": 0, "kept": 0, "other": 0}


def test_two_dead_links_threaten_each_other(catalog: Catalog, portal: PortalRow) -> None:
    filled(
        catalog,
        portal,
        a_dataset("1", a_resource(url("dead")), a_resource(url("dying"), key="r2", position=1)),
    )
    lose_link(catalog, "dead")
    lose_link(catalog, "dying")

    score(catalog, {"threat": 1.0})

    assert scores(catalog) == {"dead": 0.8, "dying": 0.8}


def test_scores_that_stay_are_not_written_again(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, *(a_file(f"f{n}", popularity=n, size=n * 1000) for n in range(50)))
    assert score(catalog) == 50

    assert score(catalog) == 0

    run(
        catalog,
        "UPDATE sighting SET popularity = 10000 FROM dataset"
        " WHERE dataset.id = sighting.dataset_id AND identifier = 'f7'",
    )
    assert score(catalog) == 1

    holding(catalog, "f8", "LIL")
    assert score(catalog) == 1


def test_levels_run_from_1_to_10_in_equal_steps(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, *(a_file(f"f{n}") for n in range(11)))
    for n in range(11):
        override(catalog, "boost", "host", f"'f{n}.example:443'", amount=n / 10 - 0.45)

    score(catalog, {"smallness": 1.0})

    levels = {name: row(catalog, name).level for name in scores(catalog)}
    assert levels == {f"f{n}": min(10, n + 1) for n in range(11)}
    assert [entry["level"] for entry in level_counts(catalog)] == list(range(10, 0, -1))


def test_an_empty_catalog_has_nothing_to_score(catalog: Catalog) -> None:
    assert score(catalog) == 0
    assert level_counts(catalog) == []
    assert top_assets(catalog) == []
