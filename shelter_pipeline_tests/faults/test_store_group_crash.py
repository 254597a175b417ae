"""Files that are published together survive their writer too: killed at any moment, each is whole or absent."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
from pathlib import Path

import pytest

from shelter_pipeline_tests.support.seaweedfs import SeaweedFS
from shelter_pipeline_tests.support.stores import BucketUnderTest, FolderUnderTest, StoreUnderTest

WRITER = """
import os, random
print("ready", flush=True)
while True:
    partials = [store.partial(f"key-{number}") for number in range(30)]
    for partial in partials:
        partial.write(os.urandom(random.choice([100, 20_000, 300_000])))
        partial.keep({})
    outcomes = store.publish_all(partials)
    print(*(outcome.sha256 for outcome in outcomes), flush=True)
    for partial in partials:
        partial.discard()
"""


def survives(place: StoreUnderTest, *, kills: int, longest_seconds: float) -> None:
    told: set[str] = set()
    for number in range(kills):
        with subprocess.Popen(place.command(WRITER), stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            if number == 0:  # one of them is to have published something
                told.update(writer.stdout.readline().split())
            try:
                writer.wait(timeout=random.uniform(0.01, longest_seconds))
            except subprocess.TimeoutExpired:
                writer.send_signal(signal.SIGKILL)
            *lines, _torn = writer.stdout.read().split("\n")
            told.update(digest for line in lines for digest in line.split())

    place.store.sweep_partials(0)

    digests = {
        location.rpartition("/")[2]: hashlib.sha256(place.read(location)).hexdigest()
        for location in place.locations()
        if location.startswith("blobs/")
    }
    assert digests
    assert all(name == digest for name, digest in digests.items())
    assert told <= digests.keys()
    assert place.waiting() == []


def test_a_folder_is_whole_after_any_kill(tmp_path: Path) -> None:
    survives(FolderUnderTest(tmp_path / "store"), kills=8, longest_seconds=0.4)


@pytest.mark.usefixtures("s3_credentials")
def test_a_bucket_is_whole_after_any_kill(seaweedfs: SeaweedFS, s3_place: str, tmp_path: Path) -> None:
    place = BucketUnderTest(s3_place, seaweedfs.endpoint, tmp_path / "scratch", seaweedfs.client())

    survives(place, kills=5, longest_seconds=0.8)
