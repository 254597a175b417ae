"""Whatever a catalogue or a server writes, our parsers end soon, with a value or with a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shelter_pipeline.domain.addresses import may_dial
from shelter_pipeline.domain.errors import RefusedError, ShelterError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, join_url, parse_url
from shelter_pipeline.fetching.encoding import Inflater, encodings_of
from shelter_pipeline.fetching.framing import Framing, Head, HeadReader, framing_of
from shelter_pipeline.fetching.replies import (
    LONGEST_RETRY_AFTER_SECONDS,
    content_range,
    continues,
    error_of_status,
    media_type_of,
    retry_after_seconds,
    strong_etag,
)
from shelter_pipeline_tests.support.behaviours import ENCODERS, encoded

NOW = datetime(2026, 7, 6, 10, tzinfo=UTC)
fuzz = settings(max_examples=250, deadline=None, database=None)

anything = st.text(max_size=200)
latin = st.text(st.characters(max_codepoint=255), max_size=200)
hosts = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.from_regex(r"[a-zA-Z0-9.-]{1,40}", fullmatch=True),
    st.text("①②0123456789xXaF.。:[]%@\\", min_size=1, max_size=20),
)
urls = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTP://", "ftp://", "http:/", "//", "http:\\\\", ""]),
    st.sampled_from(["", "user@", "user:pw@", "@"]),
    hosts,
    st.one_of(st.just(""), st.text("0123456789:", max_size=7).map(":{}".format)),
    st.text("/.%2e?#&=\\ \t\r\n;é\u200b\x00abc", max_size=60),
)
values = st.one_of(
    latin,
    st.integers().map(str),
    st.from_regex(r"bytes [0-9]{0,25}-[0-9]{0,25}/([0-9]{0,25}|\*)", fullmatch=True),
    st.from_regex(r'(W/)?"[!-~]{0,20}"', fullmatch=True),
    st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
)
names = st.sampled_from(
    [
        *("Content-Length", "Transfer-Encoding", "Content-Encoding", "Content-Range", "ETag", "Retry-After"),
        *("Content-Type", "Location", "content-length", "TRANSFER-ENCODING"),
    ]
)
heads = st.builds(
    Head, st.integers(200, 999), st.just("1.1"), st.lists(st.tuples(names, values), max_size=6).map(tuple)
)


@contextmanager
def ends_only_in(*reasons: str) -> Iterator[None]:
    """Whatever the block does, it may end early for these reasons alone."""
    try:
        yield
    except ShelterError as error:
        if error.reason not in reasons:
            raise


@fuzz
@given(st.one_of(anything, urls))
@example("http://[::1%25lo]/")
@example("http://h:٣/")
@example("\ud800")
def test_a_url_is_refused_or_has_one_form_that_parses_to_itself(text: str) -> None:
    url = None
    with ends_only_in("bad-url", "bad-scheme"):
        url = parse_url(text)
    if url is None:
        return

    assert parse_url(url.text) == url
    assert url.text.isascii()
    assert url.text.isprintable()
    assert len(url.text) <= MAX_URL_LENGTH
    assert not set(" \\\t") & set(url.text)
    assert 0 < int(url.host.rpartition(":")[2]) <= 65535
    assert len(url.digest) == 32


@fuzz
@given(st.one_of(anything, urls), st.one_of(anything, urls))
def test_a_reference_is_refused_or_leads_to_a_url_that_could_have_been_written(
    base: str, reference: str
) -> None:
    url = None
    with ends_only_in("bad-url", "bad-scheme"):
        url = join_url(base, reference)

    assert url is None or parse_url(url.text) == url


@fuzz
@given(st.one_of(anything, hosts, st.ip_addresses().map(str)))
def test_what_is_no_address_is_not_dialled_and_never_an_error(literal: str) -> None:
    allowed = may_dial(literal)

    if allowed:
        address = IPv6Address(literal.partition("%")[0]) if ":" in literal else IPv4Address(literal)
        assert address.is_global
        assert not address.is_multicast


_INSIDE = [
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
        *(
            "::/96",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
            "2002::/16",
            "2001::/32",
            "64:ff9b:1::/48",
        ),
    )
]


@fuzz
@given(st.sampled_from(_INSIDE), st.integers(min_value=0))
def test_no_address_of_a_private_network_is_dialled_as_itself_or_mapped(
    network: IPv4Network | IPv6Network, number: int
) -> None:
    address = network[number % network.num_addresses]

    assert not may_dial(str(address))
    if isinstance(address, IPv4Address):
        assert not may_dial(f"::ffff:{address}")
        assert not may_dial(str(IPv6Address((0x64FF9B << 96) | int(address))))


@fuzz
@given(st.one_of(st.none(), values, anything))
@example("9" * 5000)
@example("Mon, 01 Jan 0000 00:00:00 GMT")
@example("Fri, 31 Dec 9999 23:59:59 -9999")
def test_a_retry_after_is_nothing_or_a_time_within_its_cap(value: str | None) -> None:
    seconds = retry_after_seconds(value, NOW)

    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER_SECONDS


@fuzz
@given(heads)
def test_a_content_range_is_nothing_or_lies_within_its_total(head: Head) -> None:
    found = content_range(head)

    assert found is None or 0 <= found.first <= found.last < found.total


@fuzz
@given(heads, st.integers(1, 10**12), st.one_of(st.none(), st.integers(0, 10**12)))
def test_a_reply_continues_a_file_only_if_it_says_every_word_of_it(
    head: Head, offset: int, total: int | None
) -> None:
    if continues(head, offset=offset, etag='"v1"', total=total, length=None):
        found = content_range(head)
        assert found is not None
        assert (found.first, found.last) == (offset, found.total - 1)
        assert total in (None, found.total)
        assert strong_etag(head) == '"v1"'


@fuzz
@given(heads)
def test_every_head_has_one_end_of_its_body_or_is_damaged(head: Head) -> None:
    framing = Framing(None, chunked=True)
    with ends_only_in("head-invalid"):
        framing = framing_of(head)

    assert framing.length is None or 0 <= framing.length <= 10**20
    assert not (framing.chunked and framing.length is not None)


@fuzz
@given(heads)
def test_every_head_has_a_verdict_and_readable_metadata(head: Head) -> None:
    error_of_status(head, NOW)
    encodings = encodings_of(head.get_all("content-encoding"))
    media_type = media_type_of(head)
    etag = strong_etag(head)

    assert all(len(name) <= 20 and name.isascii() for name in encodings)
    assert media_type is None or media_type == media_type.lower()
    assert etag is None or (etag.isascii() and etag.isprintable())


lines = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(
        [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 \r\n", b"\r\n", b"\n", b"X: a\r\n", b" folded\r\n"]
    ),
    st.builds(b"%b: %b\r\n".__mod__, st.tuples(st.binary(max_size=20), st.binary(max_size=200))),
)


@fuzz
@given(st.lists(lines, max_size=60))
def test_lines_of_any_bytes_are_a_head_or_damaged_and_bounded(fed: list[bytes]) -> None:
    reader = HeadReader(max_bytes=4096, max_lines=40)
    with ends_only_in("head-invalid", "head-too-large"):
        for line in fed:
            reader.feed(line)

    assert reader.size <= 4096 + 400
    if reader.head is not None:
        assert 200 <= reader.head.status <= 999
        for name, value in reader.head.headers:
            assert name.isascii()
            assert not any(ord(character) < 32 and character != "\t" for character in value)


@fuzz
@given(
    st.lists(st.sampled_from(sorted(ENCODERS)), min_size=1, max_size=3).map(tuple),
    st.binary(max_size=2000),
    st.integers(1, 500),
    st.booleans(),
)
def test_any_bytes_are_unfolded_or_damaged_within_the_cap(
    names: tuple[str, ...], data: bytes, piece: int, folded: bool
) -> None:
    wire = encoded(data, *names) if folded else data
    out = bytearray()
    inflater = Inflater(names, max_bytes=1500, out=out.extend)
    with ends_only_in("bad-encoding", "truncated-encoding", "too-large"):
        for at in range(0, len(wire), piece):
            inflater.feed(wire[at : at + piece])
        inflater.close()
        assert not folded or bytes(out) == data

    assert len(out) <= 1500


@pytest.mark.parametrize("length", [10**5, 10**6])
@pytest.mark.parametrize(
    "text", ["http://h/", "http://", "a" * 9, "http://h/?", "http://[", "http://.", "\t http://"]
)
def test_a_huge_url_is_refused_at_once(text: str, length: int) -> None:
    with pytest.raises(RefusedError):
        parse_url(text + "a" * length)
