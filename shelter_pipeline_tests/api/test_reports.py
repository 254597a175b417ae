"""What becomes of results that nodes report: each by itself, and none of them final on one node's word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.volunteers import (
    Volunteer,
    change,
    counted,
    csv,
    is_due,
    rows,
    state_of,
    stored,
    with_files,
)

WEEK_OFF = "SELECT next_attempt_at > now() + interval '7 days' FROM asset WHERE url LIKE '%/1.csv'"


@pytest.fixture
def node(api: ApiUnderTest) -> Volunteer:
    """A node over a dataset of some files."""
    with_files(api.workplace.catalog, 30)
    return Volunteer(api)


def test_a_bad_result_never_costs_the_others(node: Volunteer) -> None:
    good = {**node.claim(0), **stored(csv(0))}
    bad: list[dict[str, Any]] = [
        {},
        {"asset_id": "1", "token": 1.5},
        {"asset_id": 10**30, "token": True},
        {**node.claim(1), "verdict": "stored", "reason": "not-found"},
        {**node.claim(2), "verdict": "permanent", "reason": "no-such-reason"},
        {**node.claim(3), "verdict": "unchanged", "reason": "unchanged"},
        {**node.claim(4), "verdict": "stored", "reason": "stored"},
        {**node.claim(5), **stored(b"x"), "size": -1},
        {**node.claim(6), **stored(b"x"), "sha256": "Z" * 64},
        {**node.claim(7), **stored(b"x"), "heads": {"response": [["x", "y" * 70_000]]}},
        {**node.claim(8), **stored(b"x"), "heads": {"response": {"x": 1}}},
        {**node.claim(9), **stored(b"x"), "started_at": "2026-01-01"},
        {**node.claim(10), **stored(b"x"), "retry_after_seconds": -3},
        {**node.claim(11), **stored(b"x"), "flags": ["<script>"]},
        {**node.claim(12), **stored(b"")},
        {**node.claim(13), **stored(b"x"), "size": 0},
    ]

    outcomes = node.complete(*bad, good)

    assert [one["outcome"] for one in outcomes] == ["refused"] * len(bad) + ["settled"]
    assert all(one["message"] for one in outcomes)
    assert outcomes[-1]["proof"]["kind"] == "upload"
    assert node.events() == []  # a fault of a program is no lie
    # What cannot be read ends no claim; what contradicts itself ends one.
    assert rows(node.catalog, "SELECT count(*) FROM claim WHERE state = 'settled'") == [(3,)]
    assert node.api.post("/complete", {"node_id": "whale", "results": []}).status_code == 422


def test_control_characters_and_clocks_of_strangers_stay_outside(node: Volunteer) -> None:
    node.fails(
        1,
        "transient",
        "server-error",
        detail="\x1b[31mred\x00",
        final_url="https://a.example/\n",
        started_at="1970-01-01T00:00:00Z",
        finished_at="2999-01-01T00:00:00Z",
        heads={"response": [["Server", "\x07"]], "request": [], "more": 1},
    )

    [found] = rows(
        node.catalog,
        "SELECT detail, final_url, heads, started_at >= claimed_at AND finished_at <= now() AS is_within"
        " FROM capture JOIN claim USING (token)",
    )
    assert found[0] == "\ufffd[31mred\ufffd"
    assert found[1] == "https://a.example/\ufffd"
    assert found[2]["response"] == [["Server", "\ufffd"]]
    assert found[3]


def test_one_node_cannot_stop_a_file_and_independent_ones_can(node: Volunteer) -> None:
    for _ in range(3):
        assert node.fails(1, "permanent", "not-found")["outcome"] == "settled"
    assert state_of(node.catalog, 1) == ("pending", "not-found")
    assert rows(node.catalog, WEEK_OFF) == [(False,)]
    assert rows(node.catalog, "SELECT max(attempts) FROM asset") == [(0,)]

    Volunteer(node.api, "shark").fails(1, "permanent", "forbidden")
    assert state_of(node.catalog, 1) == ("pending", "forbidden")
    Volunteer(node.api, "ray").fails(1, "permanent", "not-found")

    assert state_of(node.catalog, 1) == ("failed", "not-found")
    assert rows(node.catalog, WEEK_OFF) == [(True,)]


def test_a_result_under_a_lost_lease_is_evidence_and_changes_nothing(node: Volunteer) -> None:
    claim = node.claim(1)
    change(node.catalog, "UPDATE claim SET state = 'expired', ended_at = now()")
    newer = Volunteer(node.api, "shark").claim(1)

    late = node.complete(claim | stored(csv(1)), claim | stored(csv(1)))
    again = node.complete(claim | stored(csv(1)))

    assert [one["outcome"] for one in (*late, *again)] == ["late"] * 3
    assert all(one["proof"] is None for one in (*late, *again))
    assert rows(node.catalog, "SELECT late FROM capture") == [(True,)]
    assert state_of(node.catalog, 1) == ("pending", None)
    assert rows(node.catalog, "SELECT token FROM claim WHERE state = 'held'") == [(newer["token"],)]
    [wrong] = node.complete(newer | stored(csv(1)))
    assert wrong["outcome"] == "unknown"


def test_a_result_that_is_sent_again_has_the_same_answer_and_another_is_refused(node: Volunteer) -> None:
    result = node.claim(1) | stored(csv(1))
    [first] = node.complete(result)

    [again] = node.complete(result)
    [other] = node.complete(result | stored(csv(2)))

    assert (again["outcome"], again["proof"]) == ("settled", first["proof"])
    assert (other["outcome"], other["proof"]) == ("refused", None)
    assert rows(node.catalog, "SELECT count(*) FROM capture") == [(1,)]


def test_what_contradicts_the_catalogue_is_not_asked_for(api: ApiUnderTest) -> None:
    with_files(api.workplace.catalog, 4, size=123_457)
    node = Volunteer(api)
    oversized = node.reports(3, csv(3))
    promised = f"sha256:{stored(csv(1))['sha256']}"
    change(node.catalog, "UPDATE asset SET checksum = :promised", promised=promised)

    wrong = node.reports(2, csv(2))
    right = node.reports(1, csv(1))

    assert (oversized["outcome"], oversized["proof"]) == ("refused", None)
    assert "123457 bytes" in oversized["message"]
    assert (wrong["outcome"], wrong["proof"]) == ("refused", None)
    assert "the catalogue promises sha256:" in wrong["message"]
    assert state_of(api.workplace.catalog, 2) == ("pending", "mismatch")
    assert right["proof"]["kind"] == "upload"
    assert node.events() == []


def test_an_honest_upload_counts_twice_and_is_shown_to_be_a_nodes(node: Volunteer) -> None:
    answer = node.brings(1, csv(1))

    assert answer.status_code == 201
    assert answer.json()["trust"] == pytest.approx(0.51)
    assert state_of(node.catalog, 1) == ("held", "stored")
    assert node.copies() == [("good", 1.0)]
    assert rows(node.catalog, "SELECT proved_by FROM copy ORDER BY node_id NULLS LAST") == [
        ("upload",),
        (None,),
    ]
    assert rows(node.catalog, "SELECT flags FROM capture WHERE verdict = 'stored'") == [(["by-node"],)]
    assert rows(node.catalog, "SELECT finding, wanted FROM testimony") == [("open", True)]
    assert is_due(node.catalog, 1)  # a new node's files are all fetched again by somebody else


def test_bytes_that_we_hold_are_not_sent_again_but_proved(node: Volunteer) -> None:
    node.brings(1, csv(1))
    shark = Volunteer(node.api, "shark")

    outcome = shark.reports(2, csv(1))
    waits = not is_due(node.catalog, 2)
    [challenge] = shark.challenges()
    answer = shark.answers(challenge, csv(1))

    assert outcome["proof"]["kind"] == "challenge"
    assert waits
    assert answer.json()["outcome"] == "passed"
    assert state_of(node.catalog, 2) == ("held", "stored")
    assert counted(node.catalog) == 2
    assert len(list(node.api.workplace.store.blobs())) == 1


def test_bytes_that_are_not_the_file_are_kept_apart_and_somebody_else_tries(node: Volunteer) -> None:
    page = (
        b"<!doctype html><html><head><title>Sign in</title></head><body><form>password</form></body></html>"
    )

    answer = node.brings(1, page, media_type="text/html")

    assert answer.json()["outcome"] == "suspect"
    assert node.sends({"proof": {"upload": "/uploads/1"}}, page).json()["outcome"] == "suspect"
    assert state_of(node.catalog, 1)[0] == "pending"
    assert list(node.api.workplace.store.blobs()) == []
    assert counted(node.catalog) == 0
    assert (node.standing()[0], node.events()) == (0.5, [])
    assert rows(node.catalog, "SELECT verdict FROM capture ORDER BY id DESC LIMIT 1") == [("suspect",)]
    query = "SELECT next_attempt_at < now() + interval '1 hour' FROM asset WHERE url LIKE '%/1.csv'"
    assert rows(node.catalog, query) == [(True,)]


def test_what_we_fetched_meanwhile_is_not_replaced_by_an_older_upload(node: Volunteer) -> None:
    outcome = node.reports(1, csv(1))
    change(
        node.catalog,
        "WITH b AS (INSERT INTO blob (sha256, size) VALUES (:sha, 3) RETURNING sha256),"
        " s AS (INSERT INTO store (name) VALUES ('elsewhere') RETURNING id),"
        " c AS (INSERT INTO copy (sha256, store_id) SELECT :sha, id FROM s),"
        " a AS (UPDATE asset SET state = 'held', reason = 'stored', sha256 = :sha, size = 3"
        "        WHERE url LIKE '%/1.csv' RETURNING id)"
        " INSERT INTO capture (asset_id, verdict, reason, sha256, size)"
        " SELECT id, 'stored', 'stored', :sha, 3 FROM a",
        sha="a" * 64,
    )

    assert node.sends(outcome, csv(1)).json()["outcome"] == "counted"

    assert rows(node.catalog, "SELECT sha256 FROM asset WHERE state = 'held'") == [("a" * 64,)]
    assert node.copies() == [("good", 1.0)]
    assert rows(node.catalog, "SELECT count(*) FROM testimony") == [(0,)]


def test_a_node_that_owes_us_files_fetches_no_more_until_it_has_sent_them(
    catalog_url: str, tmp_path: Path
) -> None:
    with an_api(catalog_url, tmp_path / "store", node_open_uploads=30) as api:
        with_files(api.workplace.catalog, 30)
        score_all(api.workplace)
        whale = Volunteer(api)
        asking = {"node_id": "whale", "free_space_gb": 1, "purposes": ["fetch"]}
        results = [
            {"asset_id": one["id"], "token": one["token"]} | stored(csv(one["id"]))
            for one in api.post("/allocate", asking).json()
        ]
        outcomes = whale.complete(*results)

        refused = api.post("/allocate", asking)
        for result, outcome in list(zip(results, outcomes, strict=True))[:15]:
            assert whale.sends(outcome, csv(result["asset_id"])).status_code == 201
        given = api.post("/allocate", asking)

    assert len(results) == 20
    assert (refused.json(), refused.headers["Retry-After"]) == ([], "5")
    assert len(given.json()) == 10


def test_a_node_that_has_reported_all_it_had_of_a_host_makes_room_for_another(
    catalog_url: str, tmp_path: Path
) -> None:
    with an_api(catalog_url, tmp_path / "store", host_connections=1) as api:
        with_files(api.workplace.catalog, 3)
        score_all(api.workplace)
        mine, theirs = ({"node_id": name, "free_space_gb": 1, "limit": 2} for name in ("whale", "shark"))
        first, second = api.post("/allocate", mine).json()

        found = []
        for one in (first, second):
            Volunteer(api).complete({"asset_id": one["id"], "token": one["token"]} | stored(csv(one["id"])))
            found.append(len(api.post("/allocate", theirs).json()))

    assert found == [0, 1]
