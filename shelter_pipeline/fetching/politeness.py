"""At most so many requests at once to one host, and so much time between their starts, and none while it rests.

The limits hold per `name:port`. With a ledger they hold over all processes that use it, and
what a host has taught is remembered; without one they hold in this process. A host that an
operator has opened by literal address (or `localhost`, when loopback is open) is ours or a
test's: its connections are bounded and its rests are kept, and it is given time between
requests only if it asks for that, or an operator does.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self

from shelter_pipeline.domain.addresses import Network
from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.host_sharing import Ledger
from shelter_pipeline.domain.politeness import (
    CONNECT_FAILURES,
    HostManners,
    HostRules,
    Lesson,
    Observation,
    rest_left,
)
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.host_sharing import Sharing
from shelter_pipeline.fetching.host_state import IDLE_SECONDS, HeldSlot, HostState
from shelter_pipeline.settings import Settings

__all__ = ["Observation", "Politeness", "Turn", "is_opened"]

# When a caller is told to ask again for what depends on other threads or processes.
WORTH_ASKING_AGAIN_SECONDS = 0.02
# A thread is not kept waiting for a host that rests longer: its caller has better things to do.
LONGEST_PATIENCE_SECONDS = 300.0
_NOTHING_SEEN = Observation()


class Turn:
    """One request to one host that may start now. Whoever has it ends it, once, however the request went."""

    __slots__ = ("_politeness", "_slot", "_state", "ended")

    def __init__(self, politeness: Politeness, state: HostState, slot: HeldSlot) -> None:
        self._politeness = politeness
        self._state = state
        self._slot = slot
        self.ended = False

    def sent(self, at: float | None) -> None:
        """The request was sent at this moment of `time.monotonic`; None if it was begun and is not sent yet.

        The host's delay counts from here. Until it is sent nothing else begins at the host, if that has a delay.
        """
        self._politeness._sent(self._state, self._slot, at)  # noqa: SLF001 - one idea in two classes

    def end(self, observation: Observation | None, *, sent_at: float | None = None) -> None:
        """Free the slot and learn from what was seen; None if nothing was sent. ValueError the second time.

        `sent_at` is when the connection was made and the request sent, in seconds of `time.monotonic`.
        """
        if self.ended:
            raise ValueError(f"this turn at {self._state.name} has been ended already")
        self.ended = True
        self._politeness._end(self._state, self._slot, observation, sent_at)  # noqa: SLF001 - one idea in two classes


class Politeness:
    """Turns on hosts, for any number of threads. Nothing here asks the network, and `try_turn` asks nobody."""

    def __init__(
        self,
        *,
        connections: int,
        delay_seconds: float,
        allowed_networks: Sequence[Network] = (),
        ledger: Ledger | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connections = connections
        self._delay = delay_seconds
        self._networks = tuple(allowed_networks)
        self._clock = clock
        self._sleep = sleep
        self._changed = threading.Condition()
        self._hosts: dict[str, HostState] = {}
        self._sharing = Sharing(ledger, self._hosts, self._changed, clock) if ledger else None

    @classmethod
    def of(cls, settings: Settings, ledger: Ledger | None = None) -> Politeness:
        """The politeness an operator has set, shared with every process that has the same ledger."""
        return cls(
            connections=settings.host_connections,
            delay_seconds=settings.host_delay_seconds,
            allowed_networks=settings.allowed_networks,
            ledger=ledger,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say what is left to say and give every slot back. Nothing may be asked of hosts afterwards."""
        if self._sharing is not None:
            self._sharing.close()

    def try_turn(self, url: Url) -> Turn | float:
        """A turn at the URL's host if it may be asked now, else the seconds until it is worth asking again.

        Never waits for anything but this object's own lock. Where all slots are busy the
        seconds are a guess: who ends a turn of the host may ask again at once.
        """
        now = self._clock()
        with self._changed:
            state = self._state(url.host)
            pause = self._pause(state, now)
            if pause is None:
                return WORTH_ASKING_AGAIN_SECONDS
            if pause > 0:
                return pause
            return Turn(self, state, state.begin(now, now))

    @contextmanager
    def turn(self, url: Url) -> Iterator[Any]:
        """Wait until the host may be asked, and hold the `Turn` for the block, which may end it itself.

        Raises TransientError instead of waiting: `rate-limited` for a host that rests for more
        than five minutes, `connect-failed` for one that rests because nobody answers there.
        """
        turn = self._wait_for_turn(url)
        try:
            yield turn
        finally:
            if not turn.ended:
                turn.end(_NOTHING_SEEN)

    def rest_seconds(self, host: str) -> float:
        """How long `host` (`name:port`) still rests by what this process knows; 0 if it does not."""
        with self._changed:
            state = self._hosts.get(host)
            return rest_left(state.manners, self._clock()) if state is not None else 0.0

    def set_delay(self, host: str, seconds: float, *, exact: bool = False) -> None:
        """From now on, requests to `host` (`name:port`) start at least so far apart.

        What a host asks for only ever lengthens the delay of the settings, and is shared with
        other processes; an operator's own value, `exact`, replaces all others, in this process.
        """
        with self._changed:
            state = self._state(host)
            state.set_delay(max(seconds, 0.0), exact=exact)
            if self._sharing is not None and not exact:
                self._sharing.stir(state)

    def set_usual(self, host: str, *, connections: int, delay_seconds: float) -> None:
        """Ask `host` (`name:port`) as somebody says who shares it out among many, in place of the settings.

        What the host itself asks for still comes on top.
        """
        with self._changed:
            self._state(host).set_usual(connections=connections, delay_seconds=max(delay_seconds, 0.0))

    def _wait_for_turn(self, url: Url) -> Turn:
        while True:
            turn, pause = self._booked(url)
            wait: float | None = pause
            while wait is not None and wait > 0:
                self._sleep(wait)
                wait = self._left_to_wait(turn)
            if wait is not None:
                return turn
            turn.end(None)

    def _booked(self, url: Url) -> tuple[Turn, float]:
        """A turn that is ours, and the seconds until it has come."""
        with self._changed:
            state = self._state(url.host)
            while True:
                now = self._clock()
                pause = self._pause(state, now)
                _check_patience(url.host, state.manners, now)
                if pause is not None and state.may_book(now):
                    return Turn(self, state, state.begin(now, now + pause)), pause
                self._changed.wait(WORTH_ASKING_AGAIN_SECONDS)

    def _left_to_wait(self, turn: Turn) -> float | None:
        with self._changed:
            return turn._state.set_out(turn._slot, self._clock())  # noqa: SLF001 - one idea in two classes

    def _pause(self, state: HostState, now: float) -> float | None:
        pause = state.pause(now)
        state.wanted_until = max(state.wanted_until, now + min(pause or 0.0, state.delay) + IDLE_SECONDS)
        if pause is None:
            state.refuse(now)
        elif pause > 0 and state.runs_short(now):
            state.wants_start = True
        else:
            return pause
        if self._sharing is not None:
            self._sharing.stir(state)
        return pause

    def _sent(self, state: HostState, slot: HeldSlot, at: float | None) -> None:
        now = self._clock()
        with self._changed:
            if at is None:
                state.not_sent_yet(slot, now)
            else:
                state.sent(slot, min(at, now))

    def _end(
        self, state: HostState, slot: HeldSlot, observation: Observation | None, sent_at: float | None
    ) -> None:
        now = self._clock()
        lesson = Lesson(observation, now, random.random()) if observation is not None else None
        with self._changed:
            if sent_at is not None:
                state.sent(slot, min(sent_at, now))
            is_urgent = state.end(slot, lesson, now)
            if self._sharing is not None and (is_urgent or slot.leaving):
                self._sharing.stir(state, urgently=is_urgent)
            self._changed.notify_all()

    def _state(self, host: str) -> HostState:
        state = self._hosts.get(host)
        if state is None:
            opened = is_opened(host, self._networks)
            rules = HostRules(
                connections=self._connections,
                delay_seconds=0.0 if opened else self._delay,
                minds_latency=not opened,
            )
            state = self._hosts[host] = HostState(host, rules, shared=self._sharing is not None)
        return state


def _check_patience(host: str, manners: HostManners, now: float) -> None:
    rest = rest_left(manners, now)
    if rest > 0 and manners.connect_failures >= CONNECT_FAILURES:
        # Without a time to come again: whoever asked may have a patience of its own, and it is not the host's wish.
        raise TransientError(
            f"no connection to {host} could be made {manners.connect_failures} times in a row,"
            f" and it is not tried for {rest:.0f} seconds more",
            reason="connect-failed",
        )
    if rest > LONGEST_PATIENCE_SECONDS:
        raise TransientError(
            f"{host} is left alone for {rest:.0f} seconds more, because of what it answered before",
            reason="rate-limited",
            retry_after_seconds=rest,
        )


def is_opened(host: str, networks: Sequence[Network]) -> bool:
    """Whether `name:port` is, by its spelling alone, in a network that an operator has opened.

    >>> from ipaddress import ip_network
    >>> is_opened("localhost:8000", [ip_network("127.0.0.0/8")])
    True
    """
    name = host.rpartition(":")[0].strip("[]")
    try:
        address = ip_address("127.0.0.1" if name.rstrip(".") == "localhost" else name)
    except ValueError:
        return False
    return any(address in network for network in networks if network.version == address.version)
