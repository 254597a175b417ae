"""The whole OpenAPI document, asked for by schemathesis as nobody in their senses would: no error of ours, no surprise.

In the suite each operation is asked for its borders and a few examples; `make api-contract`
asks for two hundred (`API_CONTRACT_EXAMPLES`) as everybody who may ask.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import pytest
import requests
from fastapi import APIRouter, Query, Response

from shelter_pipeline.api.contract import operations
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.nodes import know_node
from shelter_pipeline.catalog.tokens import issue_token
from shelter_pipeline.operations.api_tokens import api_pepper
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api, an_own_api
from shelter_pipeline_tests.support.postgres import PostgresForTests

EXAMPLES = int(os.environ.get("API_CONTRACT_EXAMPLES", "0"))
# Who asks, and in which phases a quick run has them ask.
ASKING = {"anonymous": "coverage", "operator": "examples,fuzzing", "node": "examples,fuzzing"}
QUICK_EXAMPLES = 2
# Nobody is in a hurry here: what is under test is what is said, not how often it may be asked.
UNHURRIED = {
    "api_reads_per_second": 100_000,
    "api_writes_per_second": 100_000,
    "api_burst": 1_000_000,
    "api_requests_at_once": 64,
}
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


MUST_NOT_BE = re.compile(r"5[0-9][0-9]")

broken = APIRouter()


@broken.get("/planted/crash")
def _crash() -> dict[str, str]:
    raise KeyError("a fault of ours")


@broken.get("/planted/status")
def _undocumented(response: Response) -> dict[str, str]:
    response.status_code = 202
    return {}


@broken.get("/planted/open")
def _accepts_anything(number: Annotated[Any, Query(json_schema_extra={"type": "integer"})]) -> dict[str, str]:
    return {"number": str(number)}


@pytest.fixture
def asked(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """An API of a test's own, whose catalog must be in order when everything was asked."""
    with an_api(catalog_url, tmp_path / "store", api_writes="token", **UNHURRIED) as running:
        yield running


@pytest.fixture(scope="module")
def api(postgres: PostgresForTests) -> Iterator[ApiUnderTest]:
    """One for all tests that only read."""
    with an_own_api(postgres, api_writes="token", **UNHURRIED) as running:
        yield running


def authorization(api: ApiUnderTest, who: str) -> list[str]:
    """The option of schemathesis that makes it ask as somebody."""
    if who == "anonymous":
        return []
    catalog = api.workplace.catalog
    token = issue_token(
        catalog,
        scopes=[who],
        node_id=know_node(catalog, "node-123").id if who == "node" else None,
        label="contract",
        pepper=api_pepper(api.workplace.settings),
    )
    return ["--header", f"Authorization:Bearer {token}"]


