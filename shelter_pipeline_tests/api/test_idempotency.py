"""A request with an Idempotency-Key is done once, however often and from wherever it is sent."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from shelter_pipeline.api.idempotency import Answer, Once
from shelter_pipeline.api.security import LOCAL
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.idempotency import (
    Earlier,
    Key,
    forget_old_keys,
    keep_answer,
    take_key,
)
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.node_requests import joined, live_claims, refusal, with_files

ASKED = {"node_id": "node-123", "free_space_gb": 10, "limit": 2}
KEY = Key("somebody node-1", "k", b"\x01" * 32)


def keyed(
    api: ApiUnderTest, key: str = "k1", path: str = "/allocate", **changes: object
) -> requests.Response:
    return api.post(path, ASKED | changes, headers={"Idempotency-Key": key})


def aged(catalog: Catalog, seconds: float) -> None:
    with catalog.begin() as connection:
        connection.execute(
            sa.text("UPDATE idempotency SET made_at = made_at - make_interval(secs => :seconds)"),
            {"seconds": seconds},
        )


def test_asked_again_it_gives_the_same_answer_and_does_nothing_twice(api: ApiUnderTest) -> None:
    with_files(api, 6)

    first, again = keyed(api), keyed(api)

    assert first.status_code == again.status_code == 200
    assert len(first.json()) == 2
    assert first.content == again.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(live_claims(api)) == 2
    keyed(api, "k2")
    assert len(live_claims(api)) == 4


def test_a_key_with_another_body_or_another_path_is_refused(api: ApiUnderTest) -> None:
    with_files(api, 6)
    keyed(api)

    assert refusal(keyed(api, limit=3)) == (409, "key-reused")
    assert refusal(keyed(api, path="/release", all=True)) == (409, "key-reused")
    assert len(live_claims(api)) == 2


def test_of_many_who_ask_at_once_with_one_key_one_is_worked_for(api: ApiUnderTest) -> None:
    with_files(api, 12)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: keyed(api), range(16)))

    done = {answer.content for answer in answers if answer.status_code == 200}
    waiting = [answer for answer in answers if answer.status_code != 200]
    assert len(done) == 1
    assert all(refusal(answer) == (409, "at-work") for answer in waiting)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in waiting)
    assert len(live_claims(api)) == 2


def test_the_keys_of_two_nodes_have_nothing_to_do_with_each_other(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with an_api(catalog_url, tmp_path / "store", api_writes="token") as api:
        with_files(api, 6)
        answers = [
            api.post(
                "/allocate",
                {"node_id": name, "free_space_gb": 10, "limit": 2},
                headers=joined(api, name) | {"Idempotency-Key": "1"},
            )
            for name in ("a", "b")
        ]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert len(live_claims(api)) == 4


def test_what_was_refused_or_brought_nothing_may_be_asked_again_under_its_key(api: ApiUnderTest) -> None:
    nothing = keyed(api)
    refused = api.post("/release", {"node_id": "node-123", "asset_id": 1}, headers={"Idempotency-Key": "k2"})
    assert (nothing.json(), refused.status_code) == ([], 404)

    with_files(api)
    given = keyed(api)
    released = api.post(
        "/release",
        {"node_id": "node-123", "asset_id": given.json()[0]["id"]},
        headers={"Idempotency-Key": "k2" if given.json()[0]["id"] == 1 else "k3"},
    )

    assert len(given.json()) == 2
    assert released.status_code == 200


def test_a_key_that_is_none_is_refused(api: ApiUnderTest) -> None:
    for key in ("", "x" * 201, "two words", "käse"):
        answer = api.post("/allocate", ASKED, headers={"Idempotency-Key": key.encode("latin-1")})

        assert refusal(answer) == (422, "bad-request"), key
        assert answer.json()["problems"][0]["where"] == "header.Idempotency-Key"


def test_a_key_whose_worker_died_is_taken_over_after_a_minute_and_the_dead_one_changes_nothing(
    catalog: Catalog,
) -> None:
    dead = take_key(catalog, KEY)
    assert isinstance(dead, datetime)
    assert take_key(catalog, KEY) == Earlier(KEY.request_hash, None, None)

    aged(catalog, 61)
    assert isinstance(take_key(catalog, replace(KEY, request_hash=b"\x02" * 32)), Earlier)
    heir = take_key(catalog, KEY)

    assert isinstance(heir, datetime)
    assert not keep_answer(catalog, KEY, dead, 200, b"late")
    assert keep_answer(catalog, KEY, heir, 200, b"mine")
    assert not keep_answer(catalog, KEY, heir, 500, b"again")
    assert take_key(catalog, KEY) == Earlier(KEY.request_hash, 200, b"mine")


def test_a_key_is_remembered_for_a_day_and_then_forgotten(catalog: Catalog) -> None:
    fence = take_key(catalog, KEY)
    assert isinstance(fence, datetime)
    keep_answer(catalog, KEY, fence, 200, b"{}")

    aged(catalog, 86_000)
    assert forget_old_keys(catalog) == 0
    assert isinstance(take_key(catalog, KEY), Earlier)
    aged(catalog, 1000)
    assert isinstance(take_key(catalog, replace(KEY, request_hash=b"\x03" * 32)), datetime)
    aged(catalog, 90_000)
    assert forget_old_keys(catalog) == 1


def test_an_answer_that_is_too_large_is_given_once_and_never_done_twice(catalog: Catalog) -> None:
    once = Once(catalog, LOCAL, "k", b"\x01" * 32)
    done = []

    def work() -> Answer:
        done.append(time.monotonic())
        return Answer(["x" * 1024] * 1100)

    assert len(bytes(once.answer(work).body)) > 1024**2
    with pytest.raises(Exception, match="too large to be kept"):
        once.answer(work)
    assert len(done) == 1


def test_work_that_fails_leaves_its_key_free(catalog: Catalog) -> None:
    once = Once(catalog, LOCAL, "k", b"\x01" * 32)

    def fails() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        once.answer(fails)

    assert once.answer(lambda: Answer({"done": True})).body == b'{"done":true}'
