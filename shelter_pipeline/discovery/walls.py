"""What stands in place of a page: a login, a robot check, an error that calls itself 200, an empty shell of scripts.

The signs are those of the content rules (`fetching/content_rules.toml`), an operator's
included. A page about data may well have a login form in its corner and a firewall's
script in its head, so no single sign is believed: it takes several, and a page that leads
to data is never a wall.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shelter_pipeline.discovery.leads import What
from shelter_pipeline.discovery.page_scan import Page
from shelter_pipeline.discovery.traps import is_act
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.content import HEAD_BYTES, ContentRules
from shelter_pipeline.fetching.signs import Sign, Signs
from shelter_pipeline.portals.protocol import Head

# Visible characters, white space apart: fewer than a notice has, or nothing to speak of.
_THIN = 2500
_NOTICE = 1500
_NOTHING = 200
_ENOUGH_EVIDENCE = 3

_CHALLENGES = {"cf-mitigated": {"challenge"}, "x-amzn-waf-action": {"challenge", "captcha"}}
_PARTS_OF_TITLE = re.compile(r"\s[|:–—·»-]\s|\s?[|»]\s?|:\s")
_MISSING = re.compile(
    r"\b404\b|not (?:be )?found|(?:does|did) not exist|no such|no longer available", re.IGNORECASE
)
_DENIED = re.compile(r"\b403\b|denied|forbidden|unauthori[sz]ed", re.IGNORECASE)
_PASSING = re.compile(
    r"\b5[0-9]{2}\b|unavailable|maintenance|gateway|internal|error (?:has )?occurred|too many|rate limit",
    re.IGNORECASE,
)
_OUTCOMES = ((_MISSING, "not-found"), (_DENIED, "forbidden"), (_PASSING, "server-error"))
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Wall:
    """What the page is instead, the reason slug of it, and the sentence for its record."""

    what: What
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A page as the rules see it; a bare one leads to no file, page or directory."""

    page: Page
    head: Head
    body: bytes
    asked: Url
    final: Url
    is_bare: bool


def wall(sight: Sight, rules: ContentRules) -> Wall | None:
    """What stands in place of a page that leads to no data file; None for what is a page about something."""
    seen = Signs(sight.body[:HEAD_BYTES], (len(sight.body),))
    return (
        _robot_check(sight, seen, rules.signs)
        or _login(sight, seen, rules.signs)
        or _waiting(sight, rules.signs)
        or _error_page(sight, rules.signs)
        or _made_by_script(sight)
    )


def _robot_check(sight: Sight, seen: Signs, signs: Mapping[str, Sign]) -> Wall | None:
    page = sight.page
    told = any((sight.head.get(name) or "").lower() in values for name, values in _CHALLENGES.items())
    titled = _found(signs["robot-check-title"], page.title)
    # A firewall's script alone stands in many good pages too.
    alone = page.words < _NOTICE and sight.is_bare
    if not (told or (alone and (titled or seen.shows("robot-check", signs)))):
        return None
    return Wall(What.LOGIN, "login-page", "the page keeps robots out (captcha or firewall)")


def _login(sight: Sight, seen: Signs, signs: Mapping[str, Sign]) -> Wall | None:
    page = sight.page
    sign_on = signs["single-sign-on"]
    was_sent = sight.final.text != sight.asked.text and (
        is_act(sight.final) == "login" or _found(sign_on, sight.final.text)
    )
    evidence = (
        2 * _found(signs["login-title"], page.title)
        + _found(signs["login-title"], page.heading)
        + 2 * seen.shows("password-field", signs)
        + seen.shows("single-sign-on", signs)
        + 2 * was_sent
        + (page.words < _THIN and sight.is_bare)
    )
    if evidence < _ENOUGH_EVIDENCE:
        return None
    return Wall(What.LOGIN, "login-page", f"the page asks for a login{_titled(page)}")


def _waiting(sight: Sight, signs: Mapping[str, Sign]) -> Wall | None:
    page = sight.page
    if not sight.is_bare or not any(
        _found(signs["waiting-title"], text) for text in (page.title, page.heading)
    ):
        return None
    return Wall(
        What.PROCESSING, "processing", f"the page says that the file is being prepared{_titled(page)}"
    )


def _error_page(sight: Sight, signs: Mapping[str, Sign]) -> Wall | None:
    """Errors with status 200 (soft 404): only where title or heading begin with one, and nothing else is there."""
    page = sight.page
    if not sight.is_bare or page.words > _NOTICE:
        return None
    for part in (*_PARTS_OF_TITLE.split(page.title.strip()), page.heading.strip()):
        if not any(_begins(signs[name], part) for name in ("error-words", "error-code")):
            continue
        for pattern, outcome in _OUTCOMES:
            if pattern.search(part):
                return Wall(What.LANDING, outcome, f'the page says "{part[:_SHOWN]}" with status 200')
    return None


def _made_by_script(sight: Sight) -> Wall | None:
    page = sight.page
    if not sight.is_bare or not page.scripts or page.words > _NOTHING:
        return None
    return Wall(
        What.LANDING,
        "landing-page-only",
        f"the page is made by a script: {page.words} visible characters beside {page.scripts} scripts",
    )


def _found(sign: Sign, text: str) -> bool:
    return sign.pattern is not None and sign.pattern.search(text) is not None


def _begins(sign: Sign, text: str) -> bool:
    return sign.pattern is not None and sign.pattern.match(text) is not None


def _titled(page: Page) -> str:
    title = " ".join(page.title.split())[:_SHOWN]
    return f' ("{title}")' if title else ""
