"""An operator's word on what comes first: in force at once, explained, ended by itself or by a person, never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from shelter_pipeline.catalog.batches import plannable_assets
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.nodes import know_node
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.cli import app
from shelter_pipeline.domain.errors import RefusedError, SetupError
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline.operations.explain import explain, explain_assets
from shelter_pipeline.operations.losses import decide_losses
from shelter_pipeline.operations.node_work import Wishes, allocate_work
from shelter_pipeline.operations.overrides import moment_of, override, override_table, revoke, set_priorities
from shelter_pipeline.operations.score_assets import rescore_after, score_all
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource
from shelter_pipeline_tests.support.scoring import (
    a_file,
    asset_id,
    captured,
    filled,
    hold,
    row,
    run,
    scores,
    url,
)
from shelter_pipeline_tests.support.workplaces import a_workplace

NOAA = OrganizationRecord("noaa-gov", "NOAA")
SAID: dict[str, Any] = {"who": "Ada", "why": "the agency asked for it"}
WEIGHTS = """\
vocabulary = "words.toml"
[weights]
threat = 2
relevance = 1
smallness = 1
[threat.organizations]
epa-gov = { risk = 0.8, deadline = 2999-12-31 }
"""


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """Two files of EPA, one of them in two datasets, and one of NOAA; scored by weights of their own."""
    (tmp_path / "words.toml").write_text('[words]\nocean = 0.5\n"air quality" = 0.75\n')
    (tmp_path / "weights.toml").write_text(WEIGHTS)
    with a_workplace(
        catalog_url, tmp_path / "store", priority_weights=str(tmp_path / "weights.toml")
    ) as opened:
        filled(
            catalog,
            a_portal(catalog),
            a_file("air", title="Air quality"),
            a_file("sea", title="Ocean", size=1000),
            a_file("buoy", organization=NOAA),
            a_dataset("both", a_resource(url("air")), title="Plain"),
        )
        score_all(opened)
        yield opened


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        (url("air"), {"air"}),
        ("dataset-air", {"air"}),
        ("dataset:sea", {"sea"}),
        ("sea.example", {"sea"}),
        ("host:sea.example:443", {"sea"}),
        ("noaa-gov", {"buoy"}),
        ("organization:epa-gov", {"air", "sea"}),
    ],
)
def test_a_word_reaches_what_it_names_at_once(workplace: Workplace, target: str, reached: set[str]) -> None:
    before = scores(workplace.catalog)

    result = override(workplace, "pin", target, **SAID)

    after = scores(workplace.catalog)
    assert {name for name in after if after[name] != before[name]} == reached
    assert (result["files"], result["changed"]) == (len(reached), len(reached))


def test_a_file_is_named_by_its_id_too(workplace: Workplace) -> None:
    identity = asset_id(workplace.catalog, "sea")

    assert override(workplace, "set", str(identity), amount=3, **SAID)["files"] == 1
    assert row(workplace.catalog, "sea").level == 3


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("nothing", "nothing in the catalog goes by 'nothing'"),
        ("99999999999999999999", "nothing in the catalog goes by"),
        ("https://unknown.example/a", "no file of the catalog has the URL"),
        ("dataset:0\x00", "nothing in the catalog goes by"),
        ("", "nothing in the catalog goes by ''"),
        ("epa-gov'; DROP TABLE asset; --", "nothing in the catalog goes by"),
        ("twice", "more than one thing goes by 'twice'"),
    ],
)
def test_what_names_nothing_or_too_much_is_refused_and_nothing_is_kept(
    workplace: Workplace, target: str, complaint: str
) -> None:
    run(workplace.catalog, "UPDATE organization SET key = 'twice' WHERE key = 'noaa-gov'")
    run(workplace.catalog, "UPDATE dataset SET slug = 'twice' WHERE identifier = 'sea'")

    with pytest.raises(SetupError, match=complaint):
        override(workplace, "pin", target, **SAID)

    assert override_table(workplace, standing=False) == []


def test_a_url_that_is_none_is_refused(workplace: Workplace) -> None:
    with pytest.raises(RefusedError):
        override(workplace, "pin", "gopher://a.example/", **SAID)


@pytest.mark.parametrize(
    ("action", "more", "complaint"),
    [
        ("boost", {"amount": 2}, "a boost is a number from -1 to 1"),
        ("boost", {"amount": float("nan")}, "a boost is a number from -1 to 1"),
        ("set", {"amount": 11}, "a level is a whole number from 1 to 10"),
        ("set", {"amount": 2.5}, "a level is a whole number from 1 to 10"),
        ("pin", {"why": " "}, "needs its reason"),
        ("pin", {"until": "2001-01-01"}, "is past already"),
        ("pin", {"until": "soon"}, "'soon' is no end"),
        ("pin", {"until": "99999w"}, "is no end"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_kept(
    workplace: Workplace, action: Any, more: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SetupError, match=complaint):
        override(workplace, action, "epa-gov", **(SAID | more))

    assert override_table(workplace, standing=False) == []


def test_an_end_is_the_midnight_after_its_day() -> None:
    today = date(2026, 11, 25)

    assert moment_of("2026-12-31", today) == datetime(2027, 1, 1, tzinfo=UTC)
    assert moment_of("30d", today) == datetime(2026, 12, 26, tzinfo=UTC)
    assert moment_of("2w", today) == datetime(2026, 12, 10, tzinfo=UTC)
    assert moment_of("2026-11-25", today) == datetime(2026, 11, 26, tzinfo=UTC)


def test_what_is_excluded_is_not_planned_and_is_again_once_the_word_is_revoked(workplace: Workplace) -> None:
    identity = organization_id(workplace.catalog, "epa-gov")
    word = override(workplace, "exclude", "dataset-sea", **SAID)

    excluded = {asset.host for asset in plannable_assets(workplace.catalog, identity)}
    result = revoke(workplace, word["override"], who="Bob")

    assert excluded == {"air.example:443"}
    assert (result["files"], result["changed"]) == (1, 1)
    assert len(plannable_assets(workplace.catalog, identity)) == 2
    (kept,) = override_table(workplace, standing=False)
    assert (kept["who"], kept["revoked_by"], kept["stands"]) == ("Ada", "Bob", False)
    assert override_table(workplace) == []
    with pytest.raises(SetupError, match="no override"):
        revoke(workplace, word["override"], who="Bob")
    with pytest.raises(SetupError, match="no override"):
        revoke(workplace, 2**70, who="Bob")


def test_nodes_are_given_work_by_a_score_as_soon_as_it_is_there(workplace: Workplace) -> None:
    everything = Wishes(10**12, limit=1)
    before = allocate_work(workplace, know_node(workplace.catalog, "a"), everything)
    assert [one.host for one in before] == ["air.example:443"]

    override(workplace, "pin", "dataset-buoy", **SAID)

    after = allocate_work(workplace, know_node(workplace.catalog, "b"), everything)
    assert [(one.host, one.priority) for one in after] == [("buoy.example:443", 10)]


def test_a_word_ends_by_itself_at_the_next_scoring(workplace: Workplace) -> None:
    before = scores(workplace.catalog)
    override(workplace, "boost", "epa-gov", amount=0.2, until="1d", **SAID)
    boosted = scores(workplace.catalog)

    run(workplace.catalog, "UPDATE override SET until = now() - interval '1 second'")
    score_all(workplace)

    assert boosted["sea"] == pytest.approx(before["sea"] + 0.2)
    assert scores(workplace.catalog) == before
    assert override_table(workplace) == []
    assert len(override_table(workplace, standing=False)) == 1


def test_levels_set_by_the_api_take_the_place_of_the_ones_set_before(workplace: Workplace) -> None:
    air, sea = (asset_id(workplace.catalog, name) for name in ("air", "sea"))
    override(workplace, "set", str(air), amount=2, **SAID)

    first = set_priorities(workplace, [(air, 9), (sea, 8), (10**18, 5), (-1, 5), (2**64, 5)], "api")
    again = set_priorities(workplace, [(air, 9), (sea, 3), (sea, 4)], "api")

    assert first == again == [air, sea]
    assert (row(workplace.catalog, "air").level, row(workplace.catalog, "sea").level) == (9, 4)
    assert sorted(word["amount"] for word in override_table(workplace)) == [2, 4, 9]
    with pytest.raises(SetupError, match="1 to 10"):
        set_priorities(workplace, [(air, 5), (sea, 0)], "api")
    assert row(workplace.catalog, "air").level == 9


def test_a_score_is_explained_by_the_facts_behind_each_part(workplace: Workplace) -> None:
    override(workplace, "boost", "sea.example", amount=0.1, until="30d", **SAID)

    told = explain(workplace, url("sea"))

    parts = {part["signal"]: part for part in told["parts"]}
    assert sum(part["part"] for part in told["parts"]) + told["boost"] == pytest.approx(
        told["score"], abs=1e-3
    )
    assert parts["threat"]["value"] == pytest.approx(0.8)
    assert parts["threat"]["because"] == (
        "epa-gov is on the list of threatened organizations (0.8, deadline 2999-12-31)."
    )
    assert parts["relevance"]["because"] == 'dataset-sea speaks of "ocean".'
    assert parts["smallness"]["because"] == "It has 1.0 kB, promised."
    assert parts["staleness"]["because"] == "We have never captured it."
    assert parts["scarcity"]["because"] == "No verified copies here; nobody else is known to hold it."
    assert parts["completeness"]["because"] == "0 of 1 file of dataset-sea are held."
    assert parts["popularity"]["because"] == "Nothing is known of how often it is used."
    (word,) = told["overrides"]
    assert (word["who"], word["why"], word["target"]) == ("Ada", SAID["why"], "host sea.example:443")
    json.dumps(told, default=str)


def test_what_is_known_of_a_held_file_in_danger_is_told(workplace: Workplace) -> None:
    catalog = workplace.catalog
    hold(catalog, "air")
    captured(catalog, "air", days_ago=3)
    for statement in (
        "UPDATE sighting SET popularity = 1234",
        "UPDATE dataset SET modified = now() - interval '1 day' WHERE identifier = 'both'",
        "INSERT INTO holding (holder, url, url_hash, source) SELECT 'LIL', url, url_hash, 'l' FROM asset",
        "INSERT INTO loss (dataset_id, kind) SELECT id, 'delisted' FROM dataset WHERE identifier = 'air'",
        "INSERT INTO ranking (name, source) VALUES ('usage', 'u.csv')",
        "INSERT INTO rank (ranking_id, dataset_id, rank, events) SELECT 1, id, 1, 99 FROM dataset LIMIT 1",
    ):
        run(catalog, statement)
    score_all(workplace)

    because = {part["signal"]: part["because"] for part in explain(workplace, url("air"))["parts"]}

    assert "1,234 uses of dataset-air" in because["popularity"]
    assert "number 1 of the ranking usage with 99 uses" in because["popularity"]
    assert "does not list dataset-air any more (loss suspected)" in because["threat"]
    assert "held elsewhere, as they say, by LIL" in because["scarcity"]
    assert because["scarcity"].startswith("One verified copy here")
    assert "the record of dataset-both says changed on" in because["staleness"]
    assert (
        because["completeness"]
        == "1 of 1 file of dataset-air are held; 1 of 1 file of dataset-both are held."
    )


def test_a_dataset_is_explained_by_its_files_and_the_first_of_them(workplace: Workplace) -> None:
    told = explain(workplace, "dataset-both")

    assert (told["files"], told["held"]) == (1, 0)
    assert [file["url"] for file in told["assets"]] == [url("air")]
    assert told["first"]["url"] == url("air")
    assert told["best_score"] == told["first"]["score"]


def test_files_of_several_datasets_and_organizations_are_explained_together_as_each_alone(
    workplace: Workplace,
) -> None:
    ids = [asset_id(workplace.catalog, name) for name in ("buoy", "air", "sea")]

    together = explain_assets(workplace, ids)

    alone = [explain(workplace, str(one)) for one in ids]
    assert together == [{name: one[name] for name in one if name != "overrides"} for one in alone]
    assert [len(one["datasets"]) for one in together] == [1, 2, 1]
    assert explain_assets(workplace, []) == []


def test_a_file_without_a_score_is_explained_as_having_none(workplace: Workplace) -> None:
    run(workplace.catalog, "DELETE FROM priority")

    assert explain(workplace, url("air"))["parts"] == []
    assert explain(workplace, "dataset-air")["first"]["scored"] is False


def test_a_loss_that_is_confirmed_is_scored_at_once(workplace: Workplace) -> None:
    catalog = workplace.catalog
    run(
        catalog,
        "INSERT INTO loss (dataset_id, kind) SELECT id, 'delisted' FROM dataset WHERE slug = 'dataset-buoy'",
    )
    with catalog.begin() as connection:
        identity = connection.scalar(sa.text("SELECT id FROM loss"))
    before = scores(catalog)

    decide_losses(workplace, [identity or 0], state="confirmed", **SAID)

    assert scores(catalog)["buoy"] == pytest.approx(before["buoy"] + 0.5)


def test_weights_that_cannot_be_used_undo_nothing_that_was_done_before_the_scoring(
    workplace: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    assert workplace.settings.priority_weights is not None
    workplace.settings.priority_weights.write_text("[weights]\nfame = 1")

    rescore_after(workplace, "the import")

    assert "the import is done; scores follow" in caplog.text
    assert "line 2: [weights] fame" in caplog.text
    with pytest.raises(SetupError, match="fame"):
        override(workplace, "pin", "epa-gov", **SAID)
    assert override_table(workplace, standing=False) == []


def test_the_commands_do_what_they_say(
    workplace: Workplace, catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELTER_DATABASE_URL", catalog_url)
    monkeypatch.setenv("SHELTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHELTER_PRIORITY_WEIGHTS", str(tmp_path / "weights.toml"))

    def shelter(*arguments: str) -> Any:
        ran = CliRunner().invoke(app, list(arguments))
        assert ran.exit_code == 0, (ran.output, ran.exception)
        return json.loads(ran.stdout) if "--json" in arguments else ran.stdout

    other = tmp_path / "other.toml"
    other.write_text(WEIGHTS.replace("threat = 2", "threat = 0"))
    word = shelter(
        "priorities", "boost", "dataset-sea", "--by", "0.1", "--why", "asked", "--until", "30d", "--json"
    )
    assert word["changed"] == 1
    assert shelter("priorities", "set", "dataset-air", "10", "--why", "asked", "--json")["changed"] == 1
    assert shelter("priorities", "list", "--json")["overrides"][0]["action"] == "set"
    assert "dataset-sea" in "".join(shelter("priorities", "list", "--all").split())
    assert shelter("priorities", "top", "--json", "--organization", "epa-gov")["files"][0]["url"] == url(
        "air"
    )
    assert "https://air.example/a.csv" in shelter("priorities", "top")
    assert shelter("priorities", "score", "--json")["changed"] == 0
    moved = shelter("priorities", "what-if", "--weights", str(other), "--json")
    assert moved["moved"] == 2  # the level of the third was set
    assert "nothing has been written" in shelter("priorities", "what-if", "--weights", str(other))
    assert "override 1: boost 0.1" in shelter("explain", url("sea"))
    assert "The file that comes first" in shelter("explain", "dataset-sea")
    assert shelter("explain", "dataset-sea", "--json")["first"]["url"] == url("sea")
    assert shelter("priorities", "revoke", str(word["override"]), "--json")["changed"] == 1
