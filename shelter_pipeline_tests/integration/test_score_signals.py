"""Signals: hosts that die, topics and hosts under threat, captures that grow old; levels that are set; what-ifs."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.catalog.scoring import what_if
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline_tests.support.records import EPA, a_dataset, a_portal, a_resource, harvested
from shelter_pipeline_tests.support.scoring import (
    a_file,
    asset_id,
    captured,
    filled,
    hold,
    row,
    rules,
    run,
    score,
    scores,
    url,
)

NOAA = OrganizationRecord("noaa-gov", "NOAA")
THREAT = {"threat": 1.0}
OTHER_VERSION = (
    "INSERT INTO probe (asset_id, host, probed_at, reason, interval_seconds, alarm)"
    " SELECT id, host, now(), 'ok', 9, 'changed' FROM asset"
)


@pytest.fixture
def portal(catalog: Catalog) -> PortalRow:
    return a_portal(catalog)


def all_rows(catalog: Catalog) -> list[Any]:
    with catalog.begin() as connection:
        query = sa.text(
            "SELECT asset_id, score, level, excluded, organization_id, popularity, threat, relevance, scarcity,"
            " staleness, smallness, completeness, boost, pinned, level_set FROM priority ORDER BY asset_id"
        )
        return [tuple(one) for one in connection.execute(query)]


def test_a_host_of_which_files_are_gone_threatens_those_that_are_left(
    catalog: Catalog, portal: PortalRow
) -> None:
    dying = [a_dataset(f"d{n}", a_resource(f"https://dying.example/{n}"), title="Plain") for n in range(40)]
    filled(catalog, portal, *dying, a_file("healthy"))
    run(
        catalog,
        "UPDATE asset SET state = 'failed', reason = 'not-found' WHERE host = 'dying.example:443' AND mod(id, 2) = 0",
    )
    run(
        catalog,
        "INSERT INTO probe (asset_id, host, probed_at, reason, interval_seconds) SELECT id, host, now(), 'gone', 9"
        " FROM asset WHERE host = 'dying.example:443' AND mod(id, 4) = 1",
    )
    run(catalog, "UPDATE asset SET probed = true FROM probe WHERE asset_id = asset.id")

    score(catalog, THREAT)

    got = scores(catalog)
    assert got["dying"] == pytest.approx(0.76)  # 30 gone, ten that count as alive, in steps of 1/50
    assert got["healthy"] == 0


def test_a_listed_host_threatens_its_files_and_those_of_its_subdomains(
    catalog: Catalog, portal: PortalRow
) -> None:
    filled(catalog, portal, a_file("data"), a_file("www.data"), a_file("mydata"))

    score(catalog, THREAT, host_risks={"data.example": 0.6})

    assert scores(catalog) == pytest.approx({"data": 0.6, "mydata": 0, "www.data": 0.6})


def test_a_threatened_topic_counts_by_its_risk_of_the_day_without_reading_records_again(
    catalog: Catalog, portal: PortalRow
) -> None:
    filled(catalog, portal, a_file("ice", keywords=("Sea ice",)), a_file("mice", title="Mice at sea"))
    score(catalog, THREAT, topics={"sea ice": 0.5, "sea": 0.2})
    first = scores(catalog)
    with catalog.begin() as connection:
        read = connection.scalar(sa.text("SELECT max(xmin::text::bigint) FROM dataset_signal"))

    run(catalog, "UPDATE dataset SET title = 'Sea ice' WHERE identifier = 'mice'")  # no harvest has seen it
    score(catalog, THREAT, topics={"sea ice": 0.9, "sea": 0.2})

    assert first == pytest.approx({"ice": 0.5, "mice": 0.2})
    assert scores(catalog) == pytest.approx({"ice": 0.9, "mice": 0.2})
    assert read is not None


def test_a_record_that_changed_is_read_again_and_so_are_all_with_another_vocabulary(
    catalog: Catalog, portal: PortalRow
) -> None:
    relevance = {"relevance": 1.0}
    filled(catalog, portal, a_file("a", title="Ocean"), a_file("b", title="Ocean"))
    score(catalog, relevance, vocabulary={"ocean": 0.5})

    harvested(catalog, portal, [a_file("a", title="Ocean"), a_file("b", title="Roads")])
    assert score(catalog, relevance, vocabulary={"ocean": 0.5}) == 1
    assert scores(catalog) == {"a": 0.5, "b": 0}

    assert score(catalog, relevance, vocabulary={"ocean": 0.5, "road*": 0.25}) == 1
    assert scores(catalog) == {"a": 0.5, "b": 0.25}


def test_themes_and_organizations_speak_for_a_dataset_too(catalog: Catalog, portal: PortalRow) -> None:
    filled(
        catalog, portal, a_file("theme", themes=("Climate",)), a_file("noaa", organization=NOAA), a_file("no")
    )

    score(catalog, {"relevance": 1.0}, themes={"climate": 0.75}, relevant_organizations={"noaa-gov": 0.5})

    assert scores(catalog) == {"theme": 0.75, "noaa": 0.5, "no": 0}


@pytest.mark.parametrize(
    ("change", "staleness"),
    [
        ("", 0),
        ("UPDATE asset SET listed_modified = now() - interval '1 day'", 1),
        ("UPDATE asset SET listed_modified = now() - interval '20 days'", 0),
        ("UPDATE dataset SET modified = now() - interval '1 day'", 0.5),
        ("UPDATE dataset SET modified = now() - interval '20 days'", 0),
        (OTHER_VERSION, 1),
    ],
)
def test_a_held_file_is_stale_when_something_newer_is_known_upstream(
    catalog: Catalog, portal: PortalRow, change: str, staleness: float
) -> None:
    filled(catalog, portal, a_file("held"))
    hold(catalog, "held")
    captured(catalog, "held", days_ago=30)
    run(
        catalog,
        "INSERT INTO capture (asset_id, verdict, reason, finished_at)"
        " SELECT id, 'unchanged', 'unchanged', now() - interval '10 days' FROM asset",
    )
    if change:
        run(catalog, change)

    score(catalog, {"staleness": 1.0})

    assert scores(catalog) == {"held": staleness}


def test_what_was_never_captured_is_as_stale_as_can_be(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("waiting"))

    score(catalog, {"staleness": 1.0})

    assert scores(catalog) == {"waiting": 1}


def test_a_copy_that_counts_less_makes_a_file_less_safe(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("silent"))
    hold(catalog, "silent")
    run(catalog, "UPDATE copy SET counts = 0.25")

    score(catalog, {"scarcity": 1.0})

    assert scores(catalog) == {"silent": 0.8}


def test_a_file_belongs_to_the_organization_that_was_known_first(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("x"), a_dataset("2", a_resource(url("x")), organization=NOAA))

    score(catalog)

    with catalog.begin() as connection:
        key = connection.scalar(
            sa.text("SELECT key FROM organization JOIN priority ON organization_id = organization.id")
        )
    assert key == EPA.slug


def test_scoring_a_few_files_gives_them_what_scoring_all_would(catalog: Catalog, portal: PortalRow) -> None:
    filled(
        catalog,
        portal,
        *(
            a_file(f"f{n}", popularity=n**3, size=n * 1000, title="Ocean" if n % 2 else "Roads")
            for n in range(8)
        ),
        a_dataset("pair", a_resource(url("f1")), a_resource(url("other"), key="r2", position=1)),
    )
    given = {"vocabulary": {"ocean": 0.5}, "organization_risks": {"epa-gov": 0.5}}
    score(catalog, **given)
    hold(catalog, "f1")
    run(catalog, "UPDATE sighting SET popularity = 5000")
    run(
        catalog,
        "INSERT INTO override (action, amount, host, who, why) VALUES ('boost', 0.1, 'f2.example:443', 'a', 'b')",
    )
    few = [asset_id(catalog, name) for name in ("f1", "f2")]
    before = {one[0]: one for one in all_rows(catalog)}

    changed = score(catalog, asset_ids=few, **given)
    after_few = {one[0]: one for one in all_rows(catalog)}
    score(catalog, **given)
    after_all = {one[0]: one for one in all_rows(catalog)}

    assert changed == 2
    assert {key for key in before if before[key] != after_few[key]} == set(few)
    assert all(after_few[key] == after_all[key] for key in few)
    assert after_few != after_all


def test_a_what_if_tells_what_would_move_and_writes_nothing(catalog: Catalog, portal: PortalRow) -> None:
    filled(catalog, portal, a_file("ocean", title="Ocean"), a_file("roads", title="Roads", organization=NOAA))
    score(catalog, {"relevance": 1.0}, vocabulary={"ocean": 0.9})
    before = all_rows(catalog)

    told = what_if(catalog, rules({"relevance": 1.0}, vocabulary={"road*": 0.35}), limit=5)

    assert all_rows(catalog) == before
    assert told["levels"] == [
        {"before": 10, "after": 1, "files": 1},
        {"before": 1, "after": 4, "files": 1},
    ]
    assert [(one["url"], one["changes"]["relevance"]) for one in told["rise"]] == [
        (url("roads"), pytest.approx(0.35))
    ]
    assert [one["url"] for one in told["fall"]] == [url("ocean")]
    assert [(one["organization"], one["rising"], one["falling"]) for one in told["organizations"]] == [
        ("epa-gov", 0, 1),
        ("noaa-gov", 1, 0),
    ]
    assert score(catalog, {"relevance": 1.0}, vocabulary={"ocean": 0.9}) == 0  # nor the words that were read


@pytest.mark.parametrize(("level", "size"), [(10, 10**13), (1, 0), (5, None), (6, None)])
def test_a_level_that_is_set_holds_and_keeps_the_order_within_it(
    catalog: Catalog, portal: PortalRow, level: int, size: int | None
) -> None:
    filled(catalog, portal, a_file("set", size=size))
    run(
        catalog,
        "INSERT INTO override (action, amount, host, who, why) VALUES ('set', :level, 'set.example:443', 'a', 'b')",
        level=level,
    )

    score(catalog, {"smallness": 1.0})

    got = row(catalog, "set")
    assert (got.level, got.level_set) == (level, level)
    assert got.score == pytest.approx({10: 0.9, 1: 0.1, 5: 0.5, 6: 0.5}[level], abs=1e-5)


def test_of_several_levels_the_nearest_counts_and_of_these_the_latest(
    catalog: Catalog, portal: PortalRow
) -> None:
    filled(catalog, portal, a_file("a"), a_file("b"))
    for level, column, value in (
        (9, "asset_id", "(SELECT id FROM asset WHERE url LIKE '%/a.example%')"),
        (4, "dataset_id", "(SELECT id FROM dataset WHERE identifier = 'b')"),
        (2, "organization_id", "(SELECT id FROM organization)"),
        (5, "dataset_id", "(SELECT id FROM dataset WHERE identifier = 'b')"),
    ):
        run(
            catalog,
            f"INSERT INTO override (action, amount, {column}, who, why) VALUES ('set', {level}, {value}, 'a', 'b')",  # noqa: S608 - our own words
        )

    score(catalog)

    assert (row(catalog, "a").level, row(catalog, "b").level) == (9, 5)
