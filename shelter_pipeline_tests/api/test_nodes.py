"""Nodes join, are heard of, are shown without what is theirs alone, are blocked, and leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.nodes import NewNode, find_node
from shelter_pipeline.catalog.tables_nodes import api_token, idempotency, node, node_event
from shelter_pipeline.domain.networks import network_hash
from shelter_pipeline.domain.node_protocol import VERSION_HEADER
from shelter_pipeline.operations import nodes
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.node_requests import allocated, joined, live_claims, refusal, with_files

SHA = "ab" * 32


@pytest.fixture
def strict(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """The API as it is elsewhere than on one's own machine: writes need a token."""
    with an_api(catalog_url, tmp_path / "store", api_writes="token") as running:
        yield running


def run(api: ApiUnderTest, text: str, **parameters: Any) -> None:
    with api.workplace.catalog.begin() as connection:
        connection.execute(sa.text(text), parameters)


def test_a_node_that_joins_gets_a_token_of_its_own_and_no_trust(strict: ApiUnderTest) -> None:
    answer = strict.post(
        "/nodes", {"name": "blue-whale", "version": "0.1.0", "contact": "me@example.org", "space_gb": 50}
    )

    assert answer.status_code == 201
    assert answer.headers["Location"] == "/nodes/blue-whale"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["node_id"] == "blue-whale"
    assert body["token"].startswith("shelter_")
    assert 0 < body["heartbeat_seconds"] < body["lease_seconds"]
    assert body["minimum_version"] == "0.1.0"
    headers = {"Authorization": f"Bearer {body['token']}"}
    assert strict.post("/heartbeat", {"node_id": "blue-whale"}, headers=headers).status_code == 200
    assert strict.get("/nodes/blue-whale").json()["trust"] == 0


def test_who_brings_no_name_is_given_a_friendly_one_each_another(strict: ApiUnderTest) -> None:
    names = {strict.post("/nodes", body).json()["node_id"] for body in ({}, {}, None)}

    assert len(names) == 3
    assert all("-" in name for name in names)


def test_a_name_that_somebody_has_is_refused_and_a_free_one_offered(strict: ApiUnderTest) -> None:
    joined(strict, "blue-whale")

    again = strict.post("/nodes", {"name": "Blue-Whale"})

    assert refusal(again) == (409, "name-taken")
    assert "'Blue-Whale-2' is free" in again.json()["message"]
    joined(strict, "Blue-Whale-2")
    assert "-3' is free" in strict.post("/nodes", {"name": "blue-whale"}).json()["message"]


def test_no_answer_shows_a_contact_and_no_row_keeps_an_address_or_a_token(strict: ApiUnderTest) -> None:
    answer = strict.post("/nodes", {"name": "shy", "contact": "shy@example.org"})
    token = answer.json()["token"]

    shown = strict.get("/nodes").text + strict.get("/nodes/shy").text
    with strict.workplace.catalog.begin() as connection:
        tables = (node, api_token, node_event, idempotency)
        kept = "".join(str(connection.execute(sa.select(table)).all()) for table in tables)

    assert "shy@example.org" not in shown
    assert "127.0.0.1" not in shown + kept
    assert token not in kept
    assert token.rpartition("_")[2] not in kept


