"""The whole OpenAPI document, asked for by schemathesis as nobody in their senses would: no error of ours, no surprise.

In the suite each operation is asked for its borders and a few examples; `make api-contract`
asks for two hundred (`API_CONTRACT_EXAMPLES`) as everybody who may ask.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shelter_pipeline.api.contract import operations
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.nodes import know_node
from shelter_pipeline.catalog.tokens import issue_token
from shelter_pipeline.operations.api_tokens import api_pepper
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api

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
# A node that is too old is told so before it is told what else is wrong, or right.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 426, 429, "5xx"]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 426, 428, 429, "5xx"]
"""
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


@pytest.fixture
def api(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    with an_api(catalog_url, tmp_path / "store", api_writes="token", **UNHURRIED) as running:
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


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("who", ASKING)
def test_no_operation_answers_otherwise_than_its_contract_says(
    api: ApiUnderTest, tmp_path: Path, who: str
) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    phases = "examples,coverage,fuzzing,stateful" if EXAMPLES else ASKING[who]
    command = [
        str(SCHEMATHESIS),
        "run",
        f"{api.url}/openapi.json",
        *("--checks", "all", "--phases", phases, "--continue-on-failure", "--seed", "1"),
        *("--max-examples", str(EXAMPLES or QUICK_EXAMPLES), "--suppress-health-check", "all"),
        *authorization(api, who),
    ]

    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2000:]


def test_every_operation_says_what_it_may_answer_in_the_common_shape(api: ApiUnderTest) -> None:
    document = api.get("/openapi.json").json()

    for path, method, operation in operations(document):
        assert {"400", "401", "429", "503"} <= operation["responses"].keys(), (method, path)
        failures = [one for status, one in operation["responses"].items() if int(status) >= 400]
        references = {
            one["content"]["application/json"]["schema"].get("$ref", "")
            for one in failures
            if "content" in one
        }
        assert references == {"#/components/schemas/Failure"}, (method, path)
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
