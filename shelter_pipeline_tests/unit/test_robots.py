"""What is read in a robots.txt: the delay asked of us, or of everybody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.fetching.robots import LONGEST_CRAWL_DELAY_SECONDS, crawl_delay

US = "Shelter/0.1 (public data rescue; +https://example.org)"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-agent: *\n# a word\nCrawl-Delay: 10\n\nSitemap: https://x/s.xml\n", 10.0),
        ("user-AGENT: *\r\ncrawl-delay:2.5 # please\r\n", 2.5),
        ("\ufeffUser-agent: *\nCrawl-delay: 1", 1.0),
        ("User-agent: *\nCrawl-delay: 0\n", 0.0),
        ("User-agent: *\nCrawl-delay: 86400\n", LONGEST_CRAWL_DELAY_SECONDS),
        ("User-agent: a\nUser-agent: *\nDisallow: /x\nCrawl-delay: 3\n", 3.0),
        ("User-agent: *\n\nCrawl-delay: 4\n", 4.0),
        ("User-agent: *\nSitemap: https://x/s.xml\nCrawl-delay: 4\n", 4.0),
    ],
)
def test_the_delay_for_everybody_is_asked_of_us(text: str, seconds: float) -> None:
    assert crawl_delay(text, US) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-agent: *\nCrawl-delay: 10\nUser-agent: shelter\nCrawl-delay: 2\n", 2.0),
        ("User-agent: SHELTER/2.0\nCrawl-delay: 2\nUser-agent: *\nCrawl-delay: 10\n", 2.0),
        ("User-agent: shelter\nCrawl-delay: 2\nUser-agent: shelter\nCrawl-delay: 7\n", 7.0),
        ("User-agent: shelter\nDisallow: /x\nUser-agent: *\nCrawl-delay: 10\n", None),
        ("User-agent: shelterbot\nCrawl-delay: 2\nUser-agent: *\nCrawl-delay: 10\n", 10.0),
    ],
)
def test_a_group_of_our_own_counts_before_that_for_everybody(text: str, seconds: float | None) -> None:
    assert crawl_delay(text, US) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><h1>Not found</h1></html>",
        "Crawl-delay: 10\n",
        "User-agent: googlebot\nCrawl-delay: 10\n",
        "User-agent: *\nCrawl-delay: soon\n",
        "User-agent: *\nCrawl-delay: -3\n",
        "User-agent: *\nCrawl-delay: nan\n",
        "User-agent: *\nCrawl-delay: 1e9\n",
        "User-agent: *\nCrawl-delay:\n",
        "User-agent: *\nDisallow: /\n",
    ],
)
def test_nonsense_asks_for_nothing(text: str) -> None:
    assert crawl_delay(text, US) is None


@given(st.text(), st.text())
def test_no_robots_txt_and_no_agent_breaks_it(text: str, agent: str) -> None:
    asked = crawl_delay(f"User-agent: *\n{text}", agent)

    assert asked is None or 0 <= asked <= LONGEST_CRAWL_DELAY_SECONDS