def test_too_many_nodes_of_one_network_within_a_day_need_an_invitation(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with an_api(catalog_url, tmp_path / "store", nodes_per_network_a_day=2) as api:

        def join(address: str, *, is_invited: bool = False) -> None:
            new = NewNode("", network=network_hash(address, b"pepper"))
            nodes.register(api.workplace, new, is_invited=is_invited)

        join("192.0.2.1")
        join("192.0.2.77")
        with pytest.raises(nodes.TooManyNodesError, match="2 nodes have joined"):
            join("192.0.2.200")
        join("192.0.2.200", is_invited=True)
        join("198.51.100.1")


def test_a_heartbeat_keeps_ones_own_leases_and_no_others(api: ApiUnderTest) -> None:
    with_files(api, 2)
    [mine] = allocated(api, "a", limit=1)
    [theirs] = allocated(api, "b", limit=1)
    run(api, "UPDATE claim SET lease_until = now() + interval '5 seconds'")

    answer = api.post(
        "/heartbeat",
        {"node_id": "a", "tokens": [mine["token"], theirs["token"], 10**15], "begun": [mine["token"]]},
    ).json()

    assert (answer["renewed"], answer["lost"]) == ([mine["token"]], sorted([theirs["token"], 10**15]))
    with api.workplace.catalog.begin() as connection:
        renewed = connection.execute(
            sa.text("SELECT token FROM claim WHERE lease_until > now() + interval '60 seconds'")
        ).scalars()
        assert list(renewed) == [mine["token"]]


def test_a_heartbeat_tells_what_else_is_asked_of_the_node(api: ApiUnderTest) -> None:
    allocated(api, "a")
    found = find_node(api.workplace.catalog, "a")
    assert found is not None
    run(api, "INSERT INTO blob (sha256, size) VALUES (:sha, 5)", sha=SHA)
    run(
        api,
        "INSERT INTO copy (sha256, node_id, state, counts) VALUES (:sha, :node, 'claimed', 0)",
        sha=SHA,
        node=found.id,
    )
    for kind, ends in (("upload", "1 hour"), ("challenge", "1 hour"), ("challenge", "-1 hour")):
        run(
            api,
            "INSERT INTO proof (node_id, sha256, size, kind, nonce, deadline, state, answered_at)"
            " VALUES (:node, :sha, 5, :kind, CASE WHEN :kind = 'challenge' THEN decode(repeat('00', 32), 'hex') END,"
            " now() + CAST(:ends AS interval), :state, :answered)",
            node=found.id,
            sha=SHA,
            kind=kind,
            ends=ends,
            state="expired" if ends.startswith("-") else "open",
            answered="2026-01-01" if ends.startswith("-") else None,
        )

    answer = api.post("/heartbeat", {"node_id": "a"}).json()

    assert (answer["challenges"], answer["uploads"]) == (1, 1)


WRITES: tuple[tuple[str, Any], ...] = (
    ("/allocate", {"node_id": "old", "free_space_gb": 1}),
    ("/release", {"node_id": "old", "all": True}),
    ("/heartbeat", {"node_id": "old"}),
    ("/nodes", {"name": "older"}),
    ("/nodes/old/sign-off", {}),
)


def test_a_program_that_is_too_old_is_told_how_to_update_on_every_write(api: ApiUnderTest) -> None:
    allocated(api, "old")

    for path, body in WRITES:
        refused = api.post(path, body, headers={VERSION_HEADER: "0.0.9"})

        assert refusal(refused) == (426, "too-old")
        assert "0.1.0 or newer" in refused.json()["message"]
        assert refused.headers["Upgrade"]
        assert refusal(api.post(path, body, headers={VERSION_HEADER: "new!"})) == (422, "bad-request")
        for headers in ({VERSION_HEADER: "0.1.0"}, {}):
            assert api.post(path, body, headers=headers).status_code in (200, 201, 409)
    assert refusal(api.post("/nodes", {"version": "0.0.1"})) == (426, "too-old")


def test_an_older_program_that_is_let_in_is_advised_to_update(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with an_api(catalog_url, tmp_path / "store", min_node_version="0.0.1") as api:
        answer = api.post("/heartbeat", {"node_id": "a"}, headers={VERSION_HEADER: "0.0.5"})
        again = api.post("/heartbeat", {"node_id": "a"}, headers={VERSION_HEADER: "0.0.5"})

    assert answer.status_code == 200
    assert "yours is 0.0.5" in again.json()["message"]


def test_who_is_blocked_loses_its_work_gets_nothing_and_is_told_why(api: ApiUnderTest) -> None:
    with_files(api)
    assert allocated(api, "liar")

    answer = api.post("/nodes/liar/block", {"why": "three false hashes"})

    assert answer.status_code == 200
    assert answer.json()["released"] > 0
    assert live_claims(api) == {}
    for path, body in (
        ("/allocate", {"node_id": "liar", "free_space_gb": 1}),
        ("/heartbeat", {"node_id": "liar"}),
        ("/release", {"node_id": "liar", "all": True}),
        ("/nodes/liar/sign-off", {}),
    ):
        refused = api.post(path, body)
        assert refusal(refused) == (403, "blocked")
        assert "three false hashes" in refused.json()["message"]
    shown = api.get("/nodes/liar").json()
    assert (shown["blocked"], shown["blocked_why"]) == (True, "three false hashes")
    assert [(event["kind"], event["detail"]) for event in shown["events"]] == [
        ("blocked", "three false hashes (local)")
    ]

    assert api.post("/nodes/liar/unblock", {"why": "it was our fault"}).status_code == 200
    assert allocated(api, "liar")
    assert [event["kind"] for event in api.get("/nodes/liar").json()["events"]] == ["unblocked", "blocked"]


def test_only_operators_block_and_only_for_a_reason(strict: ApiUnderTest, api: ApiUnderTest) -> None:
    mine = joined(strict, "mine")

    for path in ("/nodes/mine/block", "/nodes/mine/unblock"):
        assert refusal(strict.post(path, {"why": "x"}))[0] == 401
        assert refusal(strict.post(path, {"why": "x"}, headers=mine))[0] == 403
    assert api.post("/nodes/mine/block", {"why": "  "}).status_code == 422
    assert refusal(api.post("/nodes/nobody/block", {"why": "x"})) == (404, "not-found")
    assert strict.get("/nodes/mine").json()["blocked"] is False


def test_a_node_that_leaves_gives_its_work_back_and_comes_back_by_asking(api: ApiUnderTest) -> None:
    with_files(api)
    allocated(api, "a", limit=2)

    left = api.post("/nodes/a/sign-off", {}).json()

    assert left == {"status": "signed-off", "released": 2, "copies": 0}
    assert live_claims(api) == {}
    assert api.get("/nodes/a").json()["signed_off_at"]
    assert "signed off" in api.post("/heartbeat", {"node_id": "a"}).json()["message"]
    assert api.get("/nodes/a").json()["signed_off_at"], "a late heartbeat is no return"
    allocated(api, "a")
    assert api.get("/nodes/a").json()["signed_off_at"] is None


def test_a_node_cannot_sign_another_one_off(strict: ApiUnderTest) -> None:
    joined(strict, "mine")
    other = joined(strict, "other")

    assert refusal(strict.post("/nodes/mine/sign-off", {}, headers=other))[0] == 403
    assert strict.get("/nodes/mine").json()["signed_off_at"] is None


def test_every_node_is_on_one_page_of_the_list_whoever_joins_meanwhile(api: ApiUnderTest) -> None:
    names = [f"node-{n}" for n in range(7)]
    for name in names:
        allocated(api, name)

    seen: list[str] = []
    after = ""
    for _ in range(10):
        page = api.get(f"/nodes?limit=3{after}").json()
        seen += [item["node_id"] for item in page["items"]]
        allocated(api, "a-newcomer")
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert seen == names
    assert refusal(api.get("/nodes?after=%00"))[0] == 422
    assert refusal(api.get("/nodes?limit=0"))[0] == 422
    assert refusal(api.get("/nodes/nobody")) == (404, "not-found")


def test_what_a_node_holds_is_shown_as_proved_claimed_and_lost(api: ApiUnderTest) -> None:
    allocated(api, "a")
    found = find_node(api.workplace.catalog, "a")
    assert found is not None
    for place, (state, counts) in enumerate((("good", 0.5), ("claimed", 0), ("missing", 0))):
        sha = f"{place:064x}"
        run(api, "INSERT INTO blob (sha256, size) VALUES (:sha, 100)", sha=sha)
        run(
            api,
            "INSERT INTO copy (sha256, node_id, state, counts, proved_by) VALUES (:sha, :node, :state, :counts, :by)",
            sha=sha,
            node=found.id,
            state=state,
            counts=counts,
            by="challenge" if state == "good" else None,
        )
    run(
        api,
        "INSERT INTO proof (node_id, sha256, size, kind, state, nonce, deadline, answered_at)"
        " VALUES (:node, :sha, 100, 'challenge', 'passed', sha256(''), now(), now())",
        node=found.id,
        sha=f"{0:064x}",
    )

    [listed] = api.get("/nodes").json()["items"]
    shown = api.get("/nodes/a").json()

    for seen in (listed, shown):
        assert (seen["copies_good"], seen["bytes_good"], seen["copies_counted"]) == (1, 100, 0.5)
        assert (seen["copies_claimed"], seen["bytes_claimed"], seen["copies_lost"]) == (1, 100, 1)


def test_a_lie_is_shown_to_everybody_with_its_time(strict: ApiUnderTest) -> None:
    joined(strict, "liar")
    found = find_node(strict.workplace.catalog, "liar")
    assert found is not None
    run(
        strict,
        "INSERT INTO node_event (node_id, kind, sha256, detail, trust_before, trust_after)"
        " VALUES (:node, 'wrong-upload', :sha, 'other bytes than it said', 0.4, 0)",
        node=found.id,
        sha=SHA,
    )

    [event] = strict.get("/nodes/liar").json()["events"]

    assert (event["kind"], event["sha256"]) == ("wrong-upload", SHA)
    assert (event["trust_before"], event["trust_after"]) == (0.4, 0)
    assert event["happened_at"].endswith("Z")
