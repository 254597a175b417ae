"""What a robots.txt says (RFC 9309): which addresses robots shall leave alone, and how far apart they ask.

Matching is our own because every octet of a rule counts: of the rules that match, the
longest decides, and `Allow` of two equally long ones. `Crawl-delay` is older than the RFC
and stands in no standard, yet it is how portals say the pace that they can bear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

# Longer delays are written against indexers: at more than a minute a page, a catalogue
# of a few thousand pages would never be read within the week.
LONGEST_CRAWL_DELAY_SECONDS = 60.0
_PRODUCT = re.compile(r"[A-Za-z_-]+")  # RFC 9309 section 2.2.1
_LINE_END = re.compile(r"\r\n|\r|\n")
_RECORD = re.compile(r"\s*([A-Za-z-]+)\s*:([^#]*)")
_RULES = frozenset({"allow", "disallow", "crawl-delay"})
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?\Z")
_EVERYBODY = "*"
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
# Octets that mean something else when they are not escaped: these alone stay as they are written.
_KEEP_ESCAPED = frozenset("%/?#*$")
_PRINTABLE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


@dataclass(frozen=True, slots=True)
class Rule:
    """`Allow` or `Disallow` with its path, as written; `parts` lie between the stars of its normal form."""

    allows: bool
    path: str
    parts: tuple[str, ...]
    anchored: bool
    octets: int

    @property
    def text(self) -> str:
        """The rule as a line."""
        return f"{'Allow' if self.allows else 'Disallow'}: {self.path}"

    def matches(self, target: str) -> bool:
        """Whether the rule is about this normal form of a path and query. Linear in both."""
        first, *others = self.parts
        if not target.startswith(first):
            return False
        if not others:
            return not self.anchored or len(target) == len(first)
        place = len(first)
        for part in others[:-1]:
            found = target.find(part, place)
            if found < 0:
                return False
            place = found + len(part)
        last = others[-1]
        if self.anchored:
            return len(target) - len(last) >= place and target.endswith(last)
        return target.find(last, place) >= 0


@dataclass(frozen=True, slots=True)
class Robots:
    """What one robots.txt says to us: rules, the most specific first, and the delay it asks for."""

    rules: tuple[Rule, ...] = ()
    crawl_delay_seconds: float | None = None

    def against(self, path_and_query: str) -> Rule | None:
        """The rule that forbids this path with its query (RFC 9309 section 2.2.2); None if it is allowed."""
        target = _normal(path_and_query)
        for rule in self.rules:
            if rule.matches(target):
                return None if rule.allows else rule
        return None


@dataclass(slots=True)
class _Group:
    """The lines that stand below the same agents."""

    agents: set[str] = field(default_factory=set)
    delays: list[float] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)


def parse_robots(text: str, agent: str) -> Robots:
    r"""What a robots.txt says to `agent` (a User-Agent header): never fails, whatever the text is.

    Counted are all groups that name the agent's product, else those for everybody. Of
    several delays the longest counts, up to a minute.

    >>> parse_robots("User-agent: *\nDisallow: /private\n", "Shelter/0.1").against("/private/a").text
    'Disallow: /private'
    """
    product = _PRODUCT.match(agent)
    own = product[0].lower() if product else _EVERYBODY
    groups = list(_groups(text))
    wanted = own if any(own in group.agents for group in groups) else _EVERYBODY
    ours = [group for group in groups if wanted in group.agents]
    rules = sorted((rule for group in ours for rule in group.rules), key=lambda r: (-r.octets, not r.allows))
    delays = [delay for group in ours for delay in group.delays]
    return Robots(tuple(rules), min(max(delays), LONGEST_CRAWL_DELAY_SECONDS) if delays else None)


def crawl_delay(text: str, agent: str) -> float | None:
    r"""Seconds between requests that a robots.txt asks of `agent`; None where there is none that can be read.

    >>> crawl_delay("User-agent: *\nCrawl-Delay: 10\n", "Shelter/0.1 (rescue)")
    10.0
    """
    return parse_robots(text, agent).crawl_delay_seconds


def _groups(text: str) -> Iterator[_Group]:
    """The groups of the text; one begins with its agents and ends where others begin."""
    group = _Group()
    in_rules = False
    for line in _LINE_END.split(text.removeprefix("\ufeff")):
        match = _RECORD.match(line)
        name, value = (match[1].lower(), match[2].strip()) if match else ("", "")
        if name == "user-agent":
            if in_rules:
                yield group
                group, in_rules = _Group(), False
            group.agents.add(_agent(value))
        elif name in _RULES:
            in_rules = True
            _add(group, name, value)
    yield group


def _add(group: _Group, name: str, value: str) -> None:
    if name == "crawl-delay":
        if _NUMBER.match(value):
            group.delays.append(float(value))
    elif value:  # an empty path forbids nothing
        group.rules.append(_rule(value, allows=name == "allow"))


def _agent(value: str) -> str:
    match = _PRODUCT.match(value)
    return match[0].lower() if match else value[:1]


def _rule(path: str, *, allows: bool) -> Rule:
    anchored = path.endswith("$")
    pattern = path.removesuffix("$")
    # A path that begins with neither a slash nor a star is meant from the root.
    if not pattern.startswith(("/", "*")):
        pattern = f"/{pattern}"
    parts = tuple(_normal(part) for part in re.split(r"\*+", pattern))
    return Rule(allows, path, parts, anchored, sum(map(len, parts)) + len(parts) - 1 + anchored)


def _normal(text: str) -> str:
    """The one spelling of a path: escapes only where they are needed, in capitals (RFC 9309 section 2.2.2)."""
    plain = text.replace("*", "%2A").replace("$", "%24")
    return quote(_ESCAPE.sub(_unescaped, plain), safe=_PRINTABLE, errors="replace")


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    if (
        character.isascii()
        and character.isprintable()
        and character not in _KEEP_ESCAPED
        and character != " "
    ):
        return character
    return match[0].upper()
