"""A scrub finds every kind of rot, moves it aside, and deletes nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import DamagedError, SetupError
from shelter_pipeline.operations.scrub_store import scrub_store
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.manifest import read_manifests, write_manifest

BODIES = [f"body {number}".encode() * 99 for number in range(6)]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    write_manifest(store, "batch", [entry(add(store, body), body) for body in BODIES], year=2026)
    return store


def add(store: LocalStore, body: bytes) -> str:
    with store.receive() as partial:
        partial.write(body)
        return store.publish(partial).sha256


def entry(sha256: str, body: bytes, verdict: str = "stored") -> dict[str, object]:
    return {"url": "http://h/", "verdict": verdict, "sha256": sha256, "size": len(body)}


def path_of(store: LocalStore, body: bytes) -> Path:
    digest = hashlib.sha256(body).hexdigest()
    path = store.root / "blobs" / "sha256" / digest[:2] / digest[2:4] / digest
    path.chmod(0o644)
    return path


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[17] ^= 4
    path.write_bytes(data)


def become(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


def test_a_whole_store_is_ok(store: LocalStore) -> None:
    report = scrub_store(str(store.root), Settings())

    assert (report["ok"], report["damaged"], report["missing"], report["extra"]) == (6, 0, 0, 0)
    assert report["bytes_read"] == sum(map(len, BODIES))


@pytest.mark.parametrize(
    "rot",
    [
        flip_a_bit,
        lambda path: path.write_bytes(BODIES[0][:-1]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(BODIES[1]),
        become(lambda path: path.symlink_to("/dev/zero")),
        become(os.mkfifo),
        become(Path.mkdir),
    ],
    ids=["a bit", "a cut", "nothing left", "another's bytes", "a link", "a pipe", "a folder"],
)
def test_what_is_not_the_blob_is_moved_aside(store: LocalStore, rot: Callable[[Path], None]) -> None:
    path = path_of(store, BODIES[0])
    rot(path)

    report = scrub_store(str(store.root), Settings())

    assert (report["ok"], report["damaged"], report["missing"], report["extra"]) == (5, 1, 0, 0)
    assert report["damaged_files"] == [path.relative_to(store.root).as_posix()]
    assert os.path.lexists(store.root / report["quarantined"][0])
    assert not os.path.lexists(path)


def test_a_blob_that_vanished_is_missing(store: LocalStore) -> None:
    path_of(store, BODIES[0]).unlink()

    report = scrub_store(str(store.root), Settings())

    assert (report["ok"], report["damaged"], report["missing"]) == (5, 0, 1)
    assert report["missing_files"] == [hashlib.sha256(BODIES[0]).hexdigest()]


def test_things_that_are_no_blobs_are_listed_and_left(store: LocalStore) -> None:
    blob = path_of(store, BODIES[0])
    extras = [blob.parent / "notes.txt", store.root / "blobs" / blob.name, store.root / "thesis.doc"]
    for extra in extras:
        extra.write_bytes(BODIES[0])

    report = scrub_store(str(store.root), Settings())

    assert sorted(report["extra_files"]) == sorted(path.relative_to(store.root).as_posix() for path in extras)
    assert (report["ok"], report["damaged"]) == (6, 0)
    assert all(extra.exists() for extra in extras)


def test_a_blob_of_no_manifest_yet_is_ok_and_said_to_be_unlisted(store: LocalStore) -> None:
    add(store, b"just arrived")

    report = scrub_store(str(store.root), Settings())

    assert (report["ok"], report["unlisted"], report["extra"]) == (7, 1, 0)


def test_a_manifest_that_rotted_is_damaged(store: LocalStore) -> None:
    manifest = next((store.root / "manifests").rglob("*.jsonl"))
    manifest.chmod(0o644)
    flip_a_bit(manifest)

    report = scrub_store(str(store.root), Settings())

    assert report["damaged_files"] == [manifest.relative_to(store.root).as_posix()]
    assert manifest.exists()
    with pytest.raises(DamagedError, match="is not the one that was written"):
        list(read_manifests(store))


def test_a_folder_without_a_store_is_not_proved_to_be_fine(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds no store"):
        scrub_store(str(tmp_path), Settings())


def test_a_manifest_says_again_what_was_written(store: LocalStore) -> None:
    entries = [entry("ab" * 32, b"1"), entry("cd" * 32, b"2", verdict="suspect")]

    name = write_manifest(store, "org.host.1/run", entries, year=2026)
    again = write_manifest(store, "org.host.1/run", entries, year=2026)

    (manifest,) = read_manifests(store, "org.host.1/run")
    assert again == name == manifest.name
    assert [dict(line, batch=None) for line in manifest.entries] == [
        dict(line, batch=None) for line in entries
    ]
    assert list(manifest.held()) == ["ab" * 32]


def test_an_entry_without_its_facts_is_refused(store: LocalStore) -> None:
    with pytest.raises(ValueError, match="no verdict, sha256, size"):
        write_manifest(store, "batch", [{"url": "http://h/"}])
