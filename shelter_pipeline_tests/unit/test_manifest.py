"""Manifests say what they were told, each kind of line apart, and records are read again as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import DamagedError
from shelter_pipeline.domain.records import canonical_json
from shelter_pipeline.portals.kept_records import read_kept_record
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.manifest import parse_manifest, read_manifests, write_manifest
from shelter_pipeline_tests.support.ckan_index import package
from shelter_pipeline_tests.support.dcat_documents import dataset

CAPTURE = {"url": "http://h/", "verdict": "stored", "sha256": "0" * 64, "size": 1}
ASSET = {"line": "asset", "url": "http://h/", "state": "held"}
DATASET = {
    "line": "dataset",
    "portal": {"kind": "ckan", "url": "http://h"},
    "identifier": "1",
    "record": "f" * 64,
}
BATCH = {"line": "batch", "number": 1}
LATER = {"line": "of a later version"}


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def test_each_kind_of_line_comes_back_apart_and_unknown_kinds_are_passed_over(store: LocalStore) -> None:
    write_manifest(store, "b", [BATCH, DATASET, ASSET, LATER, CAPTURE])

    (manifest,) = read_manifests(store)

    mark = {"batch": "b"}
    assert (manifest.batch_key, manifest.batch) == ("b", BATCH | mark)
    assert manifest.datasets == (DATASET | mark,)
    assert manifest.assets == (ASSET | mark,)
    assert manifest.entries == (CAPTURE | mark,)
    assert list(manifest.held()) == ["0" * 64]


def test_the_same_lines_give_the_same_manifest(store: LocalStore) -> None:
    names = {write_manifest(store, "b", [DATASET, CAPTURE], year=2026) for _ in range(2)}

    assert len(names) == 1


@pytest.mark.parametrize(("line", "lacking"), [(CAPTURE, "sha256"), (ASSET, "state"), (DATASET, "record")])
def test_a_line_that_lacks_what_its_kind_needs_is_not_written(
    line: dict[str, Any], lacking: str, store: LocalStore
) -> None:
    with pytest.raises(ValueError, match=lacking):
        write_manifest(store, "b", [{name: value for name, value in line.items() if name != lacking}])


@pytest.mark.parametrize(
    "name", ["manifests/2026/notes", "manifests/2026/b.jsonl", "manifests/2026/b.0.jsonl"]
)
def test_a_file_that_does_not_name_its_own_digest_is_no_manifest(name: str) -> None:
    with pytest.raises(DamagedError, match="not the one that was written"):
        parse_manifest(name, b"{}")


def test_a_kept_record_is_read_again_with_the_hash_it_had() -> None:
    ckan = read_kept_record("ckan", canonical_json(package(1)))
    service = read_kept_record("dcat_us", canonical_json(dataset("A-1")), kind="service", collection="C-1")

    assert (ckan.identifier, ckan.resources[0].url) == ("00000001-0000", "https://example.org/a.csv")
    assert read_kept_record("ckan", ckan.raw) == ckan
    assert (service.kind, service.collection, service.organization.slug) == (
        "service",
        "C-1",
        "office-of-things",
    )


@pytest.mark.parametrize(
    ("kind", "raw", "problem"),
    [
        ("ckan", b"{", "cannot be read"),
        ("datagov", json.dumps({"slug": "a"}).encode(), "title"),
        ("dcat_us", b"[]", "object"),
        ("gopher", b"{}", "not a kind of portal"),
    ],
)
def test_a_kept_record_that_cannot_be_used_says_why(kind: str, raw: bytes, problem: str) -> None:
    with pytest.raises(DamagedError, match=problem):
        read_kept_record(kind, raw)
