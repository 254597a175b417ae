"""URLs as catalogues write them, and the one form in which we ask for and store them.

RFC 3986 with the parts refused that clients are known to read differently: userinfo,
backslashes, control characters, white space inside, odd digits in ports.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from shelter_pipeline.domain.errors import RefusedError

MAX_URL_LENGTH = 8000
# One fetch asks for the form of its URL several times.
_REMEMBERED = 4096
_LONGEST_NAME = 254  # RFC 1035, with the dot of the root
_LONGEST_LABEL = 63
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_CONTROL_OR_SPACE = re.compile(
    r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"
)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?\.?\Z")
_BRACKETED = re.compile(r"\[[^\[\]]+\](:[0-9]*)?\Z")
# Characters a server may have meant as they stand; everything else is percent-encoded.
_SAFE = "%/:@!$&'()*+,;=-._~"
# Most URLs are in normal form but for a fragment: nothing of them has to be taken apart.
_PLAIN = re.compile(
    r"(?P<scheme>https?|ftp)://(?P<host>[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_-]{1,63})*\.[a-z]{2,63})"
    r"(?P<path>/[A-Za-z0-9%/:@!$&'()*+,;=._~-]*)?(?P<query>\?[A-Za-z0-9%/:@!$&'()*+,;=._~?\[\]|-]*)?"
    r"(?:#[!-?A-\[\]-~]*)?\Z"
)


@dataclass(frozen=True, slots=True)
class Url:
    """A URL fit to be asked for: `text` is the normal form, `host` is `name:port` for politeness."""

    text: str
    scheme: str
    host: str
    path: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the normal form: the identity of an asset."""
        return hashlib.sha256(self.text.encode()).digest()


@lru_cache(maxsize=_REMEMBERED)
def parse_url(text: str) -> Url:
    """The normal form of a URL: lower-case scheme and host, no fragment, no default port, IRI encoded.

    Raises RefusedError `bad-url` or `bad-scheme` naming what was wrong.
    """
    return read_url(text)


def read_url(text: str) -> Url:
    """As `parse_url`, for whoever reads many URLs once: none of them is remembered."""
    plain = _PLAIN.match(text)
    if plain is None or len(text) >= MAX_URL_LENGTH or len(plain["host"]) > _LONGEST_NAME:
        return _read_carefully(text)
    scheme, host, path, query = plain.group("scheme", "host", "path", "query")
    path, query = path or "/", query if query and len(query) > 1 else ""
    return Url(f"{scheme}://{host}{path}{query}", scheme, f"{host}:{_DEFAULT_PORTS[scheme]}", path)


def _read_carefully(text: str) -> Url:
    text = text.strip()
    if not text:
        raise RefusedError("the URL is empty", reason="bad-url")
    _check_length(text)
    if _CONTROL_OR_SPACE.search(text) or "\\" in text:
        raise RefusedError("the URL holds white space, control characters or a backslash", reason="bad-url")
    try:
        text.encode()
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:  # a lone surrogate is one too
        raise RefusedError(f"the URL cannot be read: {error}", reason="bad-url") from error
    scheme = parts.scheme.lower()
    if not scheme or not parts.netloc:
        raise RefusedError("the URL has no scheme or no host", reason="bad-url")
    if scheme not in _DEFAULT_PORTS:
        raise RefusedError(f"the scheme {scheme!r} is not one we fetch", reason="bad-scheme")
    if "@" in parts.netloc or ("@" in parts.fragment and not parts.path):
        raise RefusedError("the URL carries a user name or password", reason="bad-url")
    if "[" in parts.netloc and not _BRACKETED.match(parts.netloc):
        raise RefusedError("the URL has something beside its IPv6 address", reason="bad-url")
    name = _normal_host(parts.hostname or "")
    port = port if port is not None else _DEFAULT_PORTS[scheme]
    if port == 0:
        raise RefusedError("port 0 cannot be asked", reason="bad-url")
    netloc = name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}"
    path = quote(parts.path or "/", safe=_SAFE)
    query = quote(parts.query, safe=_SAFE + "?[]|")
    normal = urlunsplit((scheme, netloc, path, query, ""))
    _check_length(normal)
    return Url(normal, scheme, f"{name}:{port}", path)


def _check_length(text: str) -> None:
    if len(text) > MAX_URL_LENGTH:
        raise RefusedError(
            f"the URL is {len(text)} characters long, more than {MAX_URL_LENGTH}", reason="bad-url"
        )


def _normal_host(name: str) -> str:
    if not name:
        raise RefusedError("the URL has no host", reason="bad-url")
    if ":" in name:
        return f"[{_normal_ipv6(name)}]"
    try:
        ascii_name = name.lower() if name.isascii() else name.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise RefusedError(f"the host {name!r} is not a name", reason="bad-url") from error
    labels = ascii_name.removesuffix(".").split(".")
    if (
        not _HOST.match(ascii_name)
        or len(ascii_name) > _LONGEST_NAME
        or not all(0 < len(label) <= _LONGEST_LABEL for label in labels)
    ):
        raise RefusedError(f"the host {name!r} is not a name", reason="bad-url")
    return ascii_name


def _normal_ipv6(literal: str) -> str:
    """RFC 5952; a scope id names one of our own interfaces, so it has no place in a catalogue's URL."""
    try:
        address = IPv6Address(literal)
    except ValueError as error:
        raise RefusedError(f"the host [{literal}] is not an IPv6 address", reason="bad-url") from error
    if address.scope_id is not None:
        raise RefusedError(f"the host [{literal}] carries a scope id", reason="bad-url")
    return str(address)


def join_url(base: str, reference: str) -> Url:
    """The URL that `reference` means when it stands in the document at `base`. Raises as `parse_url`."""
    try:
        joined = urljoin(base, reference.strip())
    except ValueError as error:
        raise RefusedError(f"the reference cannot be read: {error}", reason="bad-url") from error
    return parse_url(joined)
