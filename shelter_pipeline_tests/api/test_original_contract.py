"""The documented requests of the original system work as its documentation shows them, on an untouched loopback API."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shelter_pipeline.operations import node_work
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.node_requests import allocated, joined, live_claims, refusal, with_files


def test_the_documented_calls_work_with_curl_as_they_stand(api: ApiUnderTest) -> None:
    with_files(api)

    def curl(path: str, body: str) -> str:
        asked = ["curl", "-sf", "-X", "POST", f"{api.url}{path}", "-H", "Content-Type: application/json"]
        return subprocess.run([*asked, "-d", body], capture_output=True, text=True, check=True).stdout

    assert '"id":' in curl("/allocate", '{"free_space_gb": 10, "node_id": "node-123"}')
    assert '"released"' in curl("/release", '{"asset_id": 1, "node_id": "node-123"}')
    assert '"updated_items":1' in curl("/update-ckan", '{"updates": [{"asset_id": 1, "new_priority": 9}]}')
    assert subprocess.run(["curl", "-sf", f"{api.url}/status"], capture_output=True, check=True).stdout


def test_an_allocation_is_a_list_of_what_the_original_gave_and_what_a_lease_needs(api: ApiUnderTest) -> None:
    with_files(api, size=12_300_000)

    items = allocated(api, limit=3)

    assert len(items) == 3
    for item in items:
        assert isinstance(item["id"], int)
        assert item["url"].startswith("https://host")
        assert item["size_mb"] == 12.3
        assert item["size_bytes"] == 12_300_000
        assert 1 <= item["priority"] <= 10
        assert item["name"].startswith("file-")
        assert (item["purpose"], item["mirror"]) == ("fetch", None)
        lasts = datetime.fromisoformat(item["lease_until"]) - datetime.now(UTC)
        assert timedelta(0) < lasts <= timedelta(seconds=item["lease_seconds"] + 5)
        assert item["lease_until"].endswith("Z")
        assert item["dataset"]["organization"] == "epa-gov"
    assert [item["priority"] for item in items] == sorted((i["priority"] for i in items), reverse=True)
    assert live_claims(api) == {item["id"]: "node:node-123" for item in items}


def test_the_size_is_a_number_even_where_nobody_knows_it(api: ApiUnderTest) -> None:
    with_files(api, 1, size=None)

    [item] = allocated(api)

    assert item["size_bytes"] is None
    assert item["size_mb"] > 0


def test_no_file_is_given_to_two_nodes(api: ApiUnderTest) -> None:
    with_files(api, 6)

    first, second = allocated(api, "a", limit=3), allocated(api, "b", limit=3)

    assert len(first) == 3
    assert not {item["id"] for item in first} & {item["id"] for item in second}


def test_where_nothing_fits_the_list_is_empty_and_says_when_to_ask_again(api: ApiUnderTest) -> None:
    with_files(api)

    for free in (0, 0.0, 0.0000001):
        answer = api.post("/allocate", {"node_id": "node-123", "free_space_gb": free})

        assert (answer.status_code, answer.json()) == (200, [])
        assert int(answer.headers["Retry-After"]) >= 1
    assert live_claims(api) == {}


def test_what_is_given_back_is_free_for_others_at_once(api: ApiUnderTest) -> None:
    with_files(api, 1)
    [item] = allocated(api)

    answer = api.post("/release", {"asset_id": item["id"], "node_id": "node-123"})

    assert answer.status_code == 200
    assert answer.json()["status"] == "released"
    assert answer.json()["message"]
    node_work.housekeep(api.workplace)
    assert [again["id"] for again in allocated(api, "another")] == [item["id"]]


def test_several_files_or_all_are_given_back_at_once(api: ApiUnderTest) -> None:
    with_files(api, 4)
    ids = [item["id"] for item in allocated(api)]

    some = api.post("/release", {"asset_ids": [*ids[:2], 10**15], "node_id": "node-123"}).json()
    rest = api.post("/release", {"all": True, "node_id": "node-123"}).json()

    assert (some["released"], rest["released"]) == (2, len(ids) - 2)
    assert "1 were not yours" in some["message"]
    assert live_claims(api) == {}


def test_nobody_gives_back_what_another_node_has_or_what_is_under_a_later_lease(api: ApiUnderTest) -> None:
    with_files(api, 1)
    [item] = allocated(api)
    before = live_claims(api)

    others = api.post("/release", {"asset_id": item["id"], "node_id": "thief"})
    older = api.post("/release", {"asset_id": item["id"], "node_id": "node-123", "token": item["token"] + 1})
    unknown = api.post("/release", {"asset_id": 2**62, "node_id": "node-123"})

    assert [refusal(answer) for answer in (others, older, unknown)] == [(404, "not-found")] * 3
    assert live_claims(api) == before


def test_a_priority_that_was_set_decides_what_is_given_first(api: ApiUnderTest) -> None:
    with_files(api, 5)
    updates = [{"asset_id": n, "new_priority": 10 if n == 3 else 1} for n in range(1, 6)]

    answer = api.post("/update-ckan", {"updates": [*updates, {"asset_id": 10**9, "new_priority": 5}]})

    assert answer.json() == {"status": "success", "updated_items": 5, "unknown": [10**9]}
    node_work.housekeep(api.workplace)
    [first] = allocated(api, limit=1)
    assert (first["id"], first["priority"]) == (3, 10)


def test_the_status_tells_what_is_going_on(api: ApiUnderTest) -> None:
    with_files(api, 3)
    allocated(api, limit=2)

    status = api.get("/status").json()

    assert status["ckan_datasets"] == 3
    assert status["active_allocations"] == status["queue"]["allocations_of_nodes"] == 2
    assert status["total_priority_score"] >= 3
    assert status["system_health"] == "healthy"
    assert status["files"] == {"known": 3, "held": 0, "held_bytes": 0, "waiting": 3, "failed": 0, "dead": 0}
    assert status["nodes"] == {"known": 1, "active": 1, "blocked": 0}
    assert status["version"]
    ahead = datetime.fromisoformat(status["next_auto_update"]) - datetime.now(UTC)
    assert timedelta(0) < ahead <= timedelta(days=1)


ALLOCATE = {"node_id": "node-123", "free_space_gb": 10}


WRONG: tuple[tuple[str, Any, str], ...] = (
    ("/allocate", ALLOCATE | {"free_space_gb": -1}, "body.free_space_gb"),
    ("/allocate", ALLOCATE | {"free_space_gb": "10"}, "body.free_space_gb"),
    ("/allocate", ALLOCATE | {"free_space_gb": True}, "body.free_space_gb"),
    ("/allocate", {"node_id": "node-123"}, "body.free_space_gb"),
    ("/allocate", ALLOCATE | {"node_id": "../../etc"}, "body.node_id"),
    ("/allocate", ALLOCATE | {"node_id": "a\nb"}, "body.node_id"),
    ("/allocate", ALLOCATE | {"node_id": 7}, "body.node_id"),
    ("/allocate", ALLOCATE | {"limit": 0}, "body.limit"),
    ("/allocate", ALLOCATE | {"limit": 101}, "body.limit"),
    ("/allocate", ALLOCATE | {"limit": True}, "body.limit"),
    ("/allocate", ALLOCATE | {"bandwidth_mbps": 0}, "body.bandwidth_mbps"),
    ("/allocate", ALLOCATE | {"uptime_hours": -3}, "body.uptime_hours"),
    ("/allocate", ALLOCATE | {"purposes": []}, "body.purposes"),
    ("/allocate", ALLOCATE | {"purposes": ["steal"]}, "body.purposes.0"),
    ("/release", {"node_id": "node-123"}, "body"),
    ("/release", {"node_id": "node-123", "asset_id": "1"}, "body.asset_id"),
    ("/release", {"node_id": "node-123", "asset_id": 2**63}, "body.asset_id"),
    ("/release", {"node_id": "node-123", "asset_ids": []}, "body.asset_ids"),
    ("/update-ckan", {"updates": [{"asset_id": 1, "new_priority": 0}]}, "body.updates.0.new_priority"),
    ("/update-ckan", {"updates": [{"asset_id": 1, "new_priority": 11}]}, "body.updates.0.new_priority"),
    ("/update-ckan", {"updates": {"asset_id": 1}}, "body.updates"),
    ("/heartbeat", {"node_id": "node-123", "tokens": [1.5]}, "body.tokens.0"),
    ("/nodes", {"name": "no spaces"}, "body.name"),
    ("/nodes", {"version": "newest"}, "body.version"),
    ("/nodes", {"contact": "a\x00b"}, "body.contact"),
)


def test_what_is_wrong_is_named(api: ApiUnderTest) -> None:
    for path, body, at_fault in WRONG:
        answer = api.post(path, body)

        assert refusal(answer) == (422, "bad-request"), body
        assert at_fault in [problem["where"] for problem in answer.json()["problems"]], body


def test_fields_that_are_not_known_are_left_alone(api: ApiUnderTest) -> None:
    with_files(api, 1)

    assert len(allocated(api, country="DE", capabilities={"gpu": None})) == 1


def test_elsewhere_than_on_this_machine_a_write_needs_the_nodes_own_token(
    catalog_url: str, catalog: object, tmp_path: Path
) -> None:
    with an_api(catalog_url, tmp_path / "store", api_writes="token") as api:
        with_files(api, 2)
        mine, other = joined(api, "mine"), joined(api, "other")
        [item] = allocated(api, "mine", limit=1, headers=mine)
        before = live_claims(api)
        release = {"asset_id": item["id"], "node_id": "mine"}

        nobody = api.post("/release", release)
        somebody = api.post("/release", release, headers=other)
        as_itself = api.post("/release", release | {"node_id": "other"}, headers=other)
        no_operator = api.post("/update-ckan", {"updates": []}, headers=mine)

        assert [refusal(a)[0] for a in (nobody, somebody, as_itself, no_operator)] == [401, 403, 404, 403]
        assert live_claims(api) == before
        assert api.get("/status").status_code == 200
        assert api.post("/release", release, headers=mine).status_code == 200
