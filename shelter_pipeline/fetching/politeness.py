"""At most so many requests at once to one host, and so much time between their starts, in this process.

The limits hold per `name:port`. A host that an operator has opened by literal address
(or `localhost`, when loopback is open) is ours or a test's: its connections are bounded,
and it is given time between requests only if it asks for that, or an operator does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from math import inf

from shelter_pipeline.domain.addresses import Network
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Observation:
    """What one request showed of its host."""

    status: int | None
    first_byte_seconds: float | None
    retry_after_seconds: float | None
    connect_failed: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """One request to one host under way."""

    _slot: threading.Semaphore

    def end(self, _observation: Observation | None) -> None:
        """The request has ended."""
        self._slot.release()


class Politeness:
    """Turns on hosts: `with politeness.turn(url)` waits until the host may be asked."""

    def __init__(
        self,
        *,
        connections: int,
        delay_seconds: float,
        allowed_networks: Sequence[Network] = (),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connections = connections
        self._delay = delay_seconds
        self._networks = tuple(allowed_networks)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._slots: dict[str, threading.Semaphore] = {}
        self._last_start: dict[str, float] = {}
        self._asked: dict[str, float] = {}  # by the hosts themselves
        self._exact: dict[str, float] = {}  # by an operator

    @classmethod
    def of(cls, settings: Settings) -> Politeness:
        """The politeness an operator has set."""
        return cls(
            connections=settings.host_connections,
            delay_seconds=settings.host_delay_seconds,
            allowed_networks=settings.allowed_networks,
        )

    def try_turn(self, url: Url) -> Turn | float:
        """The turn if it is now, else seconds until it is worth asking again."""
        with self._lock:
            slot = self._slots.setdefault(url.host, threading.Semaphore(self._connections))
        if not slot.acquire(blocking=False):
            return 0.05
        pause = self._reserve_start(url.host) if self._delay_of(url.host) else 0.0
        if pause > 0:
            slot.release()
            self._last_start[url.host] -= self._delay_of(url.host)
            return pause
        return Turn(slot)

    def rest_seconds(self, _host: str) -> float:
        """How long the host still rests."""
        return 0.0

    @contextmanager
    def turn(self, url: Url) -> Iterator[None]:
        """Hold one of the host's slots for the block, entered a delay after the last start at the soonest."""
        with self._lock:
            slot = self._slots.setdefault(url.host, threading.Semaphore(self._connections))
        with slot:
            pause = self._reserve_start(url.host)
            if pause > 0:
                self._sleep(pause)
            yield

    def set_delay(self, host: str, seconds: float, *, exact: bool = False) -> None:
        """From now on, requests to `host` (`name:port`) start at least so far apart.

        What a host asks for only ever lengthens the delay of the settings; an operator's own
        value, `exact`, replaces both.
        """
        with self._lock:
            (self._exact if exact else self._asked)[host] = max(seconds, 0.0)

    def _delay_of(self, host: str) -> float:
        exact = self._exact.get(host)
        if exact is not None:
            return exact
        usual = 0.0 if is_opened(host, self._networks) else self._delay
        return max(usual, self._asked.get(host, 0.0))

    def _reserve_start(self, host: str) -> float:
        """Seconds until this request may start; the next one may start a delay later."""
        with self._lock:
            now = self._clock()
            start = max(now, self._last_start.get(host, -inf) + self._delay_of(host))
            self._last_start[host] = start
        return start - now


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
