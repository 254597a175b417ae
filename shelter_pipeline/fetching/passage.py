"""Who may pass the door, and with which words: schemes, ports, networks, header fields.

One value made from the settings; pure but for the transfers it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from shelter_pipeline.domain.addresses import Network
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.transfer import Transfer

# Ports on which other protocols listen: a crafted URL must not speak HTTP to them.
# fmt: off
OTHER_PROTOCOLS_PORTS = frozenset({
    7, 9, 13, 19, 20, 21, 22, 23, 25, 37, 42, 53, 69, 79, 110, 111, 113, 119, 123, 135, 137, 139, 143, 161, 179,
    389, 427, 445, 465, 512, 513, 514, 515, 548, 554, 587, 601, 636, 873, 990, 993, 995, 1433, 1521, 1723, 2049,
    2375, 2376, 2379, 2380, 3306, 3389, 3659, 4190, 5060, 5061, 5432, 5672, 5900, 6000, 6379, 6566, 6667, 9042,
    9092, 10250, 11211, 27017,
})
# fmt: on
# Fields about the file, not about us: they may follow a redirect to another host.
_TRAVELLING = frozenset({"accept", "range", "if-range", "if-none-match", "if-modified-since"})


class _Wanted(Protocol):
    @property
    def on_head(self) -> Callable[[Head], None]: ...
    @property
    def sink(self) -> Callable[[bytes], None]: ...
    @property
    def method(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def tick(self) -> Callable[[], None] | None: ...
    @property
    def max_bytes(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Passage:
    """The rules of the door. `ports` empty means every port but those of other protocols."""

    networks: tuple[Network, ...]
    ports: frozenset[int]
    user_agent: str

    def admit(self, url: Url) -> Url:
        """The URL if its scheme and port are ours to use. Raises RefusedError."""
        if url.scheme not in ("http", "https"):
            raise RefusedError(f"the scheme {url.scheme!r} is not one we fetch", reason="bad-scheme")
        port = int(url.host.rpartition(":")[2])
        if port not in self.ports if self.ports else port in OTHER_PROTOCOLS_PORTS:
            raise RefusedError(f"port {port} is not one that a rescue may use", reason="port-not-allowed")
        return url

    def transfer(
        self, url: Url, limits: Limits, wanted: _Wanted, *, seconds: float, same_host: bool
    ) -> Transfer:
        """The transfer of one hop; what is not about the file stays with the host it was meant for."""
        return Transfer(
            url,
            limits,
            seconds=seconds,
            max_bytes=limits.max_bytes if wanted.max_bytes is None else wanted.max_bytes,
            method=wanted.method,
            headers=self._header_lines(wanted.headers, same_host=same_host),
            allowed_networks=self.networks,
            on_head=wanted.on_head,
            sink=wanted.sink,
            tick=wanted.tick,
        )

    def _header_lines(self, extra: Mapping[str, str], *, same_host: bool) -> list[str]:
        fields = [(n, v) for n, v in extra.items() if same_host or n.lower() in _TRAVELLING] if extra else []
        return _header_lines(self.user_agent, tuple(fields))


@lru_cache(maxsize=256)
def _header_lines(user_agent: str, extra: tuple[tuple[str, str], ...]) -> list[str]:
    fields = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"} | dict(extra)
    for name, value in fields.items():
        if not (name + value).isprintable():
            raise ValueError(f"the header field {name!r} holds a control character")
    return [f"{name}: {value}" for name, value in fields.items()]
