"""What is whole but not the thing is kept apart, and never counted as held."""

from __future__ import annotations

import hashlib

import pytest

from shelter_pipeline.fetching.download import Promise
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import FaultServer, whole
from shelter_pipeline_tests.support.fetching import downloader, files_in

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


def test_a_size_that_differs_from_the_catalogues_is_only_flagged(
    server: FaultServer, store: LocalStore
) -> None:
    url = server.serves("/table.csv", *whole(TABLE))

    capture = downloader(store).fetch(url, Promise(size=5, checksum="crc32:00"))

    assert (capture.verdict, capture.flags) == ("stored", ("size-differs", "checksum-unusable"))


def test_an_empty_file_is_a_rescue_only_where_the_catalogue_says_so(
    server: FaultServer, store: LocalStore
) -> None:
    url = server.serves("/empty.csv", *whole(b""))

    capture = downloader(store).fetch(url, Promise(size=0))

    assert (capture.verdict, capture.size) == ("stored", 0)
