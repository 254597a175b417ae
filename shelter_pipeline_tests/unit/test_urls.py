"""URLs: one normal form for each, and a refusal with its reason for what clients read differently."""

from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, Url, join_url, parse_url, read_url

NAUGHTY = [
    "undefined",
    "NULL",
    "-1/0",
    "0x0",
    "1'; DROP TABLE asset;--",
    "../../../etc/passwd%00",
    "http://",
    "http:///etc/passwd",
    "http://%20/",
    "http://a b/",
    "http://.",
    "http://..",
    "http://a..b/",
    "http://-/",
    "http://[::1",
    "http://[::1]x/",
    "http://[v1.fe80::a]/",
    "http://[fe80::1%25eth0]/",
    "http://[::ffff:999.1.1.1]/",
    "http://\u202etest\u202e/",
    "http://\ufeffexample.com/",
    "http://exam\u200bple.com/",
    "http://\ud800/",
    "http://example.com/\udfff",
    "http://example.com/?\ud800",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 130 + "com/",
    "http://example.com:\uff19\uff19/",
    "http://example.com/\U0001f4a9",
    "http://田中さん.example/あげて?下さい#x",
    "http://xn--/",
    "http://xn--a/",
    "//example.com/a",
    "javascript:alert(1)",
    "file:///dev/random",
    "http://ex℀mple.com/",
    "http://example.com/<script>alert(1)</script>",
    "http://example.com/%",
    "http://example.com/%zz%00",
    "$HOME",
    "{0}",
    "%s%s%n",
]
pieces = st.one_of(
    st.sampled_from(NAUGHTY),
    st.text(),
    st.text(alphabet=st.characters(codec=None, categories=None)),
    st.text(alphabet=string.printable + "[]:@/\\?#%\uff0e。\uff11²ßİ\ud800"),
)
urls = st.one_of(
    pieces,
    st.builds("http://{}".format, pieces),
    st.builds("http://example.com/{}".format, pieces),
    st.builds("https://{}:{}/{}?{}#{}".format, pieces, st.integers(-1, 70000), pieces, pieces, pieces),
)


def refusal(text: str) -> str:
    with pytest.raises(RefusedError) as refused:
        parse_url(text)
    return refused.value.reason


def parsed(text: str) -> Url | None:
    """Whatever else is raised is a defect."""
    try:
        return parse_url(text)
    except RefusedError:
        return None


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("  https://example.com/a \n", "https://example.com/a"),
        ("http://example.com:80/a#top", "http://example.com/a"),
        ("https://example.com:443", "https://example.com/"),
        ("http://example.com:0080/", "http://example.com/"),
        ("http://example.com:8080/?", "http://example.com:8080/"),
        ("http://example.com/a b".replace(" ", "%20"), "http://example.com/a%20b"),
        ("http://example.com/Données.csv?q=é", "http://example.com/Donn%C3%A9es.csv?q=%C3%A9"),
        ("http://Bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://example.com/{a}|b^c`", "http://example.com/%7Ba%7D%7Cb%5Ec%60"),
        ("http://example.com/a?b[]=1|2", "http://example.com/a?b[]=1|2"),
        ("http://[2001:DB8:0:0::1]:8000/a", "http://[2001:db8::1]:8000/a"),
        ("http://my_host.example/", "http://my_host.example/"),
        ("http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/", "http://127.0.0.1/"),
        ("ftp://ftp.example.com/pub/a.zip", "ftp://ftp.example.com/pub/a.zip"),
        ("http://example.com/a@b;c=1,2", "http://example.com/a@b;c=1,2"),
    ],
)
def test_each_url_has_one_normal_form(written: str, normal: str) -> None:
    assert parse_url(written).text == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "example.com/a.csv",
        "http:/example.com",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://@example.com/",
        "http://127.0.0.1:80\\@google.com/",
        "http://google.com#@127.0.0.1/",
        "http://google.com?#@127.0.0.1/",
        "http://ex\tample.com/",
        "http://example.com/a\nb",
        "http://example.com/a\rb",
        "http://example.com/a b",
        "http://example.com/a\x00b",
        "http://example.com/a\u00a0b",
        "http://[/",
        "http://]/",
        "http://exam[ple.com/",
        "http://[::1]extra/",
        "http://[v1.fe80::a]/",
        "http://[fe80::1%25eth0]/",
        "http://example.com/" + "a" * MAX_URL_LENGTH,
        "http://example.com/" + "\U0001f4a9" * 1000,
        "http://example.com:99999/",
        "http://example.com:-1/",
        "http://example.com:0/",
        "http://example.com:+80/",
        "http://example.com:\uff11\uff12/",
        "http://example.com:80a/",
        "http://a..b/",
        "http://.example.com/",
        "http://" + "a" * 64 + ".com/",
        "http://" + "a." * 130 + "com/",
        "http://exam%70le.com/",
        "http://exa$mple.com/",
        "http://\ud800.com/",
        "http://example.com/\ud800",
        "http://example.com/?q=\udfff",
    ],
)
def test_what_clients_read_differently_is_refused(text: str) -> None:
    assert refusal(text) == "bad-url"


