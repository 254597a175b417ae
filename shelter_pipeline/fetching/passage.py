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
from shelter_pipeline.fetching.ftp_file import FtpFile
from shelter_pipeline.fetching.ftp_page import FtpPage
from shelter_pipeline.fetching.ftp_paths import (
    CONTROL_PORT,
    LEAST_FREE_PORT,
    contact_of,
    file_name,
    last_name,
)
from shelter_pipeline.fetching.http_transfer import HttpTransfer
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.transfer import Transfer

# Ports on which other protocols listen: a crafted URL must not speak HTTP or FTP to them.
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
    @property
    def alone(self) -> bool: ...
    @property
    def listing(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Passage:
    """The rules of the door. `ports` empty means every port but those of other protocols."""

    networks: tuple[Network, ...]
    ports: frozenset[int]
    user_agent: str

    def admit(self, url: Url, *, listing: bool = False) -> Url:
        """The URL if its scheme and port are ours to use, and its path can be asked for.

        Raises RefusedError, and PermanentError `directory` for an ftp path that names no file,
        unless a `listing` of it is welcome.
        """
        if url.scheme not in ("http", "https", "ftp"):
            raise RefusedError(f"the scheme {url.scheme!r} is not one we fetch", reason="bad-scheme")
        port = int(url.host.rpartition(":")[2])
        if not self._may_use(port, url.scheme):
            raise RefusedError(f"port {port} is not one that a rescue may use", reason="port-not-allowed")
        if url.scheme == "ftp":
            _ = last_name(url) if listing else file_name(url)
        return url

    def admit_redirect(self, url: Url) -> Url:
        """As `admit`, for where a reply leads: from the web to the web only."""
        if url.scheme == "ftp":
            raise RefusedError("a redirect does not lead from the web to ftp", reason="bad-scheme")
        return self.admit(url)

    def _may_use(self, port: int, scheme: str) -> bool:
        if self.ports:
            return port in self.ports
        if scheme == "ftp" and port < LEAST_FREE_PORT:
            return port == CONTROL_PORT
        return port not in OTHER_PROTOCOLS_PORTS

    def transfer(
        self, url: Url, limits: Limits, wanted: _Wanted, *, seconds: float, same_host: bool
    ) -> Transfer:
        """The transfer of one hop; what is not about the file stays with the host it was meant for.

        ValueError for HEAD over ftp, which has no such thing.
        """
        if url.scheme == "ftp":
            return self._ftp_transfer(url, limits, wanted, seconds=seconds)
        return HttpTransfer(
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
            alone=wanted.alone,
        )

    def _ftp_transfer(self, url: Url, limits: Limits, wanted: _Wanted, *, seconds: float) -> Transfer:
        if wanted.method != "GET":
            raise ValueError(f"ftp has no {wanted.method}")
        kind = FtpPage if wanted.listing else FtpFile
        return kind(
            url,
            limits,
            seconds=seconds,
            max_bytes=limits.max_bytes if wanted.max_bytes is None else wanted.max_bytes,
            headers=wanted.headers,
            contact=contact_of(self.user_agent),
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
