"""libcurl's error codes turned into our verdicts, once; nothing above this module knows a code."""

from __future__ import annotations

from dataclasses import dataclass

from shelter_pipeline.domain.errors import (
    DamagedError,
    PermanentError,
    RefusedError,
    ShelterError,
    TransientError,
)
from shelter_pipeline.fetching.curl import pycurl

# Numbers where this pycurl names no constant; libcurl never reuses one.
_WEIRD_SERVER_REPLY = 8
_TOO_LARGE = 100

_TABLE: dict[int, tuple[type[ShelterError], str]] = {
    pycurl.E_UNSUPPORTED_PROTOCOL: (DamagedError, "head-invalid"),  # "HTTP/0.9": no status line at all
    pycurl.E_URL_MALFORMAT: (RefusedError, "bad-url"),
    pycurl.E_COULDNT_RESOLVE_HOST: (TransientError, "dns-failed"),
    pycurl.E_COULDNT_CONNECT: (TransientError, "connect-failed"),
    _WEIRD_SERVER_REPLY: (DamagedError, "head-invalid"),
    pycurl.E_PARTIAL_FILE: (TransientError, "connection-lost"),
    pycurl.E_SSL_CONNECT_ERROR: (PermanentError, "tls-failed"),
    pycurl.E_SSL_CERTPROBLEM: (PermanentError, "tls-failed"),
    pycurl.E_SSL_CIPHER: (PermanentError, "tls-failed"),
    pycurl.E_PEER_FAILED_VERIFICATION: (PermanentError, "tls-failed"),
    pycurl.E_SSL_INVALIDCERTSTATUS: (PermanentError, "tls-failed"),
    pycurl.E_SSL_ISSUER_ERROR: (PermanentError, "tls-failed"),
    pycurl.E_BAD_CONTENT_ENCODING: (DamagedError, "bad-encoding"),
    pycurl.E_FILESIZE_EXCEEDED: (PermanentError, "too-large"),
    _TOO_LARGE: (DamagedError, "head-too-large"),
    pycurl.E_LOGIN_DENIED: (PermanentError, "login-required"),
    pycurl.E_FTP_WEIRD_PASV_REPLY: (DamagedError, "head-invalid"),
    pycurl.E_FTP_WEIRD_227_FORMAT: (DamagedError, "head-invalid"),
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a transfer beside curl's code: how far it came, and what the guard refused."""

    resolved: bool
    connected: bool
    out_of_time: bool
    length_known: bool
    redirecting: bool
    refused: tuple[str, ...]
    dialled: bool


def error_of(code: int, message: str, seen: Circumstances) -> ShelterError:
    """The error that curl's `code` means in these circumstances; unknown codes are a lost connection."""
    if seen.refused and not seen.dialled:
        return RefusedError(f"may not dial {', '.join(seen.refused)}", reason="private-address")
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return _timed_out(message, seen)
    if code == _WEIRD_SERVER_REPLY and seen.redirecting:  # two Locations, among others
        return PermanentError(message, reason="bad-redirect")
    if code == pycurl.E_PARTIAL_FILE and seen.length_known:
        return TransientError(message, reason="wrong-length")
    kind, reason = _TABLE.get(code, (TransientError, "connection-lost"))
    return kind(message or f"curl error {code}", reason=reason)


def _timed_out(message: str, seen: Circumstances) -> ShelterError:
    """Which of the two clocks ran out: once a request was sent, only the total deadline is curl's."""
    if seen.connected or seen.out_of_time:
        return TransientError(message, reason="deadline")
    return TransientError(message, reason="connect-failed" if seen.resolved else "dns-failed")
