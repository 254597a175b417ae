"""Row G10 of the fault list at its scale: of 10,000 blobs, every damaged one is found and no whole one is accused."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline.vault.manifest import write_manifest
from shelter_pipeline_tests.support.shelter_process import shelter

BLOBS = 10_000


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 10,000 blobs that a manifest lists. Only its making is spared the disk's time."""
    root = tmp_path_factory.mktemp("scrub") / "store"
    store = LocalStore(root)
    entries = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        for number in range(BLOBS):
            with store.receive() as partial:
                partial.write(random.Random(number).randbytes(100 + number % 400))
                blob = store.publish(partial)
            entries.append(
                {"url": f"http://h/{number}", "verdict": "stored", "sha256": blob.sha256, "size": blob.size}
            )
        write_manifest(store, "batch", entries, year=2026)
    return root


@pytest.mark.timeout(120)
def test_ninety_five_of_ninety_five_corruptions_are_found_and_nothing_else(untouched: Path) -> None:
    store, dice = LocalStore(untouched), random.Random(95)
    blobs = list(store.blobs())
    dice.shuffle(blobs)
    places = [untouched / blob.location for blob in blobs]
    flipped, cut, gone, swapped, others = (
        places[:50],
        places[50:70],
        places[70:80],
        places[80:85],
        places[85:88],
    )
    for path in (*flipped, *cut, *swapped):
        path.chmod(0o644)
    for path in flipped:
        data = bytearray(path.read_bytes())
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
    for path in cut:
        os.truncate(path, dice.randrange(path.stat().st_size))
    for path in gone:
        path.unlink()
    for path, whole in zip(swapped, places[90:95], strict=True):
        path.write_bytes(whole.read_bytes())
    for path, make in zip(
        others, (os.mkfifo, Path.mkdir, lambda path: path.symlink_to(places[99])), strict=True
    ):
        path.unlink()
        make(path)
    extra = [path.with_name(name) for path in places[100:105] for name in ("notes.txt", f"{path.name}.bak")]
    for path in extra:
        path.write_bytes(b"extra")
    damaged = {*flipped, *cut, *swapped, *others}

    first = shelter("scrub", "--store", str(untouched), "--json")
    second = shelter("scrub", "--store", str(untouched), "--json")

    found = first.said
    assert {untouched / name for name in found["damaged_files"]} == damaged
    assert set(found["missing_files"]) == {path.name for path in gone}
    assert {untouched / name for name in found["extra_files"]} == set(extra)
    assert found["ok"] == BLOBS - len(damaged) - len(gone)
    assert len(found["quarantined"]) == len(damaged)
    assert all(os.path.lexists(untouched / name) for name in found["quarantined"])
    assert second.said["damaged"] == 0
    assert second.said["missing"] == len(gone) + len(damaged)
    assert (first.code, second.code) == (1, 1)
