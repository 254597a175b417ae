"""What reading one catalogue page promises, whatever the portal does."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from shelter_pipeline.domain.errors import PermanentError, RefusedError, ShelterError, TransientError
from shelter_pipeline.portals.pacing import LONGEST_RETRY_AFTER_SECONDS
from shelter_pipeline.portals.reading import PageReader, parse_json, pause
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site, open_door

SHUTDOWN = b"<!doctype html><title>Site Maintenance</title><h1>Site not available</h1><p>shut down</p>"
OTHER_PAGE = b"<!DOCTYPE html><html><head><title>Welcome to Springfield</title></head><body>Hi</body></html>"
GOOD = Answered({"results": []})


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def pages(naps: list[float]) -> PageReader:
    return PageReader(open_door(), max_bytes=100_000, attempts=4, sleep=naps.append)


@pytest.mark.parametrize(
    "failure",
    [
        Answered(SHUTDOWN, 503),
        Answered(SHUTDOWN, 200),
        Answered(b"<html><h1>Request Rejected</h1></html>", 403),
        Answered(b"", 202),
        Answered(b"", 200),
        Answered(b"<html><h1>504 Gateway Time-out</h1></html>", 504),
        Answered({"error": {"code": "OVER_RATE_LIMIT", "message": "too often"}}, 429),
        Answered(b'{"results": [1, 2', 200),
        Answered({"success": False, "error": {"__type": "Search Error"}}, 409),
    ],
)
def test_what_may_pass_is_asked_again_until_it_has_passed(
    site: LocalSite, pages: PageReader, naps: list[float], failure: Answered
) -> None:
    url = site.serves_in_turn("/page", failure, failure, GOOD)

    answer = pages.json(url)

    assert (answer.value, answer.requests, naps) == ({"results": []}, 3, [1.0, 2.0])


def test_what_does_not_pass_ends_in_a_sentence_with_url_status_and_the_pages_own_words(
    site: LocalSite, pages: PageReader, naps: list[float]
) -> None:
    url = site.serves("/page", SHUTDOWN, 503)

    with pytest.raises(TransientError) as caught:
        pages.json(url)

    assert str(caught.value) == f"{url} could not be read: status 503 (Site not available)"
    assert caught.value.reason == "rate-limited"
    assert len(site.asked) == 4
    assert len(naps) == 3


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (Answered({"message": "Not Found", "detail": {}}, 404), "not-found", "status 404 (Not Found)"),
        (
            Answered({"success": False, "error": {"__type": "Authorization Error", "message": "No"}}, 403),
            "forbidden",
            "status 403 (Authorization Error: No)",
        ),
        (Answered("Bad request - JSON Error", 400), "http-status", "status 400 (Bad request - JSON Error)"),
        (Answered({"error": "per_page must be 1 to 1000"}, 400), "http-status", "per_page must be 1 to 1000"),
        (Answered(OTHER_PAGE), "html-instead", "a web page instead of JSON (Welcome to Springfield)"),
        (Answered(b"id,title\n1,a\n"), "wrong-type", "invalid JSON"),
        (Answered(b"[" * 100_000), "wrong-type", "nested too deeply"),
        (Answered(b"1" * 100_001), "too-large", "could not be read"),
    ],
)
def test_what_will_not_pass_is_asked_once_and_named(
    site: LocalSite, pages: PageReader, reply: Answered, reason: str, words: str
) -> None:
    url = site.serves_in_turn("/page", reply)

    with pytest.raises(ShelterError, match="could not be read") as caught:
        pages.json(url)

    assert isinstance(caught.value, PermanentError)
    assert caught.value.reason == reason
    assert words in str(caught.value)
    assert url in str(caught.value)
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    "code", ["API_KEY_MISSING", "API_KEY_INVALID", "API_KEY_UNVERIFIED", "API_KEY_DISABLED"]
)
def test_a_key_that_is_not_accepted_names_the_setting_and_is_not_tried_again(
    site: LocalSite, pages: PageReader, code: str
) -> None:
    url = site.serves("/page", {"error": {"code": code, "message": "See https://api.data.gov"}}, 403)

    with pytest.raises(PermanentError, match="SHELTER_DATAGOV_API_KEY") as caught:
        pages.json(url)

    assert caught.value.reason == "forbidden"
    assert f"status 403 ({code}: See https://api.data.gov)" in str(caught.value)
    assert len(site.asked) == 1


def test_a_key_stands_in_no_error_and_no_description_of_the_reader(site: LocalSite) -> None:
    pages = PageReader(open_door(), max_bytes=1000, attempts=1, headers={"X-Api-Key": "s3cr3t"})

    with pytest.raises(PermanentError) as caught:
        pages.json(f"{site.url}/nothing")

    assert "s3cr3t" not in str(caught.value) + repr(pages)


def test_a_document_that_is_no_json_is_read_with_the_same_patience(
    site: LocalSite, pages: PageReader, naps: list[float]
) -> None:
    url = site.serves_in_turn(
        "/doc",
        Answered(SHUTDOWN, 503),
        Answered(b"half"),
        Answered(b"whole", headers={"content-type": "text/x"}),
    )

    def parse(body: bytes) -> str:
        if body != b"whole":
            raise TransientError("a document that breaks off")
        return body.decode()

    assert pages.document(url, parse, accept="text/x", max_bytes=100) == ("whole", 3)
    assert naps == [1.0, 2.0]
    assert site.asked[0].headers["Accept"] == "text/x"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Answered(OTHER_PAGE), "a web page instead of the document (Welcome to Springfield)"),
        (Answered(b"x" * 101), "could not be read"),
        (Answered(b"", 404), "status 404"),
    ],
)
def test_a_document_that_does_not_come_is_named(
    site: LocalSite, pages: PageReader, reply: Answered, words: str
) -> None:
    url = site.serves_in_turn("/doc", reply)

    with pytest.raises(PermanentError, match="/doc could not be read") as caught:
        pages.document(url, bytes.decode, accept="text/x", max_bytes=100)
    assert words in str(caught.value)


def test_a_portal_that_is_not_there_could_not_be_reached(pages: PageReader) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(TransientError, match=rf"http://127.0.0.1:{port} could not be reached: "):
        pages.json(f"http://127.0.0.1:{port}/search")


def test_a_forbidden_address_is_refused_without_a_second_try(naps: list[float]) -> None:
    pages = PageReader(open_door(), max_bytes=1000, sleep=naps.append)

    with pytest.raises(RefusedError, match=r"http://10\.0\.0\.1/x could not be read"):
        pages.json("http://10.0.0.1/x")

    assert naps == []


def test_a_portals_own_pause_is_kept(site: LocalSite, pages: PageReader, naps: list[float]) -> None:
    url = site.serves_in_turn(
        "/page",
        Answered(b"", 429, {"retry-after": "7"}),
        Answered(b"", 503, {"retry-after": "300"}),
        Answered(b"", 503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        GOOD,
    )

    pages.json(url)

    assert naps == [7.0, LONGEST_RETRY_AFTER_SECONDS, 0.0]


def test_a_portal_that_asks_for_a_longer_pause_than_we_wait_is_left_alone(
    site: LocalSite, pages: PageReader, naps: list[float]
) -> None:
    url = site.serves("/page", b"", 503, retry_after="3600")

    with pytest.raises(TransientError, match="503"):
        pages.json(url)

    assert naps == []
    assert len(site.asked) == 1


def test_pauses_without_an_answer_between_them_come_to_an_end(
    site: LocalSite, pages: PageReader, naps: list[float]
) -> None:
    url = site.serves("/page", b"", 503, retry_after="250")

    for _ in range(2):
        with pytest.raises(TransientError, match="503"):
            pages.json(url)

    assert naps == [250.0, 250.0]


@pytest.mark.parametrize(
    "value", ["-5", "soon", "", "1e9", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "Foo, 99 Bar 0000"]
)
def test_a_pause_that_cannot_be_read_is_none(
    site: LocalSite, pages: PageReader, naps: list[float], value: str
) -> None:
    url = site.serves_in_turn("/page", Answered(b"", 429, {"retry-after": value}), GOOD)

    pages.json(url)

    assert naps == [1.0]


def test_pauses_double_and_never_grow_past_a_minute() -> None:
    assert [pause(attempt, None) for attempt in (1, 2, 3, 7, 50)] == [1.0, 2.0, 4.0, 60.0, 60.0]


def test_headers_of_a_private_portal_go_with_every_request(site: LocalSite) -> None:
    url = site.serves("/page", {})
    pages = PageReader(open_door(), max_bytes=1000, headers={"X-Api-Key": "k"})

    pages.json(url)

    assert site.asked[0].headers["X-Api-Key"] == "k"
    assert site.asked[0].headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\xc3\xa9"}',
        b'\xef\xbb\xbf{"a": "\xc3\xa9"}',
        '{"a": "é"}'.encode("utf-16"),
        '{"a": "é"}'.encode("utf-16-be"),
        '{"a": "é"}'.encode("utf-16-le"),
        '{"a": "é"}'.encode("utf-32"),
    ],
)
def test_json_is_read_in_every_encoding_it_comes_in(body: bytes) -> None:
    assert parse_json(body) == ({"a": "é"}, False)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": NaN}', {"a": None}),
        (b'{"a": -Infinity}', {"a": None}),
        (b'{"a": 1e999}', {"a": None}),
        (b'{"a": ' + b"9" * 6000 + b"}", {"a": None}),
        (b'{"a": "one\ntwo"}', {"a": "one\ntwo"}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b'{"a": "\\u0000"}', {"a": "\x00"}),
    ],
)
def test_catalogues_odd_json_is_read_all_the_same(body: bytes, value: object) -> None:
    assert parse_json(body) == (value, False)


def test_bytes_that_are_not_utf8_are_left_for_the_record_they_stand_in() -> None:
    value, undecoded = parse_json(b'[{"title": "caf\xe9"}, {"title": "caf\xc3\xa9"}]')

    assert undecoded
    assert value[1] == {"title": "café"}
    assert value[0] != value[1]