def ask_everything(api: ApiUnderTest, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """All checks of schemathesis as they come: what they count as a refusal, and what as an error, is theirs to say."""
    command = [
        *(str(SCHEMATHESIS), "run", f"{api.url}/openapi.json"),
        *("--checks", "all", "--continue-on-failure", "--seed", "1", "--suppress-health-check", "all"),
        *options,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("who", ASKING)
def test_no_operation_answers_otherwise_than_its_contract_says(
    asked: ApiUnderTest, tmp_path: Path, who: str
) -> None:
    phases = "examples,coverage,fuzzing,stateful" if EXAMPLES else ASKING[who]
    examples = str(EXAMPLES or QUICK_EXAMPLES)

    ran = ask_everything(
        asked, tmp_path, "--phases", phases, "--max-examples", examples, *authorization(asked, who)
    )

    told = "\n".join(line[:400] for line in ran.stdout.splitlines())  # some of what was sent is a megabyte
    assert ran.returncode == 0, told[-20_000:] + ran.stderr[-2000:]
    # The checks let some 5xx pass for a refusal; ours is never one.
    answered = re.findall(r'status="([0-9]+)"', asked.get("/metrics").text)
    assert not [status for status in answered if MUST_NOT_BE.fullmatch(status)]


def test_a_planted_fault_an_undocumented_status_and_a_lie_about_types_are_found(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with an_api(catalog_url, tmp_path / "store", routes=(broken,), **UNHURRIED) as planted:
        ran = ask_everything(
            planted, tmp_path, "--include-path-regex", "^/planted/", "--phases", "examples,coverage"
        )

    assert ran.returncode == 1, ran.stderr
    assert "Server error" in ran.stdout
    assert "Undocumented status code" in ran.stdout
    assert "Schema-violating request accepted" in ran.stdout


HOSTILE = (
    *("' OR 1=1 --", "1; DROP TABLE asset", "-1", str(2**63), "NaN", "null", "1e999", "[]", "{}"),
    *("\u202e\x1b[31m", "%", "../..", "a\x00b", "x" * 5000),
)


def test_no_parameter_of_any_read_brings_an_error_of_ours(api: ApiUnderTest) -> None:
    document = api.get("/openapi.json").json()
    with requests.Session() as session:

        def status(path: str, query: str = "") -> int:
            return session.get(api.url + path + query, timeout=20, allow_redirects=False).status_code

        for path, method, operation in operations(document):
            if method != "get":
                continue
            for number, parameter in enumerate(operation.get("parameters", ())):
                # Each value somewhere, and every parameter several: all with all are the fuzzer's.
                for value in HOSTILE[number % 3 :: 3]:
                    said = quote(value, safe="")
                    if parameter["in"] == "path":
                        found = status(re.sub(r"\{[^}]*\}", said, path))
                    else:
                        one = f"{parameter['name']}={said}"
                        found = status(re.sub(r"\{[^}]*\}", "1", path), f"?{one}&{one}")
                    assert found < 500, (path, parameter["name"], value)


def test_every_operation_says_what_it_may_answer_in_the_common_shape(api: ApiUnderTest) -> None:
    document = api.get("/openapi.json").json()

    for path, method, operation in operations(document):
        assert {"400", "401", "429", "503"} <= operation["responses"].keys(), (method, path)
        failures = [one for status, one in operation["responses"].items() if int(status) >= 400]
        references = {
            (schema.get("anyOf") or [schema])[0]["$ref"]  # CKAN says some things as a mere text
            for one in failures
            if "content" in one
            for schema in [one["content"]["application/json"]["schema"]]
        }
        shape = "CkanFailure" if path.startswith("/api/3/") else "Failure"
        assert references == {f"#/components/schemas/{shape}"}, (method, path)
        assert operation.get("summary"), (method, path)
        if method not in ("get", "head") and not path.startswith("/api/3/") and path != "/nodes":
            assert operation["security"] == [{"token": []}], (method, path)


def test_methods_that_a_path_does_not_know_are_refused_with_those_it_does(api: ApiUnderTest) -> None:
    answer = api.ask("DELETE", "/health")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert api.ask("HEAD", "/health").status_code == 200
    assert api.ask("HEAD", "/health").text == ""
    assert api.get("/health/").status_code == 404
    assert api.get("/nothing").json()["error"] == "not-found"
    # Whatever else is wrong with it, its size, form or token.
    for path, body in (("/uploads/1", b"x"), ("/allocate", b"x"), ("/api/3/action/site_read", b"x")):
        odd = api.ask("TRACE", path, data=body, headers={"Authorization": "Bearer nothing"})
        assert odd.status_code == 405, path
        assert "TRACE" not in odd.headers["Allow"]


def test_at_the_paths_of_ckan_every_refusal_is_in_the_shape_that_its_clients_read(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    changes = {"api_writes": "token", "api_reads_per_second": 1, "api_burst": 5}
    path, form = "/api/3/action/site_read", {"Content-Type": "application/json"}
    with an_api(catalog_url, tmp_path / "store", **changes) as api:
        bad_token = api.get(path, headers={"Authorization": "Bearer shelter_operator_0_x"})
        answers = {
            401: bad_token,
            404: api.get("/api/3/nothing"),
            405: api.ask("DELETE", path),
            413: api.ask("POST", path, data=b" " * 2 * 1024**2, headers=form),
            415: api.ask("POST", path, data=b"x", headers=form | {"Content-Encoding": "gzip"}),
        }
        for _ in range(20):
            answers[429] = api.get(path)

    for status, answer in answers.items():
        body = answer.json()
        assert (answer.status_code, body["success"]) == (status, False)
        assert body["help"].startswith(api.url)
        assert body["error"]["__type"].endswith("Error")
        assert body["error"]["message"]
    assert answers[401].json()["error"]["__type"] == "Authorization Error"
    assert answers[429].headers["Retry-After"]


def test_every_answer_carries_what_keeps_browsers_safe(api: ApiUnderTest) -> None:
    document = api.get("/openapi.json").json()
    undocumented = [("/docs", "get", {}), ("/openapi.json", "get", {}), ("/nothing", "get", {})]
    for path, method, _ in [*operations(document), *undocumented]:
        answer = api.ask(
            method.upper(), re.sub(r"\{[^}]*\}", "1", path), headers={"Origin": "https://example.org"}
        )

        headers = answer.headers
        assert answer.status_code < 500, (method, path)
        assert headers["X-Content-Type-Options"] == "nosniff", (method, path)
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers.get("Access-Control-Allow-Origin") == ("*" if method in ("get", "head") else None), (
            path
        )
        assert "Access-Control-Allow-Credentials" not in headers
        if answer.status_code >= 400 or method not in ("get", "head"):
            assert headers["Cache-Control"] == "no-store", (method, path)


def test_the_documentation_needs_nothing_from_elsewhere_and_shows_every_operation(api: ApiUnderTest) -> None:
    page = api.get("/docs")

    paths = api.get("/openapi.json").json()["paths"]
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert "https://" not in page.text
    assert all(f"<code>{path}</code>" in page.text for path in paths)


def test_what_everybody_may_read_pages_elsewhere_may_read_and_nothing_more(api: ApiUnderTest) -> None:
    read = api.get("/health", headers={"Origin": "https://example.org"})
    write = api.post("/allocate", {}, headers={"Origin": "https://example.org"})

    assert read.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in write.headers
    assert write.headers["Cache-Control"] == "no-store"
    assert read.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in read.headers["Content-Security-Policy"]
