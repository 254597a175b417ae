"""`shelter fetch`, without its command line: one URL into a store that remembers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from shelter_pipeline.operations.fetch_url import fetch_url
from shelter_pipeline.operations.scrub_store import scrub_store
from shelter_pipeline.settings import Settings
from shelter_pipeline_tests.support.fault_server import FaultServer, field, head, whole

BODY = b"year,catch\n2025,17\n"


@pytest.fixture
def settings() -> Settings:
    return Settings(allowed_networks="127.0.0.0/8", fetch_retry_delay_seconds=0.01)  # type: ignore[arg-type]


def test_a_fetch_says_what_the_contract_says(server: FaultServer, settings: Settings, tmp_path: Path) -> None:
    url = server.serves("/file.csv", *whole(BODY))

    said = fetch_url(url, settings=settings, store=str(tmp_path))

    assert said == {
        "verdict": "stored",
        "reason": "stored",
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "size": len(BODY),
        "requests": 1,
        "flags": [],
        "final_url": url,
    }
    assert scrub_store(str(tmp_path), settings)["ok"] == 1


def test_the_second_fetch_only_asks_whether_it_changed(
    server: FaultServer, settings: Settings, tmp_path: Path
) -> None:
    url = server.serves_in_turn("/file.csv", whole(BODY, 'ETag: "a"'), (head(status="304 Not Modified"),))
    fetch_url(url, settings=settings, store=str(tmp_path))

    said = fetch_url(url, settings=settings, store=str(tmp_path))

    assert (said["verdict"], said["sha256"]) == ("unchanged", hashlib.sha256(BODY).hexdigest())
    assert field(server.heads("/file.csv")[1], "If-None-Match") == '"a"'


def test_a_length_nobody_vouched_for_is_verified_by_the_second_fetch(
    server: FaultServer, settings: Settings, tmp_path: Path
) -> None:
    url = server.serves("/file.csv", head('ETag: "a"'), BODY)
    first = fetch_url(url, settings=settings, store=str(tmp_path))

    second = fetch_url(url, settings=settings, store=str(tmp_path))

    assert (first["flags"], second["verdict"]) == (["length-unverified"], "unchanged")
    assert field(server.heads("/file.csv")[1], "If-None-Match") is None


def test_a_blob_that_was_lost_is_fetched_again(
    server: FaultServer, settings: Settings, tmp_path: Path
) -> None:
    url = server.serves("/file.csv", *whole(BODY, 'ETag: "a"'))
    fetch_url(url, settings=settings, store=str(tmp_path))
    blob = next(path for path in (tmp_path / "blobs").rglob("*") if path.is_file())
    blob.chmod(0o644)
    blob.write_bytes(b"rot")
    found = scrub_store(str(tmp_path), settings)

    said = fetch_url(url, settings=settings, store=str(tmp_path))

    assert (found["damaged"], said["verdict"]) == (1, "stored")
    assert scrub_store(str(tmp_path), settings)["ok"] == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://10.0.0.1/", "private-address"),
        ("nonsense", "bad-url"),
        ("http://127.0.0.1:25/", "port-not-allowed"),
    ],
)
def test_a_refusal_is_an_outcome_too(settings: Settings, tmp_path: Path, url: str, reason: str) -> None:
    said = fetch_url(url, settings=settings, store=str(tmp_path))

    assert (said["verdict"], said["reason"], said["sha256"]) == ("refused", reason, None)
    assert scrub_store(str(tmp_path), settings)["ok"] == 0
