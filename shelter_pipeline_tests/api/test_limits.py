"""What one caller may take: bodies, heads, time, rates; and that others do not notice."""

from __future__ import annotations

import gzip
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from shelter_pipeline.api.parameters import Body, Id, Key, Measure, Name, PageSize, Sha256, Words
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.tokens import issue_token
from shelter_pipeline.operations.api_tokens import api_pepper
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api, an_own_api
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.raw_http import connections, converse, drip_until_closed, status_of

MIB = 1024**2
# API_LONG_TESTS=1 keeps the deadlines of production, with 500 slow connections and bodies of 200 MB.
IS_LONG = os.environ.get("API_LONG_TESTS") == "1"
HURRY = {} if IS_LONG else {"api_head_seconds": 1, "api_body_seconds": 1, "api_idle_seconds": 1}
SLOW_CONNECTIONS = 500 if IS_LONG else 150

probe = APIRouter()
hanging = threading.Event()


class Sent(Body):
    name: Name = "a"
    asset_id: Key = 1
    size: Measure = 0.0


@probe.post("/probe/body")
def _body(sent: Sent) -> dict[str, str]:
    return {"name": sent.name}


@probe.get("/probe/values/{number}")
def _values(number: Id, limit: PageSize = 10, words: Words = "") -> dict[str, int]:
    return {"number": number + limit + len(words) * 0}


@probe.get("/probe/files/{sha256}")
def _file(sha256: Sha256) -> dict[str, str]:
    return {"sha256": sha256}


@probe.get("/probe/hang")
def _hang() -> dict[str, str]:
    hanging.wait(20)
    return {}


@probe.get("/probe/crash")
def _crash() -> dict[str, str]:
    raise KeyError("a secret of ours")


@probe.get("/probe/endless")
def _endless() -> StreamingResponse:
    return StreamingResponse(bytes(65536) for _ in range(10_000))


@pytest.fixture(scope="module")
def api(postgres: PostgresForTests) -> Iterator[ApiUnderTest]:
    """One for all: no test here writes anything."""
    with an_own_api(postgres, routes=(probe,), **HURRY) as running:
        yield running


