"""What a host's robots.txt asks for between two requests.

The groups are those of RFC 9309; `Crawl-delay` is older than it and stands in no
standard, yet it is how portals say the pace that they can bear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Longer delays are written against indexers: at more than a minute a page, a catalogue
# of a few thousand pages would never be read within the week.
LONGEST_CRAWL_DELAY_SECONDS = 60.0
_PRODUCT = re.compile(r"[A-Za-z_-]+")  # RFC 9309 section 2.2.1
_RECORD = re.compile(r"\s*([A-Za-z-]+)\s*:([^#]*)")
_RULES = frozenset({"allow", "disallow", "crawl-delay"})
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?\Z")
_EVERYBODY = "*"


def crawl_delay(text: str, agent: str) -> float | None:
    r"""Seconds between requests that a robots.txt asks of `agent` (a User-Agent header), at most a minute.

    Counted are all groups that name the agent's product, else those for everybody; of
    several delays the longest. None where there is none that can be read.

    >>> crawl_delay("User-agent: *\nCrawl-Delay: 10\n", "Shelter/0.1 (rescue)")
    10.0
    """
    product = _PRODUCT.match(agent)
    own = product[0].lower() if product else _EVERYBODY
    asked: dict[str, list[float]] = {}
    for agents, delays in _groups(text):
        for name in agents:
            asked.setdefault(name, []).extend(delays)
    delays = asked.get(own, asked.get(_EVERYBODY, []))
    return min(max(delays), LONGEST_CRAWL_DELAY_SECONDS) if delays else None


def _groups(text: str) -> Iterator[tuple[set[str], list[float]]]:
    """The agents and the delays of each group; a group begins with its agents and ends where others begin."""
    agents: set[str] = set()
    delays: list[float] = []
    in_rules = False
    for line in text.removeprefix("\ufeff").splitlines():
        match = _RECORD.match(line)
        name, value = (match[1].lower(), match[2].strip()) if match else ("", "")
        if name == "user-agent":
            if in_rules:
                yield agents, delays
                agents, delays, in_rules = set(), [], False
            agents.add(_agent(value))
        elif name in _RULES:
            in_rules = True
            if name == "crawl-delay" and _NUMBER.match(value):
                delays.append(float(value))
    yield agents, delays


def _agent(value: str) -> str:
    match = _PRODUCT.match(value)
    return match[0].lower() if match else value[:1]
