"""Which addresses a robots.txt forbids us: RFC 9309, case by case, and whatever bytes it is made of."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from shelter_pipeline.domain.robots import MOST_BYTES, robots_text
from shelter_pipeline.fetching.robots import parse_robots

US = "Shelter/0.1 (public data rescue; +https://example.org)"


def forbidden(text: str, *targets: str) -> list[str]:
    """Those of the targets that the text forbids us."""
    robots = parse_robots(text, US)
    return [target for target in targets if robots.against(target) is not None]


@pytest.mark.parametrize(
    ("rules", "no", "yes"),
    [
        ("Disallow: /a", ["/a", "/ab", "/a/b?c"], ["/", "/b", "/A"]),
        ("Disallow: /", ["/", "/anything?at=all"], []),
        ("Disallow:", [], ["/", "/a"]),
        ("Disallow: /a\nAllow: /a/open", ["/a/b"], ["/a/open", "/a/opened"]),
        ("Allow: /a/open\nDisallow: /a", ["/a/b"], ["/a/open"]),
        ("Allow: /a\nDisallow: /a", [], ["/a"]),
        ("Disallow: /a\nAllow: /a", [], ["/a"]),
        ("Disallow: /*.csv", ["/a.csv", "/x/a.csv?b", "/.csv"], ["/a.json", "/csv"]),
        ("Disallow: /*.csv$", ["/a.csv", "/a.csv.csv"], ["/a.csv?b", "/a.csv.gz"]),
        ("Disallow: /a$", ["/a"], ["/ab", "/a/"]),
        ("Disallow: /a*/b*c", ["/ax/bc", "/a/b/c/d"], ["/a/c", "/b/a/bc"]),
        ("Disallow: /data*\nAllow: /data/open*", ["/database"], ["/data/open/x"]),
        ("Allow: /data*\nDisallow: /*?q=", [], ["/data?q=1"]),  # six octets against five
        ("Disallow: *", ["/", "/a"], []),
        ("Disallow: a", ["/a"], ["/b"]),
        ("Disallow: /a # not /b", ["/a"], ["/b"]),
        ("Disallow: /caf\u00e9", ["/caf%C3%A9"], ["/cafe"]),
        ("Disallow: /caf%c3%a9", ["/caf%C3%A9"], ["/cafe"]),
        ("Disallow: /%7Ejoe", ["/~joe"], ["/joe"]),
        ("Disallow: /a%2Fb", ["/a%2Fb", "/a%2fb"], ["/a/b"]),
        ("Disallow: /a/%2A", ["/a/*", "/a/%2A"], ["/a/b"]),
        ("Disallow: /a$b", ["/a$b", "/a%24b"], ["/a"]),
        ("Disallow: /a?b=http://c", ["/a?b=http://c", "/a?b=http%3A//c"], ["/a"]),
        ("disallow:/a\r\n\r\nDISALLOW :/b", ["/a", "/b"], ["/c"]),
        ("Sitemap: https://x/s.xml\nNonsense\nDisallow: /a", ["/a"], ["/b"]),
    ],
)
def test_the_most_specific_rule_decides(rules: str, no: list[str], yes: list[str]) -> None:
    assert forbidden(f"User-agent: *\n{rules}\n", *no, *yes) == no


@pytest.mark.parametrize(
    ("text", "no"),
    [
        ("User-agent: *\nDisallow: /a\n\nUser-agent: shelter\nDisallow: /b\n", ["/b"]),
        ("User-agent: SHELTER\nDisallow: /b\n\nUser-agent: *\nDisallow: /a\n", ["/b"]),
        ("User-agent: Shelter/2.0\nDisallow: /b\n", ["/b"]),
        (
            "User-agent: shelter\nDisallow: /a\n\nUser-agent: x\nDisallow: /c\n\nUser-agent: shelter\nDisallow: /b\n",
            ["/a", "/b"],
        ),
        ("User-agent: x\nUser-agent: shelter\nDisallow: /b\n", ["/b"]),
        ("User-agent: shelter\n\nUser-agent: *\nDisallow: /b\n", ["/b"]),
        ("User-agent: shelter\nDisallow:\n\nUser-agent: *\nDisallow: /\n", []),
        ("User-agent: shel\nDisallow: /\n", []),
        ("User-agent: shelterbot\nDisallow: /\n", []),
        ("User-agent: googlebot\nDisallow: /\n", []),
        ("Disallow: /\n", []),
        ("User-agent: *\rDisallow: /a\rDisallow: /b\r", ["/a", "/b"]),
        ("\ufeffUser-agent: *\nDisallow: /a\n", ["/a"]),
    ],
)
def test_the_groups_that_name_us_count_or_else_those_for_everybody(text: str, no: list[str]) -> None:
    assert forbidden(text, "/a", "/b", "/c") == no


def test_the_rule_that_forbids_is_named_as_it_is_written() -> None:
    rule = parse_robots("User-agent: *\nDisallow: /\nDisallow: /caf\u00e9*\n", US).against("/caf%C3%A9/x")

    assert rule is not None
    assert rule.text == "Disallow: /caf\u00e9*"


def test_of_a_file_that_is_too_long_the_first_500_kib_count_in_whole_lines() -> None:
    start = b"User-agent: *\nDisallow: /a\n"
    filler = b"# x\n" * (MOST_BYTES // 4 - len(start) // 4 - 1)
    body = start + filler + b"Allow: /a/open\nDisallow: /b\n"

    text = robots_text(body)

    assert text is not None
    assert forbidden(text, "/a", "/a/open", "/b") == ["/a", "/a/open"]


@pytest.mark.parametrize(
    "body", [b"<!doctype html>\nUser-agent: *\nDisallow: /", b"  \n<html>", b"\xef\xbb\xbf<a>"]
)
def test_a_web_page_in_place_of_a_robots_txt_is_none(body: bytes) -> None:
    assert robots_text(body) is None


@given(st.binary(max_size=2000), st.text(max_size=200))
def test_no_bytes_and_no_path_break_it(body: bytes, target: str) -> None:
    text = robots_text(b"User-agent: *\n" + body)

    assert text is not None
    rule = parse_robots(text, US).against(f"/{target}")
    assert rule is None or not rule.allows


PATHS = st.text("ab/.*$-", max_size=8)


@given(
    st.lists(st.tuples(st.sampled_from(["Allow", "Disallow"]), PATHS.map("/".__add__)), max_size=6),
    st.text("ab/.-", max_size=10).map("/".__add__),
)
def test_another_reader_of_robots_txt_agrees_where_the_two_mean_the_same(
    rules: list[tuple[str, str]], target: str
) -> None:
    # Protego counts two stars as two octets and a `$` within as three; there the longest rule may differ.
    rules = [(kind, path) for kind, path in rules if "**" not in path and "$" not in path[:-1]]
    text = "User-agent: *\n" + "".join(f"{kind}: {path}\n" for kind, path in rules)

    allowed = parse_robots(text, US).against(target) is None

    assert allowed == Protego.parse(text).can_fetch(f"https://h{target}", "shelter")


@pytest.mark.parametrize(
    "line", ["Disallow: /*a*a*a*a*a*a*b", "Disallow: /" + "*a" * 2000 + "b", "Disallow: /aaaaaaaaaaaaaaaab"]
)
def test_the_worst_robots_txt_is_read_and_asked_in_bounded_time(line: str) -> None:
    text = "User-agent: *\n" + f"{line}\n" * (MOST_BYTES // (len(line) + 1))
    began = time.monotonic()

    robots = parse_robots(text, US)
    read = time.monotonic()
    assert robots.against("/" + "a" * 7900) is None

    assert read - began < 10
    assert time.monotonic() - read < 2
