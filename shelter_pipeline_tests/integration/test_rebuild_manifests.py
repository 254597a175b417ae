"""A store with manifests of any version, or none: what they say is followed, and nothing else is made up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.fetch_url import fetch_url
from shelter_pipeline.operations.open_store import find_store
from shelter_pipeline.operations.rebuild_catalog import rebuild_catalog
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import load_settings
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.manifest import write_manifest
from shelter_pipeline_tests.support.fault_server import FaultServer, whole
from shelter_pipeline_tests.support.rebuilding import NEW, rows
from shelter_pipeline_tests.support.workplaces import a_workplace

URL = "https://data.example/a.csv"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def workplace(catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    """An empty catalog, and a store that is not the one that it is rebuilt from."""
    with a_workplace(catalog_url, tmp_path / "other") as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def add(store: LocalStore, body: bytes) -> str:
    with store.receive() as partial:
        partial.write(body)
        return store.publish(partial).sha256


def entry(
    reason: str, sha256: str | None = None, *, hours: float = 0, url: str = URL, **more: Any
) -> dict[str, Any]:
    """A capture as the first version of manifests tells it."""
    at = (NOON + timedelta(hours=hours)).isoformat()
    verdict = {"stored": "stored", "unchanged": "unchanged", "not-found": "permanent"}.get(
        reason, "transient"
    )
    return {
        "url": url,
        "kind": "csv",
        "verdict": verdict,
        "reason": reason,
        "final_url": url,
        "status": 200,
        "flags": [],
        "sha256": sha256,
        "size": 5 if sha256 else None,
        "started_at": at,
        "finished_at": at,
        "late": False,
        "token": 1,
        "heads": {"request": [], "response": [["ETag", '"v1"']], "hops": []},
        "datasets": [{"portal": "https://portal.example", "organization": "epa", "identifier": "1"}],
        "dataset_count": 1,
    } | more


def asset(workplace: Workplace) -> tuple[Any, ...]:
    (found,) = rows(
        workplace, "SELECT state, reason, sha256, size, etag, attempts, next_attempt_at FROM asset"
    )
    return found


def test_an_old_manifest_brings_back_files_captures_and_copies(
    store: LocalStore, workplace: Workplace
) -> None:
    sha256 = add(store, b"hello")
    write_manifest(store, "epa.x.1", [entry("server-error", hours=1), entry("stored", sha256, hours=2)])

    report = rebuild_catalog(workplace, store)

    assert [report[name] for name in NEW] == [2, 1, 1, 1, 0, 0]
    assert (report["missing"], report["problems"], report["unlisted_blobs"]) == ([], [], 0)
    month = NOON + timedelta(hours=2, days=30)
    assert asset(workplace) == ("held", "stored", sha256, 5, '"v1"', 0, month)


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        (["server-error"], ("pending", 1, NOON + timedelta(minutes=1))),
        (["server-error", "server-error"], ("pending", 2, NOON + timedelta(hours=1, minutes=2))),
        (["not-found"], ("failed", 0, NOON + timedelta(days=30))),
        (["server-error"] * 8, ("failed", 0, NOON + timedelta(hours=7, days=3))),
    ],
)
def test_the_state_of_a_file_follows_from_its_captures_one_by_one(
    entries: list[str], state: tuple[str, int, datetime], store: LocalStore, workplace: Workplace
) -> None:
    write_manifest(store, "b", [entry(reason, hours=hours) for hours, reason in enumerate(entries)])

    rebuild_catalog(workplace, store)

    found = asset(workplace)
    assert (found[0], found[5], found[6]) == state
    assert found[1] == entries[-1]


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_file_holds_its_newest_bytes_in_whatever_order_manifests_are_read(
    newest_first: bool, store: LocalStore, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shelter_pipeline.operations.rebuild_catalog.LINES_AT_ONCE", 1)
    captures = [
        entry("stored", add(store, b"first"), hours=0),
        entry("stored", newest := add(store, b"newer"), hours=1),
        entry("not-found", hours=2),
    ]
    ordered = captures[::-1] if newest_first else captures
    for place, one in enumerate(ordered):
        write_manifest(store, f"batch-{place}", [one])

    report = rebuild_catalog(workplace, store)

    assert report["captures"] == 3
    assert asset(workplace)[:3] == ("held", "not-found", newest)


def test_a_blob_that_no_manifest_names_is_known_and_counted(store: LocalStore, workplace: Workplace) -> None:
    sha256 = add(store, b"from nowhere")

    report = rebuild_catalog(workplace, store)

    assert (report["blobs"], report["copies"], report["unlisted_blobs"], report["missing_blobs"]) == (
        1,
        1,
        1,
        0,
    )
    assert rows(
        workplace, "SELECT sha256, size, verified_at = to_timestamp(0) FROM blob JOIN copy USING (sha256)"
    ) == [(sha256, 12, True)]


def test_a_line_that_cannot_be_used_is_named_and_costs_no_other(
    store: LocalStore, workplace: Workplace
) -> None:
    odd = [
        entry("stored", add(store, b"hello")),
        entry("server-error", url="https://"),
        entry("server-error", hours=1) | {"verdict": "splendid"},
        entry("server-error", hours=2) | {"started_at": "yesterday"},
        {"line": "of a later version"},
    ]
    name = write_manifest(store, "b", odd)

    report = rebuild_catalog(workplace, store)

    assert report["captures"] == 1
    assert [problem["where"] for problem in report["problems"]] == [name] * 3


def test_a_folder_that_holds_no_store_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds no store"):
        find_store(str(tmp_path / "typing-error"), load_settings())

    assert not (tmp_path / "typing-error").exists()


def test_text_that_no_catalog_can_keep_is_marked_and_costs_nothing(
    store: LocalStore, workplace: Workplace
) -> None:
    odd = {"detail": "a\0b", "heads": {"request": [], "response": [["X", "\ud800\0"]], "hops": []}}
    write_manifest(store, "b", [entry("server-error") | odd])

    report = rebuild_catalog(workplace, store)

    assert (report["captures"], report["problems"]) == (1, [])
    assert rows(workplace, "SELECT detail, heads #>> '{response,0,1}' FROM capture") == [
        ("a\ufffdb", "?\ufffd")
    ]


def test_what_single_fetches_left_comes_back(store: LocalStore, workplace: Workplace) -> None:
    with FaultServer() as server:
        url = server.serves("/a.csv", *whole(b"a,b\n1,2\n", 'ETag: "v7"', "Content-Type: text/csv"))
        for _ in range(2):
            fetched = fetch_url(url, settings=workplace.settings, store=str(store.root))

    report = rebuild_catalog(workplace, store)

    assert (report["captures"], report["assets"], report["copies"], report["problems"]) == (2, 1, 1, [])
    assert asset(workplace)[:5] == ("held", fetched["reason"], fetched["sha256"], 8, '"v7"')
    (heads,) = rows(workplace, "SELECT heads -> 'response' FROM capture ORDER BY id LIMIT 1")
    assert ["ETag", '"v7"'] in heads[0]