@pytest.mark.parametrize(
    "text",
    ["file:///etc/passwd", "gopher://example.com/", "data://text/plain", "s3://bucket/a", "HTTPX://a/"],
)
def test_another_scheme_is_refused_as_such(text: str) -> None:
    assert refusal(text) in ("bad-scheme", "bad-url")
    assert refusal("gopher://example.com/") == "bad-scheme"


def test_a_refusal_says_what_was_wrong() -> None:
    with pytest.raises(RefusedError, match=r"(?i)port"):
        parse_url("http://example.com:99999/")
    with pytest.raises(RefusedError, match="'gopher'"):
        parse_url("gopher://example.com/")


def test_politeness_and_identity_come_from_the_normal_form() -> None:
    url = parse_url("HTTPS://Example.com/a#b")

    assert url.host == "example.com:443"
    assert (url.scheme, url.path) == ("https", "/a")
    assert url.digest == hashlib.sha256(b"https://example.com/a").digest()


@pytest.mark.parametrize(
    ("reference", "joined"),
    [
        ("b.csv", "http://example.com/dir/b.csv"),
        (" ../c.csv ", "http://example.com/c.csv"),
        ("//other.example/d", "http://other.example/d"),
        ("?page=2", "http://example.com/dir/?page=2"),
        ("#top", "http://example.com/dir/"),
    ],
)
def test_a_reference_is_read_where_it_stands(reference: str, joined: str) -> None:
    assert join_url("http://example.com/dir/", reference).text == joined


@pytest.mark.parametrize(
    "reference", ["http://[", "javascript:void(0)", "mailto:a@b.example", "a\\b", "\ud800"]
)
def test_a_reference_that_leads_nowhere_is_refused(reference: str) -> None:
    with pytest.raises(RefusedError):
        join_url("http://example.com/dir/", reference)


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_naughty_string_is_a_url_or_refused(text: str) -> None:
    for written in (text, f"http://{text}", f"http://example.com/{text}", f"http://example.com/?{text}"):
        url = parsed(written)

        assert url is None or url.text.isascii()


@given(text=urls)
@example("http://example.com/" + "é" * 3000)
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    url = parsed(text)

    assert url is None or parse_url(url.text) == url


@given(text=urls)
def test_a_url_that_is_not_refused_is_printable_and_names_its_host(text: str) -> None:
    url = parsed(text)

    if url is not None:
        assert url.text.isascii()
        assert url.text.isprintable()
        assert " " not in url.text
        assert url.host.rpartition(":")[0]
        assert 0 < int(url.host.rpartition(":")[2]) < 65536


@given(reference=pieces)
def test_any_reference_is_joined_or_refused(reference: str) -> None:
    try:
        joined = join_url("http://example.com/a/b?c", reference)
    except RefusedError:
        return

    assert parse_url(joined.text) == joined


common = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "https", "ftp", "HTTP", "httpss", "ftps"]),
    st.text("ab1-_.", max_size=8).map("{}x.gov".format)
    | st.sampled_from(["a" * 64 + ".gov", "a." * 140 + "gov"]),
    st.sampled_from(["", ":80", ":8080", ":", ":0", "."]),
    st.text("/aZ%.;,()[]|\\@{é ", max_size=8).map("/{}".format) | st.just(""),
    st.sampled_from(["", "?", "#", "?a=b[]|c", "?a#b", "#@", "?{}", "#a b", "#\\", "?a?b/", "#" + "a" * 10]),
)


@given(text=common | urls)
@example("http://x.gov?")
@example("http://x.gov?a")
@example("http://x.gov/" + "a" * (MAX_URL_LENGTH - 13))
@example("http://x.gov/" + "a" * (MAX_URL_LENGTH - 12))
@example("http://x.gov?" + "a" * (MAX_URL_LENGTH - 13))
def test_a_url_in_normal_form_is_read_as_it_is_when_it_is_taken_apart(text: str) -> None:
    """White space around a text keeps it from the short way; what comes out must be the same."""

    def outcome(written: str) -> Url | str:
        try:
            return read_url(written)
        except RefusedError as refused:
            return refused.reason

    assert outcome(text) == outcome(f" {text}\n")
