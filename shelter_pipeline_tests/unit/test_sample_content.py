"""What the sample's files promise: the same bytes everywhere, and what each format demands."""

import hashlib
import io
import json
import zipfile
from xml.etree import ElementTree as ET

import pytest

from shelter_pipeline.sample.content import KINDS, content_of, kind_of
from shelter_pipeline.sample.dice import choose, happens, identity, number

NUMBERS = [542, 13, 307, 162, 591]
IDENTITY = "36e96c62-6336-83d6-b8e9-8943830ed5c5"
LETTER = "b"
DIGESTS = {
    "csv": "eaa3e67f68b3",
    "geojson": "95a222623b45",
    "json": "51f0b1c22b4d",
    "nc": "bc4390792f41",
    "parquet": "e4152c6d3b22",
    "pdf": "5c5846bd1010",
    "xml": "e6c246b330ca",
    "zip": "a50f44e73836",
}
SIZES = [120, 1_000, 70_000, 1_500_000]


def whole(path: str, size: int) -> bytes:
    return b"".join(content_of(path, size).chunks())


def test_choices_fall_the_same_way_on_every_machine() -> None:
    assert [number(f"n{at}", 1000) for at in range(5)] == NUMBERS
    assert identity("a name") == IDENTITY
    assert choose("letter", "abcdef") == LETTER


def test_a_share_of_names_is_about_the_share_that_was_asked_for() -> None:
    hits = sum(happens(f"name {at}", 40) for at in range(2000))

    assert 700 < hits < 900


def test_bytes_are_the_same_on_every_machine() -> None:
    digests = {ending: content_of(f"/files/x/table.{ending}", 5000).sha256()[:12] for ending in sorted(KINDS)}

    assert digests == DIGESTS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ending", sorted(KINDS))
def test_a_file_has_the_size_it_was_asked_to_have(ending: str, size: int) -> None:
    content = content_of(f"/files/x/table.{ending}", size)

    assert content.size == len(whole(f"/files/x/table.{ending}", size))
    assert size <= content.size <= size + 64


def test_a_file_of_no_bytes_is_empty() -> None:
    assert whole("/files/x/nothing.csv", 0) == b""


@pytest.mark.parametrize("ending", sorted(KINDS))
def test_a_part_of_a_file_is_that_part_of_the_whole(ending: str) -> None:
    path, size = f"/files/x/table.{ending}", 200_000
    data = whole(path, size)

    for start, stop in ((0, 1), (1, 70_000), (65_535, 65_537), (len(data) - 3, len(data)), (5, 10**9)):
        assert b"".join(content_of(path, size).chunks(start, stop)) == data[start:stop]


def test_files_at_two_paths_differ() -> None:
    assert whole("/files/x/a.csv", 2000) != whole("/files/x/b.csv", 2000)


def test_the_hash_is_the_hash_of_the_bytes() -> None:
    data = whole("/files/x/a.zip", 300_000)

    assert content_of("/files/x/a.zip", 300_000).sha256() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("size", SIZES)
def test_text_formats_parse_at_any_size(size: int) -> None:
    json.loads(whole("/files/x/a.json", size))
    features = json.loads(whole("/files/x/a.geojson", size))
    rows = ET.fromstring(whole("/files/x/a.xml", size))  # noqa: S314 - our own bytes
    lines = whole("/files/x/a.csv", size).decode().rstrip("\n").split("\n")

    assert features["type"] == "FeatureCollection"
    assert rows.tag == "rows"
    assert {line.count(",") for line in lines} == {3} | {line.count(",") for line in lines[:1]}


@pytest.mark.parametrize("size", SIZES)
def test_a_zip_passes_its_own_test(size: int) -> None:
    archive = zipfile.ZipFile(io.BytesIO(whole("/files/x/bundle.zip", size)))

    assert archive.testzip() is None
    assert archive.namelist() == ["bundle.csv"]


@pytest.mark.parametrize(
    ("ending", "signature"),
    [("pdf", b"%PDF-"), ("nc", b"CDF\x01"), ("parquet", b"PAR1"), ("zip", b"PK\x03\x04")],
)
def test_binary_formats_begin_with_their_signature(ending: str, signature: bytes) -> None:
    assert whole(f"/files/x/a.{ending}", 500).startswith(signature)


def test_the_kind_of_a_name_without_extension_is_unknown() -> None:
    assert kind_of("/files/x/other/17").media_type == "application/octet-stream"


def test_a_nameless_download_is_the_table_that_is_promised_of_it() -> None:
    assert kind_of("/files/x/download/17").media_type == "text/csv"
    assert kind_of("/files/x/TABLE.CSV").format == "CSV"
