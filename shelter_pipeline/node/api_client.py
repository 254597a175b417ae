"""The API as a node asks it: JSON in both directions, bounded, with every answer turned into a value or one error.

    ApiAway      nobody answers, or not now: the same request may be asked again later
    ApiDenied    the token is not taken, or the node is not welcome: a person has to act
    NodeTooOld   this program has to be brought up to date
    ApiRefusal   this one request was refused, for the reason that it says

Redirects are not followed, and the environment (proxies, netrc) takes no part: the token goes
to the host that the volunteer named and nowhere else.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests

from shelter_pipeline.domain.errors import SetupError, ShelterError, TransientError
from shelter_pipeline.domain.node_protocol import VERSION_HEADER

_CONNECT_SECONDS, _READ_SECONDS = 10.0, 60.0
_MOST_ANSWER_BYTES = 16 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_LONGEST_ASKED_SECONDS = 3600.0
_LONGEST_MESSAGE = 500
_TOO_OLD, _CONFLICT, _FIRST_SERVER_ERROR, _FIRST_ERROR, _FIRST_REDIRECT = 426, 409, 500, 400, 300
_LATER = frozenset({408, 425, 429})
_UNAUTHORIZED, _FORBIDDEN = 401, 403


class ApiAway(TransientError):  # noqa: N818 - a state more than a mistake
    """The API cannot be reached, or asks to be left alone for `retry_after_seconds`."""

    default_reason = "connect-failed"


class ApiDenied(SetupError):  # noqa: N818 - what was said to us
    """The API does not know our token, or does not want this node."""

    default_reason = "denied"


class NodeTooOld(SetupError):  # noqa: N818 - a state more than a mistake
    """The API speaks only to newer programs than this one."""

    default_reason = "too-old"


class ApiRefusal(ShelterError):  # noqa: N818 - what was said to us
    """One request was refused; `status` is HTTP's, the reason the API's slug."""

    def __init__(self, message: str, *, reason: str, status: int) -> None:
        super().__init__(message, reason=reason)
        self.status = status


class Api:
    """One API, for one node. Safe to share between threads."""

    def __init__(self, url: str, token: str | None, *, version: str, user_agent: str) -> None:
        self.url = url
        self._headers = {VERSION_HEADER: version, "User-Agent": user_agent, "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._local = threading.local()

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        seconds: float = _READ_SECONDS,
    ) -> tuple[Any, float | None]:
        """The answer's JSON, and the seconds of its `Retry-After` if it has one.

        `key` makes the request one that may be sent again without being done again. Raises
        the errors of this module.
        """
        headers = {"Idempotency-Key": key} if key else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode() if body is not None else None
        with self._exchange(method, path, headers, data, seconds) as response:
            return _json_of(response, seconds), _retry_after(response)

    def is_there(self) -> bool:
        """Whether anything answers at the API's address: what tells our own network's trouble from a source's."""
        try:
            with self._exchange("GET", "/health", {}, None, _CONNECT_SECONDS):
                return True
        except ApiAway:
            return False
        except ShelterError:
            return True

    @contextmanager
    def reading(self, path: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """A file of the API, to be read piece by piece within the block."""
        with self._exchange(
            "GET", path, {**headers, "Accept-Encoding": "identity"}, None, _READ_SECONDS
        ) as response:
            yield response

    def send(self, path: str, file: Iterable[bytes], size: int) -> Any:
        """PUT a file of so many bytes, and the answer's JSON."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with self._exchange("PUT", path, headers, file, 10 * _READ_SECONDS) as response:
            return _json_of(response, _READ_SECONDS)

    @contextmanager
    def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], data: Any, seconds: float
    ) -> Iterator[requests.Response]:
        try:
            with self._session().request(
                method,
                self.url + path,
                headers={**self._headers, **headers},
                data=data,
                timeout=(_CONNECT_SECONDS, seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                _check(response, self.url)
                yield response
        except (requests.RequestException, OSError) as error:
            raise ApiAway(_in_short(error, self.url)) from error

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            self._local.session = session
        return session


def checked_api_url(text: str, *, insecure: bool = False) -> str:
    """The address of an API without its last slash. Raises SetupError for one that a token must not be sent to.

    A token goes over plain http only to this machine or a private network, where no stranger listens.
    """
    text = text.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise SetupError(f"--api: {text[:200]!r} is no address: {error}", reason="bad-setting") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SetupError(
            f"--api: {text[:200]!r} is no address of an API; write it like https://shelter.example.org",
            reason="bad-setting",
        )
    if parts.username or parts.password:
        raise SetupError(
            "--api: a password has no place in it; tokens are given with --token", reason="bad-setting"
        )
    if parts.scheme == "http" and not insecure and not _is_near(parts.hostname, port or 80):
        raise SetupError(
            f"--api: {parts.hostname} is on the public internet, and over plain http everybody on the way could read"
            " the node's token; use https://, or --insecure if you know better",
            reason="bad-setting",
        )
    return text


def _is_near(host: str, port: int) -> bool:
    """Whether a host is this machine or in a private network, by all of its addresses; unknown ones are not."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = [ip_address(str(place[4][0]).partition("%")[0]) for place in found]
    return bool(addresses) and all(
        one.is_private or one.is_loopback or one.is_link_local for one in addresses
    )


def _check(response: requests.Response, url: str) -> None:
    status = response.status_code
    if status < _FIRST_REDIRECT:
        return
    if status < _FIRST_ERROR:
        place = response.headers.get("Location", "another address")[:200]
        raise ApiDenied(f"{url} sends us to {place}; if you trust that, give it as --api")
    slug, message = _words_of(response)
    later = _retry_after(response)
    if status in _LATER or status >= _FIRST_SERVER_ERROR or (status == _CONFLICT and later is not None):
        raise ApiAway(
            f"the API at {url} says {status}: {message}",
            reason="server-error" if status >= _FIRST_SERVER_ERROR else "rate-limited",
            retry_after_seconds=later,
        )
    if status == _TOO_OLD:
        raise NodeTooOld(message)
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        raise ApiDenied(message, reason="no-token" if status == _UNAUTHORIZED else "denied")
    raise ApiRefusal(message, reason=slug, status=status)


def _words_of(response: requests.Response) -> tuple[str, str]:
    """The slug and sentence of an error, with what was wrong where; or what stands there instead."""
    try:
        facts = _json_of(response, _CONNECT_SECONDS)
    except ShelterError:
        facts = None
    if not isinstance(facts, dict) or not isinstance(facts.get("error"), str):
        return "http-status", f"it answers {response.status_code}, and not as Shelter's API does"
    message = str(facts.get("message") or facts["error"])
    problems = facts.get("problems")
    where = [
        f"{problem.get('where')}: {problem.get('problem')}"
        for problem in (problems if isinstance(problems, list) else [])[:5]
        if isinstance(problem, dict)
    ]
    return facts["error"][:100], " ".join([message, *where])[:_LONGEST_MESSAGE]


def _json_of(response: requests.Response, seconds: float) -> Any:
    until = time.monotonic() + seconds
    found = bytearray()
    for piece in response.iter_content(_PIECE_BYTES):
        found += piece
        if len(found) > _MOST_ANSWER_BYTES:
            raise ApiAway("the API's answer is longer than any that a node can want", reason="server-error")
        if time.monotonic() > until:
            raise ApiAway("the API's answer does not come to its end", reason="too-slow")
    try:
        return json.loads(found)
    except ValueError as error:
        raise ApiAway(
            "what answers is not Shelter's API, or something is in between", reason="server-error"
        ) from error


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_ASKED_SECONDS) if text.isascii() and text.isdigit() else None


def _in_short(error: Exception, url: str) -> str:
    """Why, without the wrappings that libraries put around it."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return f"the certificate of {url} cannot be trusted: {text[-200:]}"
    if isinstance(error, requests.Timeout):
        return f"the API at {url} does not answer in time"
    if "Connection refused" in text:
        return f"nobody answers at {url}: connection refused"
    if "resolve" in text or "Name or service" in text:
        return f"the name in {url} cannot be resolved"
    return f"the API at {url} cannot be reached ({type(error).__name__})"
