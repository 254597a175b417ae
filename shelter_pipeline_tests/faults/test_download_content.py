"""What is whole but not the thing is kept apart, and never counted as held."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.download import Downloader, Promise
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.content_samples import zipped
from shelter_pipeline_tests.support.fault_server import FaultServer, whole
from shelter_pipeline_tests.support.fetching import door, downloader, files_in

PAGE = b"<!DOCTYPE html><html><body><h1>Not Found</h1></body></html>"
TABLE = b"year,catch\n2025,17\n"


def test_a_web_page_in_place_of_a_table_is_kept_apart(server: FaultServer, store: LocalStore) -> None:
    url = server.serves("/table.csv", *whole(PAGE, "Content-Type: text/csv"))

    capture = downloader(store).fetch(url)

    assert (capture.verdict, capture.reason) == ("suspect", "html-instead")
    assert files_in(store.root, "blobs", "partial") == []
    assert [path.read_bytes() for path in files_in(store.root, "suspect")] == [PAGE]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_a_checksum_that_differs_damns_the_file_and_keeps_the_evidence(
    server: FaultServer, store: LocalStore, algorithm: str
) -> None:
    url = server.serves("/table.csv", *whole(TABLE))
    promised = f"{algorithm}:{hashlib.new(algorithm, PAGE).hexdigest()}"

    capture = downloader(store).fetch(url, Promise(checksum=promised))

    assert (capture.verdict, capture.reason, capture.requests) == ("damaged", "mismatch", 1)
    assert files_in(store.root, "blobs", "partial") == []
    assert [path.read_bytes() for path in files_in(store.root, "suspect")] == [TABLE]


def test_a_checksum_that_holds_speaks_for_any_content(server: FaultServer, store: LocalStore) -> None:
    url = server.serves("/table.csv", *whole(PAGE))

    capture = downloader(store).fetch(url, Promise(checksum=f"sha256:{hashlib.sha256(PAGE).hexdigest()}"))

    assert capture.verdict == "stored"


def test_a_size_that_differs_from_the_catalogues_damns_the_file_and_keeps_the_evidence(
    server: FaultServer, store: LocalStore
) -> None:
    url = server.serves("/table.csv", *whole(TABLE))

    capture = downloader(store).fetch(url, Promise(size=5, checksum="crc32:00"))

    assert (capture.verdict, capture.reason, capture.requests) == ("damaged", "mismatch", 1)
    assert capture.flags == ("checksum-unusable",)
    assert files_in(store.root, "blobs", "partial") == []
    assert [path.read_bytes() for path in files_in(store.root, "suspect")] == [TABLE]


def test_a_checksum_that_holds_speaks_for_a_size_that_differs(server: FaultServer, store: LocalStore) -> None:
    url = server.serves("/table.csv", *whole(TABLE))
    checksum = f"sha256:{hashlib.sha256(TABLE).hexdigest()}"

    capture = downloader(store).fetch(url, Promise(size=5, checksum=checksum))

    assert (capture.verdict, capture.flags) == ("stored", ("size-differs",))


@pytest.mark.parametrize("size", [len(TABLE), len(gzip.compress(TABLE, mtime=0))])
def test_the_size_of_an_encoded_reply_is_the_one_on_the_wire_or_the_unfolded_one(
    server: FaultServer, store: LocalStore, size: int
) -> None:
    url = server.serves("/table.csv", *whole(gzip.compress(TABLE, mtime=0), "Content-Encoding: gzip"))

    capture = downloader(store).fetch(url, Promise(size=size))

    assert (capture.verdict, capture.flags) == ("stored", ("encoded-gzip",))


def test_a_file_that_is_still_being_prepared_is_asked_for_later_and_leaves_nothing(
    server: FaultServer, store: LocalStore
) -> None:
    url = server.serves("/data?format=csv", *whole(b'{"message":"wait","status":"Processing"}'))

    capture = downloader(store).fetch(url, Promise(format="CSV"))

    assert (capture.verdict, capture.reason, capture.sha256) == ("transient", "processing", None)
    assert files_in(store.root) == []


def test_an_archive_that_is_cut_short_at_its_source_is_kept_apart(
    server: FaultServer, store: LocalStore
) -> None:
    archive = zipped(data=bytes(range(256)) * 300)
    whole_url = server.serves("/whole.zip", *whole(archive))
    cut_url = server.serves("/cut.zip", *whole(archive[:-40]))

    captures = [downloader(store).fetch(url) for url in (whole_url, cut_url)]

    assert [(capture.verdict, capture.reason) for capture in captures] == [
        ("stored", "stored"),
        ("suspect", "incomplete"),
    ]


def test_next_to_nothing_of_a_file_that_is_held_is_kept_apart(server: FaultServer, store: LocalStore) -> None:
    url = server.serves("/table.csv", *whole(TABLE))

    capture = downloader(store).fetch(url, Promise(held_sha256="0" * 64, held_size=10**7))

    assert (capture.verdict, capture.reason) == ("suspect", "shrunk")


def test_an_operators_word_counts_at_the_next_capture(server: FaultServer, store: LocalStore) -> None:
    url = server.serves("/table.csv", *whole(PAGE))
    sha256 = hashlib.sha256(PAGE).hexdigest()

    accepted = downloader(store).fetch(url, Promise(accepted=frozenset({"html-instead"})))
    rejected = downloader(store).fetch(url, Promise(format="HTML", rejected=frozenset({sha256})))

    assert (accepted.verdict, accepted.flags) == ("stored", ("overruled",))
    assert (rejected.verdict, rejected.reason) == ("suspect", "rejected")


def test_rules_of_an_operator_are_obeyed(server: FaultServer, store: LocalStore, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('switched_off = ["size-mismatch"]', encoding="utf-8")
    url = server.serves("/table.csv", *whole(TABLE))
    lenient = Downloader(door(), store, max_attempts=1, retry_delay_seconds=0, rules=content_rules(path))

    assert lenient.fetch(url, Promise(size=5)).verdict == "stored"


def test_an_empty_file_is_a_rescue_only_where_the_catalogue_says_so(
    server: FaultServer, store: LocalStore
) -> None:
    url = server.serves("/empty.csv", *whole(b""))

    captures = [downloader(store).fetch(url, promise) for promise in (Promise(size=0), Promise())]

    assert [(capture.verdict, capture.reason, capture.size) for capture in captures] == [
        ("stored", "stored", 0),
        ("suspect", "empty", 0),
    ]
