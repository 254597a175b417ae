"""One host as one process sees it: which slots it holds there, when the next request may start, what was learned.

No I/O, no clock, no lock: times are given (seconds of a clock that never steps), and whoever
calls makes sure that one thread does at a time. In a process that shares its limits with
others, slots and starts are only what the ledger has granted, and both run out; in one that
works alone, all slots are held from the beginning and starts follow the last one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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


@dataclass(slots=True)
class HeldSlot:
    """A slot of ours, by our clock; `leaving` when it is to be given up as soon as it is not busy."""

    valid_until: float
    taken_at: float
    used_at: float
    busy: bool = False
    leaving: bool = False
    start_before: float = -inf  # of the host, to be given back with the window if nothing is sent
    window: tuple[float, float] | None = None


class HostState:
    """What this process knows of one host, holds there and waits for."""

    def __init__(self, name: str, rules: HostRules, *, shared: bool) -> None:
        self.name = name
        self.shared = shared
        self.met = not shared  # whether the ledger has said how the host stands
        self.manners = HostManners()
        self.slots: dict[int, HeldSlot] = {}
        self.window: tuple[float, float] | None = None  # in which the granted start must be used
        self.wanted_until = -inf  # somebody here waits for the host, or will soon
        self.wants_slot = False  # somebody asked when no slot was free
        self.wants_start = False  # somebody asked, and has not started since
        self.pending: list[Lesson] = []
        self.pending_crawl_delay: float | None = None
        self.delay = 0.0
        self.limit = 0
        self._usual = self._rules = rules
        self._own_exact: float | None = None
        self._last_start = -inf
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
        start = now + rest
        if self.delay > 0:
            if not self.shared:
                start = max(start, self._last_start + self.delay)
            elif self.window is None or start > self.window[1]:
                return rest or None
            else:
                start = max(start, self.window[0])
        return start - now

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
        slot.busy, slot.start_before, slot.window = True, self._last_start, self.window
        self._last_start, self._last_slot = start, slot
        self.window = None
        self.wants_start = False
        return slot

    def end(self, slot: HeldSlot, lesson: Lesson | None, now: float) -> bool:
        """The request in the slot is over; returns whether others must know at once what it taught.

        Without a lesson nothing was sent, and the start is given back if none has followed.
        """
        slot.busy, slot.used_at = False, now
        if lesson is None:
            if slot is self._last_slot:
                self._last_start, self.window = slot.start_before, slot.window
                self._last_slot = None
            return False
        before = self.manners
        self.manners = after_lessons(before, [lesson], self._rules)
        if self.manners == before:
            return False
        if self.shared:
            self.pending = [*self.pending[-_MOST_LESSONS:], lesson]
        self._settle()
        if self.manners.rest_until == before.rest_until:
            return False
        self.window = None
        return self.shared

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
