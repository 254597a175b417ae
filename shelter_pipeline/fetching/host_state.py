"""One host as one process sees it: which slots it holds there, when the next request may start, what was learned.

No I/O, no clock, no lock: times are given (seconds of a clock that never steps), and whoever
calls makes sure that one thread does at a time. In a process that shares its limits with
others, slots and starts are only what the ledger has granted, and both run out; in one that
works alone, all slots are held from the beginning and starts follow the last one.

Between two starts lies the host's delay and, in a process that shares, a margin: the ways
of two requests to the host are not equally long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from shelter_pipeline.domain.host_sharing import Standing
from shelter_pipeline.domain.politeness import (
    HostManners,
    HostRules,
    Lesson,
    after_lessons,
    connections_at_once,
    delay_between_starts,
    rest_left,
)

# Kept for the ledger while it is away; older ones tell little by then.
_MOST_LESSONS = 500
# How long a slot is kept for a host of which nothing more is asked.
IDLE_SECONDS = 2.0
# How long a host is remembered here after that, where the ledger remembers it for good.
FORGET_AFTER_SECONDS = 60.0
# What two starts lie apart beyond the delay: a part of it, within bounds. On a machine with more
# to do than it can, requests of two processes were up to 10 ms closer at the host than when sent.
_MARGIN, _LEAST_MARGIN_SECONDS, _MOST_MARGIN_SECONDS = 0.03, 0.02, 0.1
# A span is made longer while the next start in it is not farther away than this.
_AHEAD_SECONDS = 1.0
_NO_TIME_SECONDS = 1e-6  # no clock is better
# When to look again whether a request that was begun has been sent.
_UNSENT_SECONDS = 0.1


def margin_seconds(delay: float) -> float:
    """How much more than the delay lies between two starts.

    >>> margin_seconds(0.1), margin_seconds(1.0)
    (0.02, 0.03)
    """
    return min(max(_MARGIN * delay, _LEAST_MARGIN_SECONDS), _MOST_MARGIN_SECONDS)


@dataclass(slots=True)
class HeldSlot:
    """A slot of ours, by our clock; `leaving` when it is to be given up as soon as it is not busy."""

    valid_until: float
    taken_at: float
    used_at: float
    busy: bool = False
    leaving: bool = False
    unsent: bool = False  # its request looks for the host's address, or connects
    start: float = -inf  # of the request that is under way
    start_before: float = -inf  # of the host, for when nothing is sent


@dataclass(slots=True)
class HeldSpan:
    """A time of the host that is ours, by our clock; `followed` if the time after it is somebody else's."""

    begins: float
    ends: float
    mark: datetime
    used: int = 0  # starts since it was given, or made longer
    followed: bool = False


