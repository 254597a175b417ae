"""Whether robots.txt lets us ask for a URL: decided from memory, at once, and remembered for a day.

Who is told to `Ask` fetches the robots.txt and reports it by `learn`; meanwhile the others
are held. With a ledger what was learned is shared by all processes and outlives them, one
of them asks for all, and an operator's word on a host holds everywhere within a minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from shelter_pipeline.domain.errors import RefusedError, ShelterError, TransientError
from shelter_pipeline.domain.robots import (
    RobotsLedger,
    RobotsPolicy,
    RobotsQuestion,
    RobotsRecord,
    RobotsReply,
    after_robots_reply,
    error_of_record,
)
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.background import Background
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots import Robots, parse_robots
from shelter_pipeline.settings import Settings

__all__ = ["Allowed", "Ask", "Disallowed", "Held", "RobotsBook", "RobotsReply"]

# An asker that says nothing for so long is taken for dead, and another one asks.
ASKING_SECONDS = 180.0
WORTH_ASKING_AGAIN_SECONDS = 0.1
RECHECK_SECONDS = 60.0
_TICK_SECONDS, _SWEEP_SECONDS = 0.025, 5.0


@dataclass(frozen=True, slots=True)
class Allowed:
    """The URL may be asked for."""


@dataclass(frozen=True, slots=True)
class Disallowed:
    """The host asks robots to leave this URL alone, by this rule."""

    rule: str


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: worth asking again after so many seconds. `error` says why the robots.txt cannot be had.

    Without an error somebody is asking for it.
    """

    seconds: float
    error: ShelterError | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Fetch this robots.txt, following redirects, and `learn` how that ended. Nobody else will meanwhile."""

    robots_url: str


Decision = Allowed | Disallowed | Held | Ask
_ALLOWED = Allowed()
_SOON = Held(WORTH_ASKING_AGAIN_SECONDS)


@dataclass(slots=True)
class _Entry:
    """One origin in memory."""

    host: str
    record: RobotsRecord = field(default_factory=RobotsRecord)
    robots: Robots = field(default_factory=Robots)
    policy: RobotsPolicy | None = None
    is_known: bool = False  # whether the ledger has answered
    may_ask: bool = False
    checked_at: float = float("-inf")
    asked_until: float = float("-inf")


class RobotsBook:
    """The robots.txt of all origins that this process meets; safe to share between threads."""

    def __init__(
        self,
        agent: str,
        *,
        policy: RobotsPolicy = "obey",
        ledger: RobotsLedger | None = None,
        on_crawl_delay: Callable[[str, float], None] = lambda _host, _seconds: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._agent = agent
        self._sleep = sleep
        self._policy: RobotsPolicy = policy
        self._ledger = ledger
        self._on_crawl_delay = on_crawl_delay
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._questions: dict[str, bool] = {}  # origins, and whether the right to ask is wanted too
        self._learned: dict[str, RobotsRecord] = {}  # what the ledger does not know yet
        self._thread = Background(
            "robots", self._exchange, tick_seconds=_TICK_SECONDS, sweep_seconds=_SWEEP_SECONDS
        )

    @classmethod
    def of(cls, settings: Settings, politeness: Politeness, ledger: RobotsLedger | None = None) -> RobotsBook:
        """The book of an operator's settings; `politeness` is told the delays that hosts ask for."""
        return cls(
            settings.user_agent, policy=settings.robots, ledger=ledger, on_crawl_delay=politeness.set_delay
        )

    def close(self) -> None:
        """Tell the ledger what it does not know yet."""
        self._thread.close()
        with suppress(ShelterError):  # it will be asked for again
            self._exchange()

    def decide(self, url: Url) -> Decision:
        """What robots.txt says to a request for `url`. Never waits."""
        if not _has_robots(url):
            return _ALLOWED
        origin = _origin_of(url)
        now = self._clock()
        with self._lock:
            entry = self._entry(origin, url, now)
            if not entry.is_known:
                return _SOON
            if (entry.policy or self._policy) == "ignore":
                return _ALLOWED
            fresh_until = entry.record.fresh_until
            if fresh_until is None or now >= fresh_until:
                return self._ask(origin, entry, now)
            record, robots = entry.record, entry.robots
        if record.state == "failing":
            return Held(fresh_until - now, error_of_record(record, fresh_until - now))
        rule = robots.against(url.text[len(origin) :])
        return Disallowed(rule.text) if rule is not None else _ALLOWED

    def wait_seconds(self, url: Url) -> float:
        """Seconds if `decide` would only say that somebody else is asking; 0 if it has something to say."""
        if not _has_robots(url):
            return 0.0
        origin = _origin_of(url)
        now = self._clock()
        with self._lock:
            entry = self._entry(origin, url, now)
            if not entry.is_known:
                return WORTH_ASKING_AGAIN_SECONDS
            fresh_until = entry.record.fresh_until
            if (entry.policy or self._policy) == "ignore" or (fresh_until is not None and now < fresh_until):
                return 0.0
            return 0.0 if self._may_ask(origin, entry, now) else WORTH_ASKING_AGAIN_SECONDS

    def admit(self, url: Url, ask: Callable[[str], RobotsReply]) -> None:
        """Wait for the decision on `url`; whoever is told to ask calls `ask` with the address of the robots.txt.

        Raises RefusedError `robots` if the URL is to be left alone, the error that keeps the
        robots.txt from being had, or TransientError `interrupted` if nobody had it for minutes.
        """
        deadline = self._clock() + 2 * ASKING_SECONDS
        while self._clock() < deadline:
            decision = self.decide(url)
            if isinstance(decision, Allowed):
                return
            if isinstance(decision, Disallowed):
                raise RefusedError(f"robots.txt says {decision.rule}", reason="robots")
            if isinstance(decision, Ask):
                self.learn(url, _outcome_of(ask, decision.robots_url))
            elif decision.error is not None:
                raise decision.error
            else:
                self._sleep(decision.seconds)
        raise TransientError("the robots.txt of the host is still being asked for", reason="interrupted")

    def learn(self, url: Url, reply: RobotsReply) -> None:
        """How the request for the robots.txt at the URL's origin ended."""
        origin = _origin_of(url)
        now = self._clock()
        with self._lock:
            entry = self._entries.setdefault(origin, _Entry(url.host, is_known=True))
            before = entry.record
            self._note(entry, after_robots_reply(before, reply, now))
            entry.asked_until = float("-inf")
            if entry.record is before:
                return
            if self._ledger is not None:
                self._learned[origin] = entry.record
                self._thread.wake()
            state, delay = entry.record.state, entry.robots.crawl_delay_seconds
        if state != "failing":
            self._on_crawl_delay(url.host, delay or 0.0)

    def _entry(self, origin: str, url: Url, now: float) -> _Entry:
        entry = self._entries.get(origin)
        if entry is None:
            entry = self._entries[origin] = _Entry(url.host, is_known=self._ledger is None)
        self._recheck(origin, entry, now)
        return entry

    def _recheck(self, origin: str, entry: _Entry, now: float) -> None:
        if self._ledger is not None and now - entry.checked_at > RECHECK_SECONDS:
            entry.checked_at = now
            self._question(origin, claim=False)

    def _ask(self, origin: str, entry: _Entry, now: float) -> Decision:
        if not self._may_ask(origin, entry, now):
            return _SOON
        entry.may_ask = False
        entry.asked_until = now + ASKING_SECONDS
        return Ask(f"{origin}/robots.txt")

    def _may_ask(self, origin: str, entry: _Entry, now: float) -> bool:
        """Whether nobody asks, here or elsewhere; the ledger is asked for the right to."""
        if now < entry.asked_until:
            return False
        if self._ledger is not None and not entry.may_ask:
            self._question(origin, claim=True)
            return False
        return True

    def _question(self, origin: str, *, claim: bool) -> None:
        self._questions[origin] = claim or self._questions.get(origin, False)
        self._thread.wake()

    def _note(self, entry: _Entry, record: RobotsRecord) -> None:
        if record.body != entry.record.body:
            entry.robots = parse_robots(record.body, self._agent) if record.body else Robots()
        entry.record = record

    def _exchange(self) -> None:
        """Tell the ledger all that is new and ask it all that is open, at once."""
        with self._lock:
            learned, self._learned = self._learned, {}
            asked, self._questions = self._questions, {}
            now = self._clock()
            told = {
                (origin, self._entries[origin].host): record.seen_from(now)
                for origin, record in learned.items()
            }
            questions = [
                RobotsQuestion(origin, self._entries[origin].host, claim) for origin, claim in asked.items()
            ]
        if self._ledger is None or not (told or questions):
            return
        try:
            answers = self._ledger.exchange(told, questions)
        except BaseException:
            with self._lock:
                self._learned = learned | self._learned
                self._questions = asked | self._questions
            raise
        now = self._clock()
        with self._lock:
            for origin, answer in answers.items():
                entry = self._entries[origin]
                entry.policy, entry.is_known = answer.policy, True
                entry.may_ask |= answer.may_ask
                if origin not in self._learned and now >= entry.asked_until:  # else we know better
                    self._note(entry, answer.record.seen_from(-now))


def _has_robots(url: Url) -> bool:
    return url.scheme in ("http", "https") and url.path != "/robots.txt"


def _origin_of(url: Url) -> str:
    """`scheme://name:port` of a normal form, which always has a path."""
    return url.text[: url.text.index("/", len(url.scheme) + 3)]


def _outcome_of(ask: Callable[[str], RobotsReply], robots_url: str) -> RobotsReply:
    try:
        return ask(robots_url)
    except ShelterError as error:
        return RobotsReply(None, error=error)
