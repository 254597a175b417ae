"""What a store on S3 promises beyond what every store does, with a server and a network that fail."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.domain.errors import SetupError, TransientError
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.open_store import find_store, open_store
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.scrub_store import scrub_store
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.settings import Settings
from shelter_pipeline.vault import s3
from shelter_pipeline.vault.s3 import S3Store
from shelter_pipeline.vault.s3_bucket import Bucket
from shelter_pipeline.vault.s3_client import S3Error, S3Options, S3Place, connect
from shelter_pipeline.vault.s3_source import checksum_of
from shelter_pipeline.vault.s3_upload import UploadLimits
from shelter_pipeline_tests.support.fault_server import FaultServer, whole
from shelter_pipeline_tests.support.s3_proxy import Request, S3Proxy, Way
from shelter_pipeline_tests.support.seaweedfs import BUCKET, SeaweedFS
from shelter_pipeline_tests.support.stores import BucketUnderTest
from shelter_pipeline_tests.support.workplaces import settings_for

MIB = 1024 * 1024
# Five parts of at least what S3 allows, the last one short.
LIMITS = UploadLimits(whole_bytes=6 * MIB, part_bytes=5 * MIB, part_threads=2)
LARGE = os.urandom(MIB) * 20 + b"the end"


@pytest.fixture
def proxy(seaweedfs: SeaweedFS) -> Iterator[S3Proxy]:
    with S3Proxy(seaweedfs.port) as running:
        yield running


@pytest.fixture
def store(proxy: S3Proxy, s3_place: str, tmp_path: Path) -> S3Store:
    return opened(proxy.endpoint, s3_place, tmp_path)


def opened(endpoint: str, place: str, scratch: Path, **options: Any) -> S3Store:
    chosen = S3Options(**{"endpoint_url": endpoint, "max_attempts": 2, "timeout_seconds": 3, **options})
    store = S3Store(S3Place.parse(place), scratch, chosen, limits=LIMITS)
    store.prepare()
    return store


def receive(store: S3Store, data: bytes) -> str:
    with store.receive() as partial:
        partial.write(data)
        return store.publish(partial).sha256


def held(store: S3Store, data: bytes) -> bool:
    with store.open(hashlib.sha256(data).hexdigest()) as body:
        return body.read() == data


def uploads(seaweedfs: SeaweedFS, place: str) -> list[Any]:
    prefix = place.removeprefix(f"s3://{BUCKET}/")
    listed = seaweedfs.client().list_multipart_uploads(Bucket=BUCKET)
    return [upload for upload in listed.get("Uploads", ()) if upload["Key"].startswith(prefix)]


def numbers(requests: list[Request]) -> list[int]:
    return sorted(int(request.query["partNumber"][0]) for request in requests)


def test_a_large_file_is_sent_in_parts_and_held_whole(store: S3Store, proxy: S3Proxy) -> None:
    receive(store, LARGE)

    assert numbers(proxy.seen("PUT", "partNumber")) == [1, 2, 3, 4, 5]
    assert held(store, LARGE)


def test_a_large_file_that_is_held_is_not_sent_again(store: S3Store, proxy: S3Proxy) -> None:
    receive(store, LARGE)
    proxy.requests.clear()

    receive(store, LARGE)

    assert [request.method for request in proxy.requests] == ["HEAD"]


def test_an_upload_that_broke_off_goes_on_without_sending_a_part_twice(
    store: S3Store, proxy: S3Proxy, seaweedfs: SeaweedFS, s3_place: str, tmp_path: Path
) -> None:
    proxy.rule = lambda request: Way(take_bytes=MIB) if request.query.get("partNumber") == ["4"] else None
    with store.receive("key") as partial:
        partial.write(LARGE)
        partial.keep({})
        with pytest.raises(S3Error) as end:
            store.publish(partial)
    sent = {int(request.query["partNumber"][0]) for request in proxy.seen("PUT", "partNumber")}
    proxy.requests.clear()
    proxy.rule = lambda _: None

    again = opened(proxy.endpoint, s3_place, tmp_path)
    with again.receive("key") as partial:
        again.publish(partial)

    assert end.value.reason == "store-failed"
    assert {1, 2, 3, 4} <= sent
    assert numbers(proxy.seen("PUT", "partNumber")) in ([4], [4, 5])
    assert held(store, LARGE)
    assert uploads(seaweedfs, s3_place) == []
    assert list((tmp_path / "partial").iterdir()) == []


def test_parts_that_hold_other_bytes_are_sent_again(
    store: S3Store, proxy: S3Proxy, seaweedfs: SeaweedFS, s3_place: str
) -> None:
    sha256 = hashlib.sha256(LARGE).hexdigest()
    key = f"{s3_place.removeprefix(f's3://{BUCKET}/')}/blobs/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"
    client = seaweedfs.client()
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=key, ChecksumAlgorithm="SHA256")["UploadId"]
    for number, body in ((1, LARGE[: 5 * MIB]), (2, bytes(5 * MIB)), (3, b"short"), (9, b"surplus")):
        client.upload_part(
            Bucket=BUCKET,
            Key=key,
            UploadId=upload,
            PartNumber=number,
            Body=body,
            ChecksumSHA256=checksum_of(body),
        )

    receive(store, LARGE)

    assert numbers(proxy.seen("PUT", "partNumber")) == [2, 3, 4, 5]
    assert held(store, LARGE)
    assert uploads(seaweedfs, s3_place) == []


def test_a_file_that_changed_on_its_way_is_not_published(
    store: S3Store, seaweedfs: SeaweedFS, s3_place: str
) -> None:
    with store.receive() as partial:
        partial.write(LARGE)
        partial.flush()
        assert partial.path is not None
        with partial.path.open("r+b") as file:
            file.seek(7 * MIB)
            file.write(b"rot")
        with pytest.raises(TransientError) as end:
            store.publish(partial)

    assert end.value.reason == "store-failed"
    assert list(store.blobs()) == uploads(seaweedfs, s3_place) == []


def test_a_small_file_that_changed_on_its_way_is_refused_by_the_server(store: S3Store) -> None:
    with store.receive() as partial:
        partial.write(LARGE[: 2 * MIB])
        partial.flush()
        assert partial.path is not None
        with partial.path.open("r+b") as file:
            file.write(b"rot")
        with pytest.raises(S3Error) as end:
            store.publish(partial)

    assert end.value.reason == "store-failed"
    assert list(store.blobs()) == []


@pytest.mark.parametrize("body", [b"small", LARGE[: 3 * MIB], LARGE], ids=["small", "a file", "parts"])
@pytest.mark.parametrize(
    "way",
    [Way(status=503), Way(status=500), Way(take_bytes=1), Way(give_bytes=-1), Way(wait_seconds=3.5)],
    ids=["503", "500", "cut request", "lost reply", "silence"],
)
def test_a_request_that_fails_once_costs_nothing_but_time(
    store: S3Store, proxy: S3Proxy, seaweedfs: SeaweedFS, s3_place: str, body: bytes, way: Way
) -> None:
    failed: set[tuple[str, str, str]] = set()

    def once(request: Request) -> Way | None:
        what = (request.method, request.path, str(sorted(request.query.items())))
        if request.method not in ("PUT", "POST") or what in failed or (way.wait_seconds and failed):
            return None
        failed.add(what)
        return way

    proxy.rule = once

    receive(store, body)

    assert failed
    assert held(store, body)
    # An upload whose id never reached us, or too late, is nobody's, and is swept after a day.
    assert len(uploads(seaweedfs, s3_place)) <= (way.give_bytes == -1 or bool(way.wait_seconds))


@pytest.mark.parametrize(
    "way", [Way(status=503), Way(take_bytes=0), Way(give_bytes=-1)], ids=["503", "cut", "lost"]
)
@pytest.mark.parametrize("body", [b"small", LARGE], ids=["small", "parts"])
def test_a_server_that_stays_away_is_an_outcome_within_bounded_time(
    store: S3Store, proxy: S3Proxy, body: bytes, way: Way
) -> None:
    proxy.rule = lambda request: way if request.method != "DELETE" else None
    began = time.monotonic()

    with store.receive() as partial:
        partial.write(body)
        with pytest.raises(TransientError) as end:
            store.publish(partial)
        (outcome,) = store.publish_all([partial])

    assert end.value.reason == "store-failed"
    assert isinstance(outcome, TransientError)
    assert time.monotonic() - began < 20


def test_a_server_that_is_full_has_its_reason(store: S3Store, proxy: S3Proxy) -> None:
    proxy.rule = lambda request: Way(status=507)

    with pytest.raises(TransientError) as end:
        receive(store, b"small")

    assert end.value.reason == "no-space"


def test_a_wrong_checksum_is_refused_and_nothing_kept(seaweedfs: SeaweedFS, s3_place: str) -> None:
    bucket = Bucket(connect(S3Options(endpoint_url=seaweedfs.endpoint)), S3Place.parse(s3_place))

    with pytest.raises(S3Error) as end:
        bucket.put("blobs/x", b"bytes", checksum_of(b"other bytes"), if_absent=True)

    assert end.value.status == 400
    assert bucket.find("blobs/x") is None


def test_reading_goes_on_where_the_connection_broke(store: S3Store, proxy: S3Proxy) -> None:
    receive(store, LARGE)
    cuts = iter([3 * MIB, 0, 100_000, 7 * MIB])
    proxy.rule = lambda request: (
        Way(give_bytes=cut) if request.method == "GET" and (cut := next(cuts, None)) is not None else None
    )

    assert held(store, LARGE)

    ranges = [request.headers.get("Range") for request in proxy.seen("GET") if "/blobs/" in request.path]
    assert ranges[0] is None
    assert ranges[1] == f"bytes={3 * MIB}-"


def test_a_part_is_asked_for_alone_and_goes_on_where_the_connection_broke(
    store: S3Store, proxy: S3Proxy
) -> None:
    sha256 = receive(store, LARGE)
    cuts = iter([MIB, 0])
    proxy.rule = lambda _: Way(give_bytes=cut) if (cut := next(cuts, None)) is not None else None

    part = b"".join(store.read_range(sha256, 5, 3 * MIB))

    assert part == LARGE[5 : 3 * MIB + 1]
    ranges = [request.headers.get("Range") for request in proxy.seen("GET")]
    assert ranges[-3:] == [f"bytes=5-{3 * MIB}", *[f"bytes={MIB + 5}-{3 * MIB}"] * 2]


def test_a_server_that_ignores_the_range_is_not_believed(store: S3Store, proxy: S3Proxy) -> None:
    sha256 = receive(store, b"from the beginning")
    proxy.rule = lambda _: Way(forget=("range",))

    with pytest.raises(S3Error, match="from its beginning"):
        store.read_range(sha256, 5, 8)


def test_a_blob_that_was_replaced_while_it_is_read_is_not_spliced(
    store: S3Store, proxy: S3Proxy, seaweedfs: SeaweedFS
) -> None:
    sha256 = receive(store, LARGE)
    proxy.rule = lambda request: Way(give_bytes=MIB) if "Range" not in request.headers else None

    with store.open(sha256) as body:
        assert body.read(1000) == LARGE[:1000]
        key = next(iter(store.blobs())).location
        seaweedfs.client().put_object(Bucket=BUCKET, Key=store._bucket.place.key(key), Body=LARGE[:-1] + b"?")
        with pytest.raises(S3Error):
            body.read()


def test_leftover_uploads_are_aborted_after_a_day_and_not_before(
    store: S3Store, proxy: S3Proxy, seaweedfs: SeaweedFS, s3_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.rule = lambda request: Way(status=500) if request.query.get("partNumber") == ["3"] else None
    with pytest.raises(S3Error):
        receive(store, LARGE)
    proxy.rule = lambda _: None

    young = store.sweep_partials(0)
    monkeypatch.setattr(s3, "_LEFTOVER", timedelta(0))
    old = store.sweep_partials(0)

    assert (young, old) == (0, 1)
    assert uploads(seaweedfs, s3_place) == []


def test_a_server_that_is_away_keeps_nobody_from_sweeping(store: S3Store, proxy: S3Proxy) -> None:
    (store._partials / "old").write_bytes(b"left behind")
    os.utime(store._partials / "old", (1, 1))
    proxy.rule = lambda _: Way(status=501)

    assert store.sweep_partials(3600) == 1


@pytest.mark.parametrize(
    ("forgotten", "said"),
    [(("if-none-match",), "does not honour If-None-Match"), (("x-amz-checksum-sha256",), "read back")],
)
@pytest.mark.parametrize("body", [b"small", LARGE], ids=["small", "parts"])
def test_a_server_that_can_do_less_is_told_of_and_used_all_the_same(
    proxy: S3Proxy,
    s3_place: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    forgotten: tuple[str, ...],
    said: str,
    body: bytes,
) -> None:
    proxy.rule = lambda request: Way(forget=forgotten) if request.method in ("PUT", "POST") else None
    with caplog.at_level(logging.WARNING):
        store = opened(proxy.endpoint, s3_place, tmp_path)

    receive(store, body)
    receive(store, body)
    store.put_document("manifests/2026/1.jsonl", b"1")
    store.put_document("manifests/2026/1.jsonl", b"1")

    assert [record.message for record in caplog.records if said in record.message]
    assert held(store, body)
    assert list(store.documents("")) == [("manifests/2026/1.jsonl", b"1")]


def test_what_a_server_without_checksums_stored_wrongly_is_not_held(
    proxy: S3Proxy, seaweedfs: SeaweedFS, s3_place: str, tmp_path: Path
) -> None:
    proxy.rule = lambda request: Way(forget=("x-amz-checksum-sha256",)) if request.method == "PUT" else None
    store = opened(proxy.endpoint, s3_place, tmp_path)

    with store.receive() as partial:
        partial.write(LARGE[: 2 * MIB])
        partial.flush()
        assert partial.path is not None
        with partial.path.open("r+b") as file:
            file.write(b"rot")
        with pytest.raises(S3Error):
            store.publish(partial)

    assert list(store.blobs()) == []
    assert len(list(store.files_below("quarantine"))) == 1


def test_a_blob_that_came_by_another_way_is_read_again_before_it_is_believed(bucket: BucketUnderTest) -> None:
    sha256 = receive(bucket.store, b"hello")
    (location,) = bucket.locations()
    bucket.replace(location, b"hello")

    assert receive(bucket.store, b"hello") == sha256
    assert bucket.locations() == [location]


def test_what_stood_in_the_place_of_a_healed_blob_is_kept_in_quarantine(bucket: BucketUnderTest) -> None:
    receive(bucket.store, b"hello")
    (location,) = bucket.locations()
    bucket.replace(location, b"rot")

    receive(bucket.store, b"hello")

    healed, quarantined = bucket.locations()
    assert bucket.read(healed) == b"hello"
    assert quarantined.startswith("quarantine/")
    assert bucket.read(quarantined) == b"rot"


def test_nothing_is_asked_of_the_server_before_something_is_asked_of_the_store(tmp_path: Path) -> None:
    settings = Settings(s3_endpoint_url="http://127.0.0.1:9", scratch=tmp_path)

    assert open_store("s3://bucket/folder/", settings).name == "s3://bucket/folder"


@pytest.mark.parametrize(
    "text", ["s3://", "s3:///x", "s3://UPPER/x", "s3://ok/../x", "s3://ok/a b", "gs://bucket/x"]
)
def test_a_text_that_names_no_store_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"s3://bucket"):
        open_store(text, Settings(scratch=tmp_path))


def test_a_bucket_that_is_not_there_is_a_matter_of_setting_up(
    seaweedfs: SeaweedFS, s3_credentials: None, tmp_path: Path
) -> None:
    store = open_store("s3://nowhere/x", Settings(s3_endpoint_url=seaweedfs.endpoint, scratch=tmp_path))

    with pytest.raises(SetupError, match="NoSuchBucket"):
        store.prepare()


def test_credentials_that_are_wrong_or_missing_are_a_matter_of_setting_up(
    seaweedfs: SeaweedFS, s3_place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(s3_endpoint_url=seaweedfs.endpoint, scratch=tmp_path)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(SetupError, match="SignatureDoesNotMatch"):
        open_store(s3_place, settings).prepare()
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    with pytest.raises(SetupError, match="credentials"):
        open_store(s3_place, settings).prepare()


def test_a_place_without_a_store_is_not_proved_to_be_fine(bucket: BucketUnderTest) -> None:
    with pytest.raises(SetupError, match="holds no store"):
        find_store(bucket.where, bucket.settings)


@pytest.mark.usefixtures("s3_credentials")
def test_commands_take_a_bucket_for_a_store(seaweedfs: SeaweedFS, s3_place: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8",
        "SHELTER_S3_ENDPOINT_URL": seaweedfs.endpoint,
        "SHELTER_HOME": str(tmp_path),
    }

    def shelter(*words: str) -> Any:
        command = [sys.executable, "-m", "shelter_pipeline.cli", *words, "--store", s3_place, "--json"]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    with FaultServer() as server:
        url = server.serves("/file.csv", *whole(b"year,catch\n2025,17\n", 'ETag: "1"'))
        first = shelter("fetch", url)
        second = shelter("fetch", url)
    report = shelter("scrub")

    assert (first["verdict"], first["size"]) == ("stored", 19)
    assert (second["verdict"], second["sha256"]) == ("unchanged", first["sha256"])
    assert (report["ok"], report["damaged"], report["missing"], report["extra"]) == (1, 0, 0, 0)


@pytest.mark.usefixtures("s3_credentials")
def test_a_whole_batch_is_rescued_into_a_bucket(
    catalog_url: str, seaweedfs: SeaweedFS, s3_place: str, tmp_path: Path
) -> None:
    settings = settings_for(catalog_url, tmp_path / "unused").model_copy(
        update={"store": s3_place, "s3_endpoint_url": seaweedfs.endpoint}
    )
    with SamplePortal() as sample, open_workplace(settings) as workplace:
        slug = add_portal(workplace, f"datagov:{sample.base_url}").slug
        harvest_portal(workplace, slug)
        discover_resources(workplace, slug)
        (key,) = plan_organization(workplace, "hhs-gov", urgent=False)["new"]
        result = rescue_batch(workplace, str(key), run_id="one")
        report = scrub_store(None, workplace.settings)
        blobs = {blob.sha256 for blob in workplace.store.blobs()}
        waiting = list((workplace.settings.scratch_path / "partial").iterdir())

    assert (result.state, result.leftover) == ("done", 0)
    assert (report["ok"], report["damaged"], report["missing"], report["unlisted"]) == (len(blobs), 0, 0, 0)
    assert result.reasons["stored"] >= len(blobs) > 0
    assert waiting == []


STORER = """
import resource
with store.receive() as partial:
    partial.write(bytes(1000))
    store.publish(partial)
with store.receive() as partial:
    piece = bytes(range(256)) * 4096
    for _ in range(300):
        partial.write(piece)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sha256 = store.publish(partial).sha256
assert store.read_again(f"blobs/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}") == (sha256, 300 * len(piece))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_size_of_a_file(bucket: BucketUnderTest) -> None:
    ended = subprocess.run(bucket.command(STORER), capture_output=True, text=True, timeout=120, check=True)

    assert int(ended.stdout) <= 32 * 1024  # kilobytes
