"""A scrub finds every kind of rot in a folder and in a bucket, moves it aside, and loses nothing."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.operations.scrub_store import scrub_store
from shelter_pipeline.vault.manifest import write_manifest
from shelter_pipeline.vault.scrub import scrub
from shelter_pipeline_tests.support.s3_proxy import Request, S3Proxy, Way
from shelter_pipeline_tests.support.seaweedfs import SeaweedFS
from shelter_pipeline_tests.support.stores import BucketUnderTest, StoreUnderTest

BODIES = [bytes([number]) * (number * 40_000 + 100) for number in range(1, 13)]


def location_of(body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest()
    return f"blobs/sha256/{digest[:2]}/{digest[2:4]}/{digest}"


def fill(place: StoreUnderTest) -> None:
    partials = [place.store.partial() for _ in BODIES]
    for partial, body in zip(partials, BODIES, strict=True):
        partial.write(body)
    blobs = place.store.publish_all(partials)
    entries = [
        {"url": "http://h/", "verdict": "stored", "sha256": blob.sha256, "size": blob.size} for blob in blobs
    ]
    write_manifest(place.store, "batch", entries, year=2026)


@pytest.fixture
def filled(place: StoreUnderTest) -> StoreUnderTest:
    fill(place)
    return place


def scrubbed(place: StoreUnderTest) -> dict[str, Any]:
    return scrub_store(place.where, place.settings)


def flipped(body: bytes) -> bytes:
    at = random.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def test_a_whole_store_is_ok(filled: StoreUnderTest) -> None:
    report = scrubbed(filled)

    assert report == {
        "ok": 12,
        "damaged": 0,
        "missing": 0,
        "extra": 0,
        "unlisted": 0,
        "bytes_read": sum(map(len, BODIES)),
        "damaged_files": [],
        "missing_files": [],
        "extra_files": [],
        "quarantined": [],
    }


@pytest.mark.parametrize(
    "rot",
    [flipped, lambda body: body[:-1], lambda _: b"", lambda _: BODIES[7], lambda body: body + b"\0"],
    ids=["a bit", "a cut", "nothing left", "another's bytes", "a surplus"],
)
def test_what_is_not_the_blob_is_moved_aside(filled: StoreUnderTest, rot: Callable[[bytes], bytes]) -> None:
    wrong = {location_of(body): rot(body) for body in BODIES[:3]}
    for location, data in wrong.items():
        filled.replace(location, data)

    report = scrubbed(filled)

    assert (report["ok"], report["damaged"], report["missing"], report["extra"]) == (9, 3, 0, 0)
    assert report["damaged_files"] == sorted(wrong)
    moved = dict(zip(report["damaged_files"], report["quarantined"], strict=True))
    assert {location: filled.read(moved[location]) for location in wrong} == wrong
    assert not wrong.keys() & set(filled.locations())


def test_a_second_scrub_finds_them_missing_and_changes_nothing(filled: StoreUnderTest) -> None:
    filled.replace(location_of(BODIES[0]), b"rot")
    scrubbed(filled)
    before = filled.locations()

    report = scrubbed(filled)

    assert (report["ok"], report["damaged"], report["missing"]) == (11, 0, 1)
    assert report["missing_files"] == [hashlib.sha256(BODIES[0]).hexdigest()]
    assert filled.locations() == before


def test_things_that_are_no_blobs_are_listed_and_left(filled: StoreUnderTest) -> None:
    digest = hashlib.sha256(BODIES[0]).hexdigest()
    extras = [f"blobs/{digest}", f"blobs/sha256/{digest[:2]}/notes.txt", "thesis.doc"]
    for extra in extras:
        filled.replace(extra, b"x")

    report = scrubbed(filled)

    assert report["extra_files"] == extras
    assert (report["ok"], report["damaged"]) == (12, 0)
    assert set(extras) <= set(filled.locations())


def test_a_blob_of_no_manifest_yet_is_ok_and_said_to_be_unlisted(filled: StoreUnderTest) -> None:
    with filled.store.receive() as partial:
        partial.write(b"just arrived")
        filled.store.publish(partial)

    report = scrubbed(filled)

    assert (report["ok"], report["unlisted"], report["extra"]) == (13, 1, 0)


def test_a_manifest_that_rotted_is_damaged_and_left(filled: StoreUnderTest) -> None:
    (manifest,) = filled.store.document_names("manifests/")
    filled.replace(manifest, flipped(filled.read(manifest)))

    report = scrubbed(filled)

    assert report["damaged_files"] == [manifest]
    assert manifest in filled.locations()


def test_a_report_does_not_depend_on_how_many_read_at_once(filled: StoreUnderTest) -> None:
    filled.replace("blobs/extra", b"x")
    filled.replace(location_of(BODIES[3]), None)

    one, eight = (scrub(filled.opened(), threads=threads) for threads in (1, 8))

    assert one == eight
    assert (one.ok, len(one.missing), one.extra) == (11, 1, ["blobs/extra"])


@pytest.fixture
def proxy(seaweedfs: SeaweedFS) -> Iterator[S3Proxy]:
    with S3Proxy(seaweedfs.port) as running:
        yield running


@pytest.fixture
def behind(bucket: BucketUnderTest, proxy: S3Proxy) -> StoreUnderTest:
    """A filled bucket, reached through the proxy."""
    fill(bucket)
    bucket.settings = bucket.settings.model_copy(
        update={"s3_endpoint_url": proxy.endpoint, "s3_timeout_seconds": 3.0}
    )
    return bucket


def is_blob(request: Request, body: bytes) -> bool:
    return request.path.endswith(location_of(body))


def test_a_server_that_goes_away_ends_the_scrub_and_damns_nothing(
    behind: BucketUnderTest, proxy: S3Proxy
) -> None:
    before = behind.locations()
    proxy.rule = lambda request: Way(status=503) if is_blob(request, BODIES[5]) else None

    with pytest.raises(TransientError):
        scrubbed(behind)

    assert behind.locations() == before


def test_an_object_that_the_server_cannot_hand_out_is_damaged_and_stays(
    behind: BucketUnderTest, proxy: S3Proxy
) -> None:
    before = behind.locations()
    proxy.rule = lambda request: (
        Way(status=500) if request.method == "GET" and is_blob(request, BODIES[5]) else None
    )

    report = scrubbed(behind)

    assert report["damaged_files"] == [location_of(BODIES[5])]
    assert report["quarantined"] == []
    assert set(before) <= set(behind.locations())


def test_a_connection_that_breaks_is_no_damage(behind: BucketUnderTest, proxy: S3Proxy) -> None:
    broken: set[str] = set()

    def once(request: Request) -> Way | None:
        if request.method != "GET" or "/blobs/" not in request.path or request.path in broken:
            return None
        broken.add(request.path)
        return Way(give_bytes=50_000)

    proxy.rule = once

    report = scrubbed(behind)

    assert len(broken) == 12
    assert (report["ok"], report["damaged"], report["bytes_read"]) == (12, 0, sum(map(len, BODIES)))


def test_a_blob_that_is_healed_while_it_is_moved_aside_stays(behind: BucketUnderTest, proxy: S3Proxy) -> None:
    body = BODIES[0]
    behind.replace(location_of(body), b"rot")

    def heal(request: Request) -> None:
        if request.method == "DELETE" and is_blob(request, body):
            behind.replace(location_of(body), body)

    proxy.rule = heal

    report = scrubbed(behind)

    assert behind.read(location_of(body)) == body
    assert behind.read(report["quarantined"][0]) == b"rot"


def test_a_copy_that_cannot_be_made_keeps_the_object_where_it_is(
    behind: BucketUnderTest, proxy: S3Proxy
) -> None:
    behind.replace(location_of(BODIES[0]), b"rot")
    proxy.rule = lambda request: Way(status=500) if request.method == "PUT" else None

    report = scrubbed(behind)

    assert (report["damaged_files"], report["quarantined"]) == ([location_of(BODIES[0])], [])
    assert behind.read(location_of(BODIES[0])) == b"rot"
