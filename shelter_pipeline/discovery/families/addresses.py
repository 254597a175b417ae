"""The parts of a URL by which a family knows its places, and from which it makes the URLs of its interface."""

from __future__ import annotations

from urllib.parse import unquote_plus

from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, Url, join_url, parse_url

_ROOM = 600  # characters that a family may add to a URL
_MOST_PARAMETERS = 100
_DEFAULT_PORTS = frozenset({"80", "443"})


def name_of(url: Url) -> str:
    """The host's name without its port."""
    return url.host.rpartition(":")[0]


def site_of(url: Url) -> str:
    """Scheme, host and port, without a slash at the end."""
    scheme, _, rest = url.text.partition("://")
    return f"{scheme}://{rest[: rest.index('/')]}"


def secure_site_of(url: Url) -> str:
    """The same by https, for sites that have nothing else; a port of its own is left as it is."""
    name, _, port = url.host.rpartition(":")
    return f"https://{name}" if port in _DEFAULT_PORTS else site_of(url)


def query_of(url: Url) -> str:
    """The query as it stands, without its mark."""
    return url.text.partition("?")[2]


def parameters(url: Url) -> dict[str, str]:
    """The query's parameters by name in lower case, the first of each; `;` parts them as `&` does."""
    found: dict[str, str] = {}
    query = query_of(url)
    if not query:
        return found
    for part in query.replace(";", "&").split("&", _MOST_PARAMETERS)[:_MOST_PARAMETERS]:
        name, _, value = part.partition("=")
        if part:
            found.setdefault(unquote_plus(name).lower(), unquote_plus(value))
    return found


def same_place(url: str, base: str) -> bool:
    """Whether an interface's own link to its next part stays on the page that was asked: same site, same path."""
    try:
        one, other = join_url(base, url), parse_url(base)
    except RefusedError:
        return False
    return (one.scheme, one.host, one.path.rstrip("/")) == (other.scheme, other.host, other.path.rstrip("/"))


def has_room(url: Url) -> bool:
    """Whether what a family adds to a URL still leaves one that may be asked for."""
    return len(url.text) <= MAX_URL_LENGTH - _ROOM