@pytest.fixture(scope="module")
def patient(postgres: PostgresForTests) -> Iterator[ApiUnderTest]:
    """One with the deadlines of production: it is not the caller's haste that is looked at."""
    with an_own_api(postgres, routes=(probe,)) as running:
        yield running


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join((f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()


def test_a_body_beyond_the_limit_is_refused_in_both_framings_without_being_kept(
    patient: ApiUnderTest,
) -> None:
    before = psutil.Process().memory_info().rss
    json_type = {"Content-Type": "application/json"}
    sizes = 200 * MIB if IS_LONG else 60 * MIB
    piece = b" " * 65536

    with_length = patient.ask("POST", "/probe/body", data=_Zeros(sizes), headers=json_type)
    pieces = (piece for _ in range(sizes // 65536))
    chunked = patient.ask("POST", "/probe/body", data=pieces, headers=json_type)

    assert [with_length.status_code, chunked.status_code] == [413, 413]
    assert with_length.json()["error"] == chunked.json()["error"] == "too-large"
    assert psutil.Process().memory_info().rss - before < 50 * MIB
    assert patient.post("/probe/body", {"name": "a" * 100}).status_code == 200


class _Zeros:
    """A long body that takes no memory, of a length that is announced."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.len = size

    def __len__(self) -> int:
        return self.len

    def read(self, count: int = -1) -> bytes:
        count = min(count if count >= 0 else self._left, self._left, 65536)
        self._left -= count
        return b" " * count

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(65536):
            yield piece


def test_an_upload_may_be_longer_than_a_body(api: ApiUnderTest) -> None:
    answer = api.ask("PUT", "/uploads/1", data=bytes(3 * MIB))

    assert (answer.status_code, answer.json()["error"]) == (404, "not-found")  # and not 413


def test_what_is_no_json_or_hides_what_it_is_is_refused_with_a_reason(api: ApiUnderTest) -> None:
    json_type = {"Content-Type": "application/json"}

    def outcome(data: bytes, headers: dict[str, str]) -> tuple[int, str]:
        answer = api.ask("POST", "/probe/body", data=data, headers=headers)
        return answer.status_code, answer.json()["error"]

    assert outcome(b"[" * MIB, json_type) in ((400, "bad-request"), (422, "bad-request"))
    assert outcome(b'{"a":' * 100_000, json_type) in ((400, "bad-request"), (422, "bad-request"))
    assert outcome(b"{", json_type) == (422, "bad-request")
    assert outcome(b"\xff\xfe{}", json_type)[0] in (400, 422)
    assert outcome(gzip.compress(bytes(MIB)), json_type | {"Content-Encoding": "gzip"}) == (
        415,
        "encoded-body",
    )
    assert outcome(b"name=a", {"Content-Type": "application/x-www-form-urlencoded"}) == (415, "not-json")
    assert outcome(b"{}", {"Content-Type": "text/plain"}) == (415, "not-json")


def test_values_that_nothing_can_hold_are_named_and_refused(api: ApiUnderTest) -> None:
    for body in (
        b'{"name": "a\\u0000b"}',
        b'{"name": "\\ud800"}',
        b'{"name": null}',
        b'{"name": ["a"]}',
        b'{"name": ""}',
        b'{"asset_id": 9223372036854775808}',
        b'{"asset_id": -1}',
        b'{"asset_id": "1"}',
        b'{"asset_id": 1.5}',
        b'{"asset_id": true}',
        b'{"size": NaN}',
        b'{"size": Infinity}',
        b'{"size": 1e999}',
        b"[]",
        b"null",
        b'"\\ud800"',
    ):
        answer = api.ask("POST", "/probe/body", data=body, headers={"Content-Type": "application/json"})

        assert answer.status_code == 422, body
        assert answer.json()["problems"][0]["where"].startswith("body"), body


def test_parameters_that_nothing_can_hold_are_refused(api: ApiUnderTest) -> None:
    paths = [
        *(
            f"/probe/values/{value}"
            for value in ("0", "-1", str(2**63), "NaN", "null", "1.5", "'", "1%00", "%ff")
        ),
        *(
            f"/probe/values/1?{query}"
            for query in ("limit=0", "limit=1e3", "limit=", "words=%00", "limit=5000")
        ),
        *(f"/probe/files/{value}" for value in ("0", "A" * 64, "%00" * 64, "0" * 65)),
    ]

    statuses = {path: api.get(path).status_code for path in paths}

    # What no path can name is not there; what no query can say is not as documented.
    assert statuses == {path: 422 if "?" in path else 404 for path in paths}
    assert api.get("/probe/values/1?limit=5&limit=7&unknown=1").status_code == 200
    assert api.get("/probe/values/1/../../etc").status_code == 404


def test_heads_have_a_limit_in_number_and_size(api: ApiUnderTest) -> None:
    many = head("GET /health", *(f"X-{number}: a" for number in range(101)))
    large = head("GET /health", f"X-Large: {'a' * 70_000}")
    unfinished = b"GET /health HTTP/1.1\r\nX-Large: " + b"a" * 200_000
    target = head(f"GET /{'a' * 70_000}")

    assert [status_of(converse(api.url, data)) for data in (many, large, unfinished, target)] == [431] * 4
    assert status_of(converse(api.url, head("GET /health", "Connection: close"))) == 200


def test_what_is_no_http_or_ambiguous_is_refused_in_the_common_shape(api: ApiUnderTest) -> None:
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA\x00b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA : c\r\n\r\n",
        head("POST /probe/body", "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        head("POST /probe/body", "Content-Length: 3", "Content-Length: 4") + b"abcd",
        head("POST /probe/body", "Content-Length: -3"),
        head("POST /probe/body", "Transfer-Encoding: chunked") + b"zz\r\n",
        head("CONNECT evil.example:443"),
    ):
        answer = converse(api.url, data)

        assert status_of(answer) in (400, 404, 405), data
        assert b'{"error":' in answer, data


def test_requests_in_one_piece_are_answered_in_turn(api: ApiUnderTest) -> None:
    answer = converse(
        api.url, head("GET /probe/values/1") * 3 + head("GET /probe/values/1", "Connection: close")
    )

    assert answer.count(b"HTTP/1.1 200 OK") == 4


def test_connections_that_say_nothing_or_drip_are_closed_and_hinder_nobody(api: ApiUnderTest) -> None:
    third = SLOW_CONNECTIONS // 3
    drops = [b""] * third + [head("GET /health", "X-Slow: " + "a" * 5000)] * third + [b" " * 5000] * third
    with connections(api.url, third * 3) as opened, ThreadPoolExecutor(1) as asking:
        for one in opened[2 * third :]:
            one.sendall(head("POST /probe/body", "Content-Type: application/json", "Content-Length: 5000"))

        well = asking.submit(lambda: [api.get("/health").status_code for _ in range(20)])

        assert drip_until_closed(opened, drops) == 0
        assert set(well.result()) == {200}
    counted = api.get("/metrics").text
    assert 'shelter_api_refused_connections_total{reason="silent"}' in counted
    assert 'shelter_api_refused_connections_total{reason="too-slow"}' in counted


def test_a_caller_that_takes_nothing_of_its_answer_is_let_go(api: ApiUnderTest) -> None:
    with connections(api.url, 1) as [one]:
        one.sendall(head("GET /probe/endless"))

        for _ in range(300):
            if 'reason="slow-reader"' in api.get("/metrics").text:
                break
            time.sleep(0.1)
        else:
            pytest.fail("it was kept")


def test_where_all_places_are_taken_the_longest_waiting_loses_its_own(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with (
        an_api(catalog_url, tmp_path / "store", api_max_connections=20) as small,
        connections(small.url, 60),
    ):
        assert small.get("/health").status_code == 200


def test_one_caller_that_asks_too_much_is_told_when_to_come_again_and_others_are_answered(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    changes = {"api_reads_per_second": 2, "api_burst": 50}
    with an_api(catalog_url, tmp_path / "store", routes=(probe,), **changes) as api:
        _ask_too_much(api)


def _ask_too_much(api: ApiUnderTest) -> None:
    tokens = [
        issue_token(
            api.workplace.catalog,
            scopes=["operator"],
            label="a caller",
            pepper=api_pepper(api.workplace.settings),
        )
        for _ in range(2)
    ]
    greedy, polite = ({"Authorization": f"Bearer {token}"} for token in tokens)
    assert api.get("/probe/values/1", headers=polite).status_code == 200
    refused: list[requests.Response] = []

    def ask_much(count: int) -> Counter[int]:
        with requests.Session() as session:
            answers = [session.get(f"{api.url}/probe/values/1", headers=greedy) for _ in range(count)]
        refused.extend(answer for answer in answers if answer.status_code == 429)
        return Counter(answer.status_code for answer in answers)

    with ThreadPoolExecutor(5) as threads:
        asked = [threads.submit(ask_much, 60) for _ in range(4)]
        others = [api.get("/probe/values/1", headers=polite).status_code for _ in range(20)]
        total = sum((one.result() for one in asked), Counter())

    assert set(total) == {200, 429}
    assert others == [200] * 20
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert refused[0].json()["error"] == "too-many-requests"
    assert refused[0].headers["RateLimit"].startswith('"reads";r=0;t=')


def test_a_route_that_hangs_is_a_503_and_takes_the_places_of_its_caller_alone(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    hanging.clear()
    changes = {"api_answer_seconds": 1, "api_requests_at_once": 2}
    with an_api(catalog_url, tmp_path / "store", routes=(probe,), **changes) as api:
        token = issue_token(
            api.workplace.catalog, scopes=["operator"], label="b", pepper=api_pepper(api.workplace.settings)
        )
        other = {"Authorization": f"Bearer {token}"}
        assert api.get("/probe/values/1", headers=other).status_code == 200
        try:
            with ThreadPoolExecutor(4) as threads:
                answers = list(threads.map(lambda _: api.get("/probe/hang"), range(4)))
            assert {answer.status_code for answer in answers} <= {429, 503}
            assert 503 in {answer.status_code for answer in answers}
            assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
            assert api.get("/probe/values/1").status_code == 429
            assert api.get("/probe/values/1", headers=other).status_code == 200
        finally:
            hanging.set()


def test_a_fault_of_ours_says_nothing_and_is_logged(
    api: ApiUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    answer = api.get("/probe/crash")

    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "a secret of ours" in caplog.text
