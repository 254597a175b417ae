"""Second looks at what nodes brought, challenges on a schedule, and copies of nodes that have gone silent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.node_work import housekeep
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.proofs import prove_nodes
from shelter_pipeline.operations.rebuild_catalog import rebuild_catalog
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.vault.manifest import read_manifests
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.local_site import local_site
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.volunteers import (
    Volunteer,
    change,
    counted,
    csv,
    is_due,
    rows,
    state_of,
    stored,
    url_of,
    with_files,
)
from shelter_pipeline_tests.support.workplaces import a_workplace

OLD, NEW = "Thu, 01 Jan 2015 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"
_OUR_VISIT = """
WITH b AS (INSERT INTO blob (sha256, size) VALUES (:sha, 5) ON CONFLICT DO NOTHING),
     c AS (INSERT INTO copy (sha256, store_id) SELECT :sha, id FROM store ON CONFLICT DO NOTHING)
INSERT INTO capture (asset_id, verdict, reason, sha256, size, heads)
SELECT id, 'stored', 'stored', :sha, 5, CAST(:heads AS jsonb) FROM asset WHERE url LIKE '%/' || :number || '.csv'
"""


@pytest.fixture
def node(api: ApiUnderTest) -> Volunteer:
    """A node over a dataset of some files."""
    with_files(api.workplace.catalog, 12)
    return Volunteer(api)


def we_get(node: Volunteer, number: int, last_modified: str | None) -> None:
    """Our own later fetch brought other bytes, with this word of the source."""
    fields = f'[["Last-Modified", "{last_modified}"]]' if last_modified else "[]"
    heads = f'{{"response": {fields}}}'
    change(node.catalog, _OUR_VISIT, sha="b" * 64, number=str(number), heads=heads)


@pytest.mark.parametrize(
    ("last_modified", "finding", "trust"),
    [(OLD, "contradicted", 0.0), (NEW, "changed", 0.51), (None, "differs", 0.255)],
)
def test_other_bytes_are_a_lie_only_if_the_source_itself_says_that_they_are_older(
    node: Volunteer, last_modified: str | None, finding: str, trust: float
) -> None:
    node.brings(1, csv(1))
    we_get(node, 1, last_modified)

    done = prove_nodes(node.api.workplace)

    assert done[finding] == 1
    assert rows(node.catalog, "SELECT finding FROM testimony") == [(finding,)]
    assert node.standing()[0] == pytest.approx(trust)
    assert node.copies() == [("claimed" if finding == "contradicted" else "good", 0.0 if trust == 0 else 1.0)]


def test_the_same_bytes_of_somebody_independent_confirm_a_node(node: Volunteer) -> None:
    node.brings(1, csv(1))
    assert prove_nodes(node.api.workplace)["confirmed"] == 0
    node.reports(1, csv(1))  # its own word again confirms nothing
    assert prove_nodes(node.api.workplace)["confirmed"] == 0

    Volunteer(node.api, "shark").reports(1, csv(1))

    assert prove_nodes(node.api.workplace)["confirmed"] == 1
    assert node.events() == ["upload", "confirmed"]
    assert rows(node.catalog, "SELECT finding FROM testimony") == [("confirmed",)]


def test_what_a_liar_brought_is_replaced_by_what_our_own_batch_fetches(node: Volunteer) -> None:
    workplace = node.api.workplace
    node.brings(1, csv(9))
    node.brings(2, csv(2))
    with local_site() as site:
        for number in (1, 2):
            url = site.serves(f"/{number}.csv", csv(number), content_type="text/csv", last_modified=OLD)
            moved = {"old": url_of(number), "new": url, "host": site.url.removeprefix("http://")}
            change(
                node.catalog,
                "INSERT INTO host (name) VALUES (:host) ON CONFLICT DO NOTHING",
                host=moved["host"],
            )
            change(node.catalog, "UPDATE asset SET url = :new, host = :host WHERE url = :old", **moved)
        change(node.catalog, "UPDATE asset SET next_attempt_at = NULL WHERE state <> 'held'")
        [organization] = rows(node.catalog, "SELECT key FROM organization")
        for key in plan_organization(workplace, organization[0], urgent=False)["new"]:
            rescue_batch(workplace, key, run_id="ours")

    done = prove_nodes(workplace)

    assert (done["confirmed"], done["contradicted"]) == (1, 1)
    held = rows(node.catalog, "SELECT sha256 FROM asset WHERE state = 'held' ORDER BY url")
    assert held == [(hashlib.sha256(csv(number)).hexdigest(),) for number in (1, 2)]
    assert len(list(workplace.store.blobs())) == 3  # nothing is deleted, not even a lie
    assert node.events()[-2:] == ["contradicted", "confirmed"]
    assert node.standing()[0] == pytest.approx(0.05)
    assert {state for state, _ in node.copies()} == {"claimed"}


def test_a_second_look_is_given_to_one_node_of_another_network_where_no_batch_runs(node: Volunteer) -> None:
    workplace, others = node.api.workplace, [Volunteer(node.api, name) for name in ("twin", "shark", "ray")]
    twin, shark, ray = others
    node.brings(1, csv(1))
    for one in others:
        one.claim(2 + others.index(one))
    change(
        node.catalog,
        "UPDATE node SET network = CAST(CASE name WHEN 'shark' THEN 'b' WHEN 'ray' THEN 'c' ELSE 'a' END AS bytea)",
    )
    change(node.catalog, "DELETE FROM claim WHERE state = 'held'")
    change(node.catalog, "UPDATE asset SET state = 'failed', reason = 'not-found' WHERE state = 'pending'")
    score_all(workplace)
    housekeep(workplace)

    def gets(one: Volunteer) -> list[dict[str, Any]]:
        asked = {"node_id": one.name, "free_space_gb": 1, "purposes": ["fetch"]}
        return list(one.api.post("/allocate", asked).json())

    assert gets(node) == []
    assert gets(twin) == []
    [item] = gets(shark)
    assert (item["purpose"], item["sha256"], item["url"]) == ("fetch", None, url_of(1))
    assert gets(ray) == []
    named = {"asset_id": item["id"], "token": item["token"]}
    [told] = shark.complete(named | stored(csv(8)))

    assert (told["outcome"], told["proof"]) == ("settled", None)
    held = "SELECT state, sha256 FROM asset WHERE id = :id"
    ours = [("held", hashlib.sha256(csv(1)).hexdigest())]
    assert rows(node.catalog, held, id=item["id"]) == ours, "others' bytes replace nothing"
    due = "SELECT next_attempt_at <= now() FROM asset WHERE id = :id"
    assert rows(node.catalog, due, id=item["id"]) == [(True,)], "one of two is wrong, and we look at once"
    score_all(workplace)
    housekeep(workplace)
    assert gets(ray) == [], "one look of a node is enough; what comes now is ours"
    assert rows(node.catalog, "SELECT finding FROM testimony") == [("open",)]
    shown = node.api.get(f"/assets/{item['id']}").json()
    assert (shown["unconfirmed"], shown["copies"], shown["copies_claimed"]) == (True, 2.0, 0)
    [dataset] = node.api.get("/datasets").json()["items"]
    assert (dataset["held_files"], dataset["unconfirmed_files"]) == (1, 1)
    package = node.api.get(f"/api/3/action/package_show?id={dataset['slug']}").json()["result"]
    extras = {extra["key"]: extra["value"] for extra in package["extras"]}
    assert str(package.get("shelter_unconfirmed_files", extras.get("shelter_unconfirmed_files"))) == "1"
    assert [
        one["shelter_unconfirmed"]
        for one in package["resources"]
        if one["shelter_files"] and "shelter_sha256" in one
    ] == [True]


def test_a_second_look_that_finds_the_same_confirms_and_the_copy_counts_once_it_is_proved(
    node: Volunteer,
) -> None:
    shark = Volunteer(node.api, "shark")
    node.brings(1, csv(1))

    told = shark.reports(1, csv(1))

    assert told["proof"]["kind"] == "challenge"
    assert prove_nodes(node.api.workplace)["confirmed"] == 1
    [asked] = shark.challenges()
    assert shark.answers(asked, csv(1)).json()["outcome"] == "passed"
    assert shark.copies() == [("good", 1.0)]
    assert not node.api.get("/assets").json()["items"][1]["unconfirmed"]
    assert not is_due(node.catalog, 1)


def test_a_servers_304_cannot_confirm_what_a_node_brought(node: Volunteer) -> None:
    node.brings(1, csv(1), etag='"v1"', last_modified=OLD)

    assert rows(node.catalog, "SELECT etag, last_modified FROM asset WHERE state = 'held'") == [(None, None)]


def test_every_copy_is_challenged_again_and_unanswered_ones_count_for_nothing(node: Volunteer) -> None:
    node.brings(1, csv(1))
    node.brings(2, csv(2))
    workplace = node.api.workplace
    assert prove_nodes(workplace)["challenges"] == 0  # both were proved just now
    change(node.catalog, "UPDATE copy SET verified_at = now() - interval '20 days' WHERE node_id IS NOT NULL")

    assert prove_nodes(workplace)["challenges"] == 2
    assert prove_nodes(workplace)["challenges"] == 0
    data = {hashlib.sha256(text).hexdigest(): text for text in (csv(1), csv(2))}
    answers = [node.answers(one, data[one["sha256"]]).json()["outcome"] for one in node.challenges()]
    assert answers == ["passed", "passed"]
    assert prove_nodes(workplace)["challenges"] == 0
    change(node.catalog, "UPDATE node SET trust = 1")
    change(node.catalog, "UPDATE copy SET verified_at = now() - interval '20 days' WHERE node_id IS NOT NULL")
    assert prove_nodes(workplace)["challenges"] == 0  # a trusted node is asked once in thirty days


def test_a_missed_challenge_is_no_lie_and_the_copy_counts_once_it_is_answered(node: Volunteer) -> None:
    node.brings(1, csv(1))
    workplace = node.api.workplace
    change(node.catalog, "UPDATE copy SET verified_at = now() - interval '31 days' WHERE node_id IS NOT NULL")
    prove_nodes(workplace)
    change(node.catalog, "UPDATE proof SET deadline = now() WHERE kind = 'challenge'")

    assert prove_nodes(workplace)["challenges_missed"] == 1
    assert node.copies() == [("claimed", 0.0)]
    assert node.events() == ["upload"]
    change(node.catalog, "UPDATE proof SET answered_at = now() - interval '2 days' WHERE state = 'expired'")
    assert prove_nodes(workplace)["challenges"] == 1
    [challenge] = node.challenges()
    assert node.answers(challenge, csv(1)).json()["outcome"] == "passed"
    assert node.copies() == [("good", 1.0)]


def test_silent_nodes_copies_count_less_and_less_and_what_only_they_hold_is_fetched_again(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with_files(catalog, 2)
    with an_api(catalog_url, tmp_path / "store", node_uploads=False) as api:
        for name in ("whale", "shark"):
            Volunteer(api, name).reports(1, csv(1))
        assert (counted(catalog), state_of(catalog, 1)) == (2, ("held", "stored"))
        weights = {}
        for days in (3, 5, 19, 21, 39, 41):
            change(catalog, "UPDATE node SET last_seen_at = now() - make_interval(days => :days)", days=days)
            prove_nodes(api.workplace)
            weights[days] = counted(catalog)
            assert is_due(catalog, 1) == (days > 20)
        assert weights == {3: 2, 5: 1, 19: 1, 21: 0.5, 39: 0.5, 41: 0}

        change(catalog, "UPDATE asset SET reason = 'not-found', next_attempt_at = now() + interval '30 days'")
        prove_nodes(api.workplace)
        assert not is_due(catalog, 1)  # a source that is gone is left alone
        change(catalog, "UPDATE node SET last_seen_at = now(), blocked = (name = 'shark')")
        assert prove_nodes(api.workplace)["copies_reweighed"] == 1
        assert counted(catalog) == 1


@pytest.fixture
def empty_url(postgres: PostgresForTests) -> Iterator[str]:
    """The URL of another, empty database."""
    with postgres.fresh_database() as url:
        yield url


def test_what_nodes_brought_comes_back_from_the_store_alone(
    node: Volunteer, empty_url: str, tmp_path: Path
) -> None:
    node.brings(1, csv(1))
    node.brings(2, csv(2))
    assert prove_nodes(node.api.workplace)["told"] == 2
    assert prove_nodes(node.api.workplace)["told"] == 0

    with a_workplace(empty_url, Path(node.api.workplace.store.name)) as rebuilt:
        report = rebuild_catalog(rebuilt, rebuilt.store)  # type: ignore[arg-type]
        held = rows(rebuilt.catalog, "SELECT url, sha256, size FROM asset WHERE state = 'held' ORDER BY url")
        flags = rows(rebuilt.catalog, "SELECT flags FROM capture")
        [manifest] = read_manifests(rebuilt.store)

    assert (report["problems"], report["missing"], report["datasets"]) == ([], [], 1)
    assert held == rows(node.catalog, "SELECT url, sha256, size FROM asset WHERE state = 'held' ORDER BY url")
    assert flags == [(["by-node"],), (["by-node"],)]
    links = [link["url"] for resource in manifest.datasets[0]["resources"] for link in resource["assets"]]
    assert links == [url_of(1), url_of(2)]
