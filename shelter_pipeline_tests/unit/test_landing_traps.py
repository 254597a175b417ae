"""What counts as a trap, row by row, and what looks like one and is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.discovery.traps import is_act, is_trap, without_session
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.ends_soon import ends_soon

SITE = "https://www.example.gov"


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("/list?month=2024-06", "calendar"),
        ("/events/2024/05/06/", "calendar"),
        ("/events/2024-05", "calendar"),
        ("/calendar/2024/5", "calendar"),
        ("/tagung?ical=1", "calendar"),
        ("/list?sort=name", "sort"),
        ("/list?a=1&sortBy=newest", "sort"),
        ("/list?order=asc", "sort"),
        ("/pub/?C=N;O=D", "sort"),
        ("/dataset/?res_format=CSV", "filter"),
        ("/list?f%5B0%5D=topic%3A7", "filter"),
        ("/list?facet.year=1", ""),
        ("/list?filter[year]=1", "filter"),
        ("/dataset/?_tags_limit=0", "filter"),
        ("/list?" + "&".join(f"k{number}=1" for number in range(40)), "filter"),
        ("/node/7?print=1", "print"),
        ("/print/node/7", "print"),
        ("/node/7?format=print", "print"),
        ("/?share=twitter", "share"),
        ("/post?replytocom=7", "share"),
        ("/sharer.php?u=7", "share"),
        ("/logout", "action"),
        ("/user/logout?x=1", "action"),
        ("/file/7/delete", "action"),
        ("/wiki/Data?action=edit", "action"),
        ("/shop/?add-to-cart=7", "action"),
        ("/cart", "action"),
        ("/shop/cart/", "action"),
        ("/user/register", "login"),
        ("/list?sort=a&action=delete", "action"),
        ("/login?next=/data", "login"),
        ("/user/login", "login"),
        ("/a/b/a/b/a/b", "circle"),
        ("/data/data/data/x", "circle"),
        ("/x?to=%252525252Fx", "circle"),
        ("/a" * 61, "circle"),
        # No traps, whatever they look like.
        ("/pub/data/2024/05/06/", ""),
        ("/2024/05/06/", ""),
        ("/tiles/0/0/0/", ""),
        ("/a/a/a/", ""),
        ("/data/data/", ""),
        ("/list?page=2", ""),
        ("/get?format=csv&f=json", ""),
        ("/download?action=download&file=7", ""),
        ("/?sort=", ""),
        ("/events/", ""),
        ("/logout-times.html", ""),
        ("/logins/", ""),
        ("/station?sid=KABR", ""),
        ("/data/register/companies/", ""),
        ("/arm/cart/2001/", ""),
        ("/pub/share/data/", ""),
        ("/maps/print/", ""),
        ("/storm/events/2024/", ""),
    ],
)
def test_each_row_of_the_table_of_traps(path: str, slug: str) -> None:
    assert is_trap(parse_url(SITE + path)) == slug


@pytest.mark.parametrize(
    ("path", "slug"),
    [("/pub/events/2024/05/", ""), ("/login/", ""), ("/print/", ""), ("/a/b/a/b/a/b/", "circle")],
)
def test_on_an_ftp_server_only_circles_are_traps(path: str, slug: str) -> None:
    url = parse_url(f"ftp://ftp.example.gov{path}")

    assert (is_trap(url), is_act(url)) == (slug, "")


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("/login/register/delete/a.csv", ""),
        ("/a.csv?action=delete", "action"),
        ("/login.php?next=a.csv", "login"),
        ("/logout", "action"),
        ("/sign-in", "login"),
        ("/list?sort=a", ""),
        ("/events/2024/05/06/", ""),
        ("/a.csv", ""),
    ],
)
def test_of_files_only_what_acts_or_asks_who_we_are_is_refused(path: str, slug: str) -> None:
    assert is_act(parse_url(SITE + path)) == slug


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("/a;jsessionid=0A1B2C3D", "/a"),
        ("/a;JSESSIONID=0A1B.node1?x=1", "/a?x=1"),
        ("/a;jsessionid=0A1B/b.csv", "/a/b.csv"),
        ("/a?PHPSESSID=7f3a&x=1", "/a?x=1"),
        ("/a?x=1&CFID=12&CFTOKEN=34", "/a?x=1"),
        ("/a?ASPSESSIONIDQQ=ABC", "/a"),
        ("/(S(lit3py55t21z5v55vlm25s55))/a.aspx", "/a.aspx"),
        ("/a?sid=0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c", "/a"),
        ("/a?sid=KABR", "/a?sid=KABR"),
        ("/a?sid=1234567890123456789012345678", "/a?sid=1234567890123456789012345678"),
        ("/a?session=spring", "/a?session=spring"),
        ("/a?utm_source=x&utm_medium=y&b=2&fbclid=z", "/a?b=2"),
        ("/a;v=1/b.csv", "/a;v=1/b.csv"),
        ("/a?x=&y", "/a?x=&y"),
    ],
)
def test_session_ids_and_marks_of_campaigns_are_taken_out_and_nothing_else(written: str, clean: str) -> None:
    assert without_session(SITE + written) == SITE + clean


@given(st.text(alphabet="ab/?&=;%25[]()S.0", max_size=300))
def test_no_url_is_too_strange_to_be_judged(tail: str) -> None:
    url = parse_url(f"{SITE}/{tail}")

    assert is_trap(url) in ("", "calendar", "sort", "filter", "print", "share", "action", "login", "circle")
    assert without_session(without_session(url.text)) == without_session(url.text)


def test_the_longest_urls_are_judged_at_once() -> None:
    urls = [
        parse_url(f"{SITE}/{part * (7900 // len(part))}") for part in ("ab/", "a/b/", ";sid=", "(S(", "%25")
    ]
    urls += [
        parse_url(f"{SITE}/?{part * (7900 // len(part))}")
        for part in ("a&", "[", "%5B0%5D=", "sid=a&", "%25")
    ]
    with ends_soon(2):
        for url in urls:
            is_trap(url)
            without_session(url.text)
