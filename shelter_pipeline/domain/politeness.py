"""How a host is asked after what it has answered: how many requests at once, how far apart, when not at all.

Pure decisions over values; no clock, no chance, no I/O. A host that says "too much" (429,
503) rests, and is asked less from then on; one that answers well is asked as the settings
say again, step by step. A host that answers slowly is asked less often: five times its
usual time to the first byte lies between two starts, as between two fetches of Heritrix
(`delayFactor` 5, `maxDelayMs` 30,000), whose least delay of three seconds is our setting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

LATENCY_FACTOR = 5.0
LONGEST_LATENCY_DELAY_SECONDS = 30.0
LATENCY_WEIGHT = 0.2  # of the newest reply in the mean

FIRST_REST_SECONDS = 30.0
LONGEST_REST_SECONDS = 3600.0
LONGEST_ASKED_REST_SECONDS = 24 * 3600.0
LEAST_ASKED_REST_SECONDS = 1.0
STUBBORN_STRIKES = 4  # from this strike in a row on, a rest lasts at least this long, whatever was asked for
STUBBORN_REST_SECONDS = 600.0
JITTER = 0.25  # rests are longer by up to so much, so that hosts do not come back all at once

LONGEST_LEARNED_DELAY_SECONDS = 60.0
GOOD_REPLIES_A_STEP = 5

CONNECT_FAILURES = 5
FIRST_CONNECT_REST_SECONDS = 60.0
LONGEST_CONNECT_REST_SECONDS = 600.0

_TOO_MANY, _UNAVAILABLE, _FIRST_SERVER_ERROR = 429, 503, 500


@dataclass(frozen=True, slots=True)
class HostRules:
    """What we and the operator have set for one host.

    `exact_delay_seconds` replaces every other delay. A host that an operator has opened by
    its address has no usual delay and none for its latency.
    """

    connections: int
    delay_seconds: float
    exact_delay_seconds: float | None = None
    minds_latency: bool = True


@dataclass(frozen=True, slots=True)
class HostManners:
    """What the host has taught us. `rest_until` is in seconds of the caller's clock."""

    connections: int | None = None  # None: as many as the rules allow
    delay_seconds: float = 0.0
    rest_until: float | None = None
    strikes: int = 0  # "too much", less the good replies since
    good_replies: int = 0  # in a row, since something was amiss
    connect_failures: int = 0  # in a row
    latency_seconds: float | None = None
    crawl_delay_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What one request showed of its host; all unknown where it broke on the way."""

    status: int | None = None
    first_byte_seconds: float | None = None
    retry_after_seconds: float | None = None
    connect_failed: bool = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """An observation, when it was made, and the chance (0 to 1) by which its rest is longer."""

    observation: Observation
    at: float
    chance: float

    def seen_from(self, moment: float) -> Lesson:
        """The same lesson on a clock on which `moment` is zero."""
        return replace(self, at=self.at - moment)


def after_reply(
    manners: HostManners, observation: Observation, rules: HostRules, now: float, *, chance: float = 0.0
) -> HostManners:
    """The manners after one more request ended at `now`; `chance` (0 to 1) lengthens a rest by up to a quarter."""
    if observation.connect_failed:
        return _after_connect_failure(manners, now, chance)
    if observation.status is None:
        return manners
    manners = _with_latency(replace(manners, connect_failures=0), observation, rules)
    if observation.status in (_TOO_MANY, _UNAVAILABLE):
        return _after_too_much(manners, observation.retry_after_seconds, rules, now, chance)
    if observation.status < _FIRST_SERVER_ERROR:
        return _after_good_reply(manners, rules)
    return manners


def after_lessons(manners: HostManners, lessons: Iterable[Lesson], rules: HostRules) -> HostManners:
    """The manners after several lessons, in their order."""
    for lesson in lessons:
        manners = after_reply(manners, lesson.observation, rules, lesson.at, chance=lesson.chance)
    return manners


def delay_between_starts(manners: HostManners, rules: HostRules) -> float:
    """Least seconds between the starts of two requests to the host."""
    if rules.exact_delay_seconds is not None:
        return rules.exact_delay_seconds
    slowness = 0.0
    if rules.minds_latency and manners.latency_seconds is not None:
        slowness = min(LATENCY_FACTOR * manners.latency_seconds, LONGEST_LATENCY_DELAY_SECONDS)
    return max(rules.delay_seconds, slowness, manners.delay_seconds, manners.crawl_delay_seconds or 0.0)


def connections_at_once(manners: HostManners, rules: HostRules) -> int:
    """Most requests to the host under way at once."""
    return min(manners.connections or rules.connections, rules.connections)


def rest_left(manners: HostManners, now: float) -> float:
    """Seconds that the host still rests; 0 if it may be asked."""
    return max(manners.rest_until - now, 0.0) if manners.rest_until is not None else 0.0


def _with_latency(manners: HostManners, observation: Observation, rules: HostRules) -> HostManners:
    seen = observation.first_byte_seconds
    if seen is None or not rules.minds_latency:
        return manners
    known = manners.latency_seconds
    mean = seen if known is None else known + LATENCY_WEIGHT * (seen - known)
    return replace(manners, latency_seconds=mean)


def _after_too_much(
    manners: HostManners, asked: float | None, rules: HostRules, now: float, chance: float
) -> HostManners:
    """A strike, one connection, twice the delay; replies of one volley are one strike."""
    resting = rest_left(manners, now) > 0
    strikes = manners.strikes if resting else manners.strikes + 1
    delay = manners.delay_seconds
    if not resting:
        delay = min(2 * max(delay, rules.delay_seconds), LONGEST_LEARNED_DELAY_SECONDS)
    return replace(
        manners,
        strikes=strikes,
        good_replies=0,
        connections=1,
        delay_seconds=delay,
        rest_until=_later(manners.rest_until, now + _rest_of_strike(strikes, asked, chance)),
    )


def _rest_of_strike(strikes: int, asked: float | None, chance: float) -> float:
    """Seconds: what the host asked for, else half a minute doubled with each strike; long for a stubborn host."""
    least = STUBBORN_REST_SECONDS if strikes >= STUBBORN_STRIKES else LEAST_ASKED_REST_SECONDS
    if asked is not None:
        return min(max(asked, least), LONGEST_ASKED_REST_SECONDS)
    rest = min(FIRST_REST_SECONDS * 2.0 ** min(strikes - 1, 20), LONGEST_REST_SECONDS)
    return max(rest, least) * (1 + JITTER * chance)


def _after_good_reply(manners: HostManners, rules: HostRules) -> HostManners:
    """A strike less, and with every fifth in a row one connection more and half the delay, until all is usual."""
    if not (manners.strikes or manners.delay_seconds or manners.connections is not None):
        return manners
    good = manners.good_replies + 1
    # A host that answers some requests well does not refuse them all: its rests do not grow.
    manners = replace(manners, strikes=max(manners.strikes - 1, 0))
    if good % GOOD_REPLIES_A_STEP:
        return replace(manners, good_replies=good)
    delay = manners.delay_seconds / 2
    connections = None if manners.connections is None else manners.connections + 1
    is_usual = connections is None or connections >= rules.connections
    shorter = delay if delay > rules.delay_seconds else 0.0
    return replace(
        manners,
        connections=None if is_usual else connections,
        delay_seconds=shorter,
        good_replies=0 if is_usual and not (shorter or manners.strikes) else good,
    )


def _after_connect_failure(manners: HostManners, now: float, chance: float) -> HostManners:
    """From the fifth failure in a row on the host rests, a minute and then longer; a resting host counts none."""
    if rest_left(manners, now) > 0:
        return manners
    failures = manners.connect_failures + 1
    manners = replace(manners, connect_failures=failures)
    if failures < CONNECT_FAILURES:
        return manners
    rest = min(
        FIRST_CONNECT_REST_SECONDS * 2.0 ** min(failures - CONNECT_FAILURES, 10), LONGEST_CONNECT_REST_SECONDS
    )
    return replace(manners, rest_until=now + rest * (1 + JITTER * chance))


def _later(one: float | None, other: float) -> float:
    return other if one is None else max(one, other)
