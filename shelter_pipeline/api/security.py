"""Who is asking, and what they may do.

Reads are public, writes need a token. On the embedded default, bound to loopback, whoever
is on the machine may do everything without one; what only looks as if it were on the
machine may not: what a proxy forwards, what a web page sends, what was sent to another
name (DNS rebinding). A token that opens nothing is refused wherever it is shown, always
in the same words. A node may speak for itself and for nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from shelter_pipeline.api.errors import CKAN_PATHS, ApiError, unauthorized
from shelter_pipeline.api.services import Services, Serving
from shelter_pipeline.domain.networks import is_loopback
from shelter_pipeline.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# CKAN's clients ask by POST for what is only read.
READS_BY_POST = CKAN_PATHS
_ALL = frozenset({"operator", "node", "register"})
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: `who` names them in records, `node` is the name a node's token belongs to."""

    who: str
    scopes: frozenset[str]
    node: str | None = None
    is_local: bool = False  # trusted for being on this machine, without a token

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing is known of them: they may read what everybody may."""
        return not self.scopes

    def may_speak_for(self, node: str) -> bool:
        """Whether this principal may act as that node."""
        return self.is_local or (self.node is not None and self.node == node)


ANONYMOUS = Principal("anonymous", frozenset())
LOCAL = Principal("local", _ALL, is_local=True)


def forbidden(message: str) -> ApiError:
    """403: we know who asks, and they may not."""
    return ApiError(403, "forbidden", message)


async def principal_of(request: Request, serving: Serving) -> Principal:
    """Who is asking. Raises ApiError 401 for a token that opens nothing, and for a write by nobody."""
    found = await _principal(request, serving)
    request.state.who = found.who  # for the access log
    return found


async def _principal(request: Request, serving: Services) -> Principal:
    presented = token_in(request.headers, is_read(request.method, request.url.path))
    if presented is not None:
        found = await run_in_threadpool(serving.tokens.find, presented)
        if found is None:
            raise unauthorized()
        who = f"node:{found.node}" if found.node else f"token:{found.prefix}"
        return Principal(who, frozenset(found.scopes), found.node)
    if is_local(request, serving.settings):
        return LOCAL
    if not is_open(request.method, request.url.path, serving.settings):
        raise unauthorized()
    return ANONYMOUS


def is_read(method: str, path: str) -> bool:
    """Whether a request only reads, as it says by its method, or by its path where CKAN's clients ask by POST."""
    return method in SAFE_METHODS or path.startswith(READS_BY_POST)


def token_in(headers: Headers, reads: bool) -> str | None:
    """What was presented as a token; None if nothing was.

    Whatever else stands in `Authorization` is a token that opens nothing when somebody writes; a
    reader may keep the key of an old CKAN in it.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        return None
    scheme, _, presented = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return presented.strip()
    return None if reads else ""


def is_open(method: str, path: str, settings: Settings) -> bool:
    """Whether a request needs no token: all reads, and the registration of nodes where that is open."""
    if is_read(method, path):
        return True
    return method == "POST" and path == "/nodes" and settings.api_registration == "open"


def is_local(request: Request, settings: Settings) -> bool:
    """Whether the caller is a program on this machine and the settings let those write."""
    headers = request.headers
    return (
        lets_locals_write(settings)
        and request.client is not None
        and is_loopback(request.client.host)
        and not any(name in headers for name in _OF_PROXIES)
        and is_loopback(_host_of(f"//{headers.get('host', '')}"))
        and headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        and headers.get("origin") in (None, f"http://{headers.get('host')}")
    )


def lets_locals_write(settings: Settings) -> bool:
    """Whether a program on this machine may write without a token."""
    return settings.api_writes == "auto" and is_loopback(settings.api_bind_address)


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


Asking = Annotated[Principal, Depends(principal_of)]


def operator(asking: Asking) -> Principal:
    """An operator, or ApiError 401 or 403."""
    _known(asking)
    if "operator" not in asking.scopes:
        raise forbidden("this needs a token of an operator")
    return asking


def registrar(asking: Asking, serving: Serving) -> Principal:
    """Who may register a node, or ApiError 401 or 403."""
    if serving.settings.api_registration == "open":
        return asking
    _known(asking)
    if not asking.scopes & {"register", "operator"}:
        raise forbidden("nodes are registered by invitation here: ask for a token of scope register")
    return asking


def speaking_for(asking: Principal, node: str) -> None:
    """Raise ApiError 401 or 403 unless this principal may act as that node."""
    _known(asking)
    if not asking.may_speak_for(node):
        raise forbidden("this token does not belong to that node")


def _known(asking: Principal) -> None:
    if asking.is_anonymous:
        raise unauthorized()


Operator = Annotated[Principal, Depends(operator)]
Registrar = Annotated[Principal, Depends(registrar)]
