"""A document of any size on disk: what it is brought to, what bounds it, and what it leaves behind."""

from __future__ import annotations

import codecs
import json
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shelter_pipeline.domain.errors import PermanentError, SetupError, TransientError
from shelter_pipeline.portals.document import Document, fetch_document
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site, open_door

WORDS = json.dumps(
    {"dataset": ["Ångström", "\N{CJK UNIFIED IDEOGRAPH-6C34}", "\N{DROPLET}"]}, ensure_ascii=False
)


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def reader(naps: list[float]) -> PageReader:
    return PageReader(
        open_door(), max_bytes=10**7, attempts=3, sleep=naps.append, headers={"X-Own": "header"}
    )


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def text_of(document: Document) -> str:
    return bytes(document.text[document.start :]).decode()


def test_a_document_is_asked_for_as_json_with_the_portals_own_headers(
    site: LocalSite, reader: PageReader
) -> None:
    document = fetch_document(reader, site.serves("/data.json", WORDS.encode()))

    assert (text_of(document), document.requests) == (WORDS, 1)
    asked = site.asked[0].headers
    assert (asked["Accept"], asked["X-Own"]) == ("application/json", "header")


@pytest.mark.parametrize(
    "encoded",
    [
        codecs.BOM_UTF8 + WORDS.encode(),
        WORDS.encode("utf-16"),
        WORDS.encode("utf-32"),
        WORDS.encode("utf-16-le"),
        WORDS.encode("utf-16-be"),
        WORDS.encode("utf-32-le"),
        WORDS.encode("utf-32-be"),
    ],
)
def test_every_encoding_of_unicode_is_brought_to_utf_8(
    site: LocalSite, reader: PageReader, encoded: bytes
) -> None:
    document = fetch_document(reader, site.serves("/data.json", encoded))

    assert text_of(document) == WORDS


def test_a_large_document_is_translated_across_the_pieces_it_is_read_in(
    site: LocalSite, reader: PageReader
) -> None:
    words = "[" + ", ".join(f'"\N{DROPLET} {number}"' for number in range(200_000)) + "]"

    document = fetch_document(reader, site.serves("/data.json", words.encode("utf-16-be")))

    assert text_of(document) == words


def test_half_a_character_becomes_the_replacement_character(site: LocalSite, reader: PageReader) -> None:
    broken = '["a'.encode("utf-16-le") + b"\x00\xd8" + '"]'.encode("utf-16-le")

    document = fetch_document(reader, site.serves("/data.json", broken))

    assert text_of(document) == '["a\N{REPLACEMENT CHARACTER}"]'


def test_a_document_that_is_cut_is_asked_for_again(
    site: LocalSite, reader: PageReader, naps: list[float]
) -> None:
    whole = Answered(b'{"dataset": []}\n')
    url = site.serves_in_turn("/data.json", Answered(b'{"dataset": [1, 2, 3, 4, 5'), whole)

    document = fetch_document(reader, url)

    assert (text_of(document), document.requests, naps) == ('{"dataset": []}\n', 2, [1.0])


def test_a_document_that_is_always_cut_is_given_as_far_as_it_goes(
    site: LocalSite, reader: PageReader
) -> None:
    document = fetch_document(reader, site.serves("/data.json", b'{"dataset": [1, 2'))

    assert (text_of(document), document.requests) == ('{"dataset": [1, 2', 3)


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (Answered(b""), TransientError, "empty"),
        (Answered(b"<!doctype html><h1>Down for maintenance</h1>"), TransientError, "html-instead"),
        (Answered(b"<!doctype html><h1>Welcome</h1>"), PermanentError, "html-instead"),
        (Answered({"error": "no"}, 404), PermanentError, "not-found"),
        (Answered(b"x" * (10**7 + 1)), PermanentError, "too-large"),
    ],
)
def test_what_is_no_document_is_an_error_that_names_the_url(
    site: LocalSite, reader: PageReader, answer: Answered, error: type[Exception], reason: str
) -> None:
    url = site.serves_in_turn("/data.json", answer)

    with pytest.raises(error, match=r"data\.json") as end:
        fetch_document(reader, url)

    assert getattr(end.value, "reason", None) == reason


def test_a_disk_that_is_full_is_for_a_person_to_change(site: LocalSite, reader: PageReader) -> None:
    url = site.serves("/data.json", b"[" + b"1, " * 10**6 + b"1]")

    with files_of_at_most(100_000), pytest.raises(SetupError, match="TMPDIR") as end:
        fetch_document(reader, url)

    assert (url in str(end.value), end.value.reason, len(site.asked)) == (True, "store-failed", 1)


def test_no_file_of_a_document_can_be_found(
    site: LocalSite, reader: PageReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    document = fetch_document(reader, site.serves("/data.json", WORDS.encode("utf-16")))

    assert (text_of(document), list(tmp_path.iterdir())) == (WORDS, [])