class HostState:
    """What this process knows of one host, holds there and waits for."""

    def __init__(self, name: str, rules: HostRules, *, shared: bool) -> None:
        self.name = name
        self.shared = shared
        self.met = not shared  # whether the ledger has said how the host stands
        self.manners = HostManners()
        self.slots: dict[int, HeldSlot] = {}
        self.span: HeldSpan | None = None
        self.wanted_until = -inf  # somebody here waits for the host, or will soon
        self.wants_slot = False  # somebody asked when no slot was free
        self.wants_start = False  # somebody asked, and has not started since
        self.pending: list[Lesson] = []
        self.pending_crawl_delay: float | None = None
        self.delay = 0.0
        self.limit = 0
        self._usual = self._rules = rules
        self._own_exact: float | None = None
        self._last_start = -inf  # or the next one, if it is booked
        self._began_at = -inf  # what is booked has not begun
        self._last_slot: HeldSlot | None = None  # the one in which it was
        self._settle()
        if not shared:
            self.slots = {number: HeldSlot(inf, -inf, -inf) for number in range(1, rules.connections + 1)}

    @property
    def rules(self) -> HostRules:
        """What holds for the host now, an operator's words included."""
        return self._rules

    def pause(self, now: float) -> float | None:
        """Seconds until a request may start with what is held; None while a slot or a start is missing."""
        rest = rest_left(self.manners, now)
        if self.free_slot(now) is None:
            return rest or None
        if self.delay > 0 and any(slot.busy and slot.unsent for slot in self.slots.values()):
            return max(rest, _UNSENT_SECONDS)
        start = self._next_start(now + rest)
        return start - now if self._has_time(start) else rest or None

    @property
    def gap(self) -> float:
        """Seconds that lie between two starts of ours at least."""
        return self.delay + margin_seconds(self.delay) if self.shared and self.delay > 0 else self.delay

    def lead(self, now: float) -> float:
        """Seconds until the next start in the span that is held, or after the last one."""
        return self._next_start(now) - now

    def starts_left(self, now: float) -> int:
        """How many requests may still start in the span that is held."""
        if self.span is None or self.gap <= 0:
            return 0
        return max(0, int((self.span.ends - self._next_start(now)) / self.gap))

    def runs_short(self, now: float) -> bool:
        """Whether half of the span is used and the rest soon will be, so that it is time to make it longer."""
        span = self.span
        if span is None or span.followed or self.delay <= 0:
            return False
        start = self._next_start(now)
        return start - now <= _AHEAD_SECONDS and start + (1 + max(span.used, 1)) * self.gap > span.ends

    def _next_start(self, now: float) -> float:
        if self.delay <= 0:
            return now
        begins = self.span.begins if self.span is not None else -inf
        return max(now, self._last_start + self.gap, begins)

    def _has_time(self, start: float) -> bool:
        """Whether a start at this moment is ours to make: the gap after it belongs to it."""
        if not self.shared or self.delay <= 0:
            return True
        span = self.span
        return span is not None and span.begins <= start and start + self.gap <= span.ends

    def may_book(self, now: float) -> bool:
        """Whether what `pause` says is held already, so that a start may be taken before its time has come."""
        return self.free_slot(now) is not None and not (self.shared and rest_left(self.manners, now) > 0)

    def refuse(self, now: float) -> None:
        """Somebody was told that a slot or a start is missing."""
        self.wants_start = True
        self.wants_slot |= self.free_slot(now) is None

    def begin(self, now: float, start: float) -> HeldSlot:
        """Take a free slot, and the granted start, for a request at `start`. ValueError if none is free."""
        slot = self.free_slot(now)
        if slot is None:
            raise ValueError(f"no request to {self.name} may start: no slot is free")
        slot.busy, slot.start, slot.start_before = True, start, self._last_start
        if start <= now:
            self._began_at = start
        self._last_start, self._last_slot = start, slot
        self.wants_start = False
        if self.span is not None:
            self.span.used += 1
        return slot

    def set_out(self, slot: HeldSlot, now: float) -> float | None:
        """Seconds until a booked request may really start, 0 if it may now; None if its time is over.

        Those before it may have slept too long, as it may itself: what counts is when they began.
        """
        if self.delay <= 0 or now < slot.start:
            return 0.0
        wait = self._began_at + self.gap - now
        if wait > _NO_TIME_SECONDS:
            return wait
        is_late = now - slot.start > margin_seconds(self.delay) / 2
        if is_late and not self._has_time(now):
            return None
        self.sent(slot, now)
        return 0.0

    def not_sent_yet(self, slot: HeldSlot, now: float) -> None:
        """The request in the slot is begun, and its name, its address or its connection is waited for.

        Nothing else begins at the host meanwhile: where that takes longer than the delay, both would
        reach the host at the same moment.
        """
        self.sent(slot, now)
        slot.unsent = True

    def sent(self, slot: HeldSlot, at: float) -> None:
        """The request in the slot began at this moment, and not before."""
        slot.unsent = False
        self._began_at = max(self._began_at, at)
        if slot is self._last_slot:
            self._last_start = max(self._last_start, at)

    def end(self, slot: HeldSlot, lesson: Lesson | None, now: float) -> bool:
        """The request in the slot is over; returns whether others must know at once what it taught.

        Without a lesson nothing was sent, and the start is given back if none has followed.
        """
        slot.busy, slot.unsent, slot.used_at = False, False, now
        if lesson is None:
            if slot is self._last_slot:
                self._last_start, self._last_slot = slot.start_before, None
            return False
        before = self.manners
        self.manners = after_lessons(before, [lesson], self._rules)
        if self.manners == before:
            return False
        if self.shared:
            self.pending = [*self.pending[-_MOST_LESSONS:], lesson]
        self._settle()
        return self.shared and self.manners.rest_until != before.rest_until

    def free_slot(self, now: float) -> HeldSlot | None:
        """A slot in which a request may begin, if there is one."""
        for number, slot in self.slots.items():
            if not (slot.busy or slot.leaving) and number <= self.limit and now < slot.valid_until:
                return slot
        return None

    def set_delay(self, seconds: float, *, exact: bool) -> None:
        """A delay that the host asks for or, `exact`, that an operator has set."""
        if exact:
            self._own_exact = seconds
            self._rules = replace(self._rules, exact_delay_seconds=seconds)
        else:
            self.manners = replace(self.manners, crawl_delay_seconds=seconds)
            self.pending_crawl_delay = seconds if self.shared else None
        self._settle()

    def set_usual(self, *, connections: int, delay_seconds: float) -> None:
        """From now on these stand where the settings' values stood."""
        self._usual = replace(self._usual, connections=connections, delay_seconds=delay_seconds)
        self._rules = replace(self._rules, connections=connections, delay_seconds=delay_seconds)
        if not self.shared:
            for number in range(1, connections + 1):
                self.slots.setdefault(number, HeldSlot(inf, -inf, -inf))
        self._settle()

    def learn(self, standing: Standing, now: float) -> None:
        """The host stands so by the ledger; what was seen since is added to it."""
        usual = self._usual
        own = self._own_exact
        self._rules = replace(
            usual,
            connections=standing.connections or usual.connections,
            exact_delay_seconds=standing.delay_seconds if own is None else own,
        )
        rest = standing.manners.rest_until
        manners = replace(standing.manners, rest_until=None if rest is None else now + rest)
        if self.pending_crawl_delay is not None:
            manners = replace(manners, crawl_delay_seconds=self.pending_crawl_delay)
        self.manners = after_lessons(manners, self.pending, self._rules)
        self.met = True
        self._settle()

    def is_idle(self, slot: HeldSlot, now: float) -> bool:
        """Whether nobody uses the slot, nor will soon."""
        return not slot.busy and now > max(self.wanted_until, slot.used_at + IDLE_SECONDS)

    def is_forgettable(self, now: float) -> bool:
        """Whether the ledger knows all of it, and nobody here has wanted it for a while."""
        untold = self.pending or self.pending_crawl_delay is not None or self._own_exact is not None
        return not (self.slots or untold) and now > self.wanted_until + FORGET_AFTER_SECONDS

    def _settle(self) -> None:
        self.delay = delay_between_starts(self.manners, self._rules)
        self.limit = connections_at_once(self.manners, self._rules)
