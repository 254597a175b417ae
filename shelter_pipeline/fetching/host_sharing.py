"""Keeps the hosts of this process in step with the ledger, from one thread, for all hosts at once.

Slots are taken when somebody waits for a host and kept while that goes on, renewed before
they run out, given back when nobody wants them here, or when others do and we have had
them for a while. Of a host with a delay, spans of time are taken too: for one start at
first, for twice as many each time while all are used, up to a few seconds. A span is made
longer before it is used up, so that one process alone never waits for the ledger.

A slot that could not be renewed in time is not used; a start lies within our span or is
not made. So a process that sleeps, dies or loses the database can only ever ask less than
it may, and costs the others a few seconds. While the ledger is away nothing is concluded
and nothing is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.host_sharing import (
    Grants,
    Ledger,
    Slot,
    SlotWish,
    Span,
    SpanWish,
    Taught,
    Wishes,
)
from shelter_pipeline.domain.politeness import rest_left
from shelter_pipeline.fetching.background import Background
from shelter_pipeline.fetching.host_state import HeldSlot, HeldSpan, HostState

TICK_SECONDS = 0.025
SWEEP_SECONDS = 1.0
# How old our knowledge of a host may be while we ask it.
REFRESH_SECONDS = 3.0
# After so long a slot is given up if others wait for one, and not taken again for a moment.
QUANTUM_SECONDS = 15.0
HAND_OVER_SECONDS = 1.0
_LONGEST_TAKE_PAUSE_SECONDS = 0.5
# How long a span is at most, and where processes take turns: time for one start in any case.
SPAN_SECONDS = 3.0
_SPAN_IN_TURNS_SECONDS = 1.0
# What a span is longer than its starts need, beside what the ledger needs to answer: they begin a little late.
_SLACK_SECONDS = 0.04
_ROUNDS_A_TICK = 3  # a host that is met is given a slot, and then a start, without another tick


class _Shared:
    """What sharing remembers of one host beside its state."""

    __slots__ = ("known_at", "sending", "take_after", "take_pause", "wanted_by_others")

    def __init__(self) -> None:
        self.known_at = float("-inf")
        self.wanted_by_others = False
        self.take_after = float("-inf")
        self.take_pause = 0.0
        self.sending = 0  # pending lessons that are on their way


class Sharing:
    """The background thread of a `Politeness` and what it tells the ledger. `changed` guards all states."""

    def __init__(
        self,
        ledger: Ledger,
        hosts: dict[str, HostState],
        changed: threading.Condition,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._hosts = hosts
        self._changed = changed
        self._clock = clock
        self._shared: dict[str, _Shared] = {}
        self._stirred: set[str] = set()
        self._urgent: set[str] = set()
        self._swept_at = float("-inf")
        self._answer_seconds = 0.0  # how long the ledger took lately
        self._thread = Background(
            "politeness", self._work, tick_seconds=TICK_SECONDS, sweep_seconds=SWEEP_SECONDS
        )

    def stir(self, state: HostState, *, urgently: bool = False) -> None:
        """Somebody waits for this host, or, `urgently`, others must learn of it. The caller holds the lock."""
        self._stirred.add(state.name)
        if urgently:
            self._urgent.add(state.name)
        self._thread.wake()

    def close(self) -> None:
        """Tell the ledger what it does not know yet, and give everything back."""
        self._thread.close()
        now = self._clock()
        with self._changed:
            taught = [one for state in self._hosts.values() for one in self._taught(state, now)]
        with suppress(ShelterError):  # leases run out by themselves
            if taught:
                self._ledger.settle(Wishes(taught=taught))
            self._ledger.close()

    def _work(self) -> None:
        for _ in range(_ROUNDS_A_TICK):
            now = self._clock()
            with self._changed:
                wishes = self._wishes(now)
            if wishes == Wishes():
                return
            grants = self._ask(wishes)
            done = self._clock()
            self._answer_seconds = max(done - now, self._answer_seconds / 2)
            with self._changed:
                self._take(wishes, grants, now, done)
                self._changed.notify_all()
            if not (grants.standings or grants.slots):
                return

    def _ask(self, wishes: Wishes) -> Grants:
        try:
            return self._ledger.settle(wishes)
        except BaseException:
            with self._changed:  # it may or may not have happened: the lessons are told again
                for taught in wishes.taught:
                    self._shared[taught.host].sending = 0
                self._stirred |= {wish.host for wish in wishes.slots}
            raise

    def _wishes(self, now: float) -> Wishes:
        """What to tell and to ask now: of stirred hosts what they lack, and once a second all the rest."""
        sweep = now - self._swept_at >= SWEEP_SECONDS
        if sweep:
            self._swept_at = now
            self._forget(now)
        names = list(self._hosts) if sweep else [*self._stirred]
        urgent, self._urgent, self._stirred = self._urgent, set(), set()
        states = [self._hosts[name] for name in names]
        for state in states:
            self._shared.setdefault(state.name, _Shared())
        hurried = {state.name for state in states if sweep or state.name in urgent}
        return Wishes(
            give_back=tuple(slot for state in states for slot in self._left(state, now)),
            renew=tuple(slot for state in states for slot in self._to_renew(state, now)),
            taught=tuple(
                one for state in states if state.name in hurried for one in self._taught(state, now)
            ),
            meet=tuple(state.name for state in states if self._must_meet(state, now)),
            slots=tuple(one for state in states for one in self._wanted_slots(state, now)),
            spans=tuple(one for state in states for one in self._wanted_span(state, now)),
        )

    def _forget(self, now: float) -> None:
        """Let go of hosts that are not wanted here any more, so that a sweep is about those that are."""
        for name in [name for name, state in self._hosts.items() if state.is_forgettable(now)]:
            del self._hosts[name]
            self._shared.pop(name, None)
            self._stirred.discard(name)
            self._urgent.discard(name)

    def _left(self, state: HostState, now: float) -> list[Slot]:
        """Slots that are not kept; they are gone from the state with this."""
        shared = self._shared[state.name]
        left: list[Slot] = []
        for number, slot in list(state.slots.items()):
            slot.leaving |= shared.wanted_by_others and now - slot.taken_at > QUANTUM_SECONDS
            if not slot.busy and (slot.leaving or number > state.limit or state.is_idle(slot, now)):
                del state.slots[number]
                left.append((state.name, number))
                if slot.leaving:
                    shared.take_after = now + HAND_OVER_SECONDS
        return left

    def _to_renew(self, state: HostState, now: float) -> list[Slot]:
        soon = now + self._ledger.lease_seconds * 2 / 3
        return [(state.name, number) for number, slot in state.slots.items() if slot.valid_until <= soon]

    def _taught(self, state: HostState, now: float) -> Iterator[Taught]:
        if state.pending or state.pending_crawl_delay is not None:
            lessons = [lesson.seen_from(now) for lesson in state.pending]
            self._shared.setdefault(state.name, _Shared()).sending = len(lessons)
            yield Taught(state.name, state.rules, lessons, state.pending_crawl_delay)

    def _must_meet(self, state: HostState, now: float) -> bool:
        is_old = now - self._shared[state.name].known_at > REFRESH_SECONDS
        return not state.met or (is_old and (bool(state.slots) or now <= state.wanted_until))

    def _wanted_slots(self, state: HostState, now: float) -> Iterator[SlotWish]:
        shared = self._shared[state.name]
        if not (state.wants_slot and self._may_ask(state, now)) or now < shared.take_after:
            return
        state.wants_slot = False
        # Twice as many as before each time: who asks how often says little of how many requests wait.
        count = min(max(len(state.slots), 1), state.limit - len(state.slots))
        if count > 0 and not (state.slots and shared.wanted_by_others):
            yield SlotWish(state.name, count, state.limit, starving=not state.slots)

    def _wanted_span(self, state: HostState, now: float) -> Iterator[SpanWish]:
        if not (state.wants_start and self._may_ask(state, now)) or state.delay <= 0:
            return
        if state.free_slot(now) is None:
            return
        has_time = state.pause(now) is not None
        if not has_time or state.runs_short(now):
            yield self._span_wish(state, now, only_longer=has_time)

    def _span_wish(self, state: HostState, now: float, *, only_longer: bool) -> SpanWish:
        span = state.span
        in_turns = span is not None and span.followed
        starts = 2 * (span.used + state.starts_left(now)) if span is not None else 1
        most = _SPAN_IN_TURNS_SECONDS if in_turns else SPAN_SECONDS
        seconds = max(min(starts * state.gap, most), state.gap) + _SLACK_SECONDS + 2 * self._answer_seconds
        if span is None or in_turns:
            return SpanWish(state.name, seconds)
        return SpanWish(state.name, state.lead(now) + seconds, span.mark, only_longer=only_longer)

    def _may_ask(self, state: HostState, now: float) -> bool:
        return state.met and now <= state.wanted_until and not rest_left(state.manners, now)

    def _take(self, wishes: Wishes, grants: Grants, asked: float, now: float) -> None:
        """Note what was granted. Leases and windows count from before the question, to be on the safe side."""
        for taught in wishes.taught:
            self._forget_told(self._hosts[taught.host], taught)
        for name, standing in grants.standings.items():
            self._hosts[name].learn(standing, now)
            self._shared[name].known_at, self._shared[name].wanted_by_others = now, standing.wanted
        until = asked + self._ledger.lease_seconds
        for name, number in wishes.renew:
            self._renewed(self._hosts[name], number, until if (name, number) in grants.renewed else None)
        for name, number in grants.slots:
            self._hosts[name].slots[number] = HeldSlot(until, now, now)
        self._pace_takers(wishes, {name for name, _ in grants.slots}, now)
        for wish in wishes.spans:
            self._note_span(self._hosts[wish.host], grants.spans.get(wish.host), asked, now)

    def _forget_told(self, state: HostState, taught: Taught) -> None:
        shared = self._shared[state.name]
        state.pending = state.pending[shared.sending :]
        shared.sending = 0
        if state.pending_crawl_delay == taught.crawl_delay_seconds:
            state.pending_crawl_delay = None

    def _renewed(self, state: HostState, number: int, until: float | None) -> None:
        if until is None:
            state.slots.pop(number, None)
        elif number in state.slots:
            state.slots[number].valid_until = until

    def _note_span(self, state: HostState, given: Span | None, asked: float, now: float) -> None:
        before = state.span
        if given is not None:
            begins = now + given.begins
            if before is not None:  # one that was made longer may not have begun yet
                begins = max(begins, before.begins)
            state.span = HeldSpan(begins, asked + given.ends, given.mark)
        elif before is not None:
            before.followed = True

    def _pace_takers(self, wishes: Wishes, given: set[str], now: float) -> None:
        """Who got no slot asks again after pauses that grow, so that a crowd at one host costs little."""
        for wish in wishes.slots:
            shared = self._shared[wish.host]
            got = wish.host in given
            shared.take_pause = (
                0.0 if got else min(max(2 * shared.take_pause, TICK_SECONDS), _LONGEST_TAKE_PAUSE_SECONDS)
            )
            shared.take_after = now + shared.take_pause
