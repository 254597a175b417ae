"""One catalogue page, asked for until it is there or it is clear that it will not come.

Whatever a portal does (errors, web pages for JSON, pauses, broken JSON), the caller gets
a parsed value or one ShelterError whose message is a sentence with the URL in it. A portal
whose allowance of requests runs out is asked more slowly before it has to refuse.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from shelter_pipeline.domain.errors import DamagedError, PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.portals.encoding import decode
from shelter_pipeline.portals.pacing import Pace
from shelter_pipeline.portals.protocol import Reader, Reply
from shelter_pipeline.portals.replies import check_reply

Result = TypeVar("Result")
Parse = Callable[[bytes], tuple[Json, bool]]
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
_UNREACHABLE = frozenset({"connect-failed", "dns-failed", "tls-failed"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed page. `undecoded` says that its records must go through `encoding.mend`."""

    value: Json
    undecoded: bool
    requests: int
    size: int


def pause(attempt: int, retry_after_seconds: float | None) -> float:
    """Seconds to wait after the `attempt`-th failure: what the portal asks, else doubled each time."""
    if retry_after_seconds is not None:
        return retry_after_seconds
    return min(math.ldexp(FIRST_PAUSE_SECONDS, attempt - 1), LONGEST_PAUSE_SECONDS)


@dataclass(frozen=True)
class PageReader:
    """Reads JSON pages of one portal through the reader it was given."""

    reader: Reader
    max_bytes: int
    attempts: int = 4
    sleep: Callable[[float], None] = time.sleep
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # a key may be among them
    _pace: Pace = field(default_factory=Pace, repr=False, compare=False)

    def json(self, url: str, parse: Parse | None = None) -> Answer:
        """The page at `url`. Raises TransientError after the last attempt, any other ShelterError at once.

        `parse` is what reads the body, in place of `parse_json`.
        """
        return self.persistently(url, lambda attempt: self._ask(url, attempt, parse or parse_json))

    def document(
        self, url: str, parse: Callable[[bytes], Result], *, accept: str, max_bytes: int
    ) -> tuple[Result, int]:
        """What `parse` makes of a body that is no JSON, and how many requests that took. Raises as `json`.

        A TransientError of `parse` (a body that breaks off) is a reason to ask again.
        """

        def ask(attempt: int) -> tuple[Result, int]:
            reply = self._fetch(url, accept, min(max_bytes, self.max_bytes))
            check_reply(reply.head, reply.body, expected="the document")
            return parse(reply.body), attempt

        return self.persistently(url, ask)

    def persistently(self, url: str, ask: Callable[[int], Result]) -> Result:
        """What `ask` returns for the attempt's number, asked again after a pause while its failure may pass.

        Raises the last error, its message a sentence that names `url`; at once when the portal
        asks for a longer pause than a harvest waits, alone or with the pauses before it: it is
        left alone then, and the harvest continued later.
        """
        for attempt in range(1, max(self.attempts, 1) + 1):
            try:
                result = ask(attempt)
            except (TransientError, DamagedError) as error:
                wanted = max(pause(attempt, getattr(error, "retry_after_seconds", None)), self._pace.take())
                if attempt >= self.attempts or not self._pace.may_wait(wanted):
                    raise named(error, url) from error
                self.sleep(wanted)
            except ShelterError as error:
                raise named(error, url) from error
            else:
                self._pace.waited = 0.0
                return result
        raise AssertionError  # the last attempt returns or raises

    def _ask(self, url: str, attempt: int, parse: Parse) -> Answer:
        reply = self._fetch(url, "application/json", self.max_bytes)
        check_reply(reply.head, reply.body)
        value, undecoded = parse(reply.body)
        return Answer(value, undecoded, attempt, len(reply.body))

    def _fetch(self, url: str, accept: str, max_bytes: int) -> Reply:
        if (due := self._pace.take()) > 0:
            self.sleep(due)
        reply = self.reader.read(url, headers={"Accept": accept, **self.headers}, max_bytes=max_bytes)
        self._pace.note(reply.head)
        if len(reply.body) > max_bytes:
            raise PermanentError(f"a page of more than {max_bytes} bytes", reason="too-large")
        return reply


def named(error: ShelterError, url: str) -> ShelterError:
    """The same error, its message a sentence that names the URL."""
    what = str(error)
    if error.reason in _UNREACHABLE:
        parts = urlsplit(url)
        text = f"{parts.scheme}://{parts.netloc} could not be reached: {what}"
    else:
        text = f"{url} could not be read: {what}"
    if isinstance(error, TransientError):
        return TransientError(text, reason=error.reason, retry_after_seconds=error.retry_after_seconds)
    return type(error)(text, reason=error.reason)


def parse_json(body: bytes) -> tuple[Json, bool]:
    """The JSON value of a body, and whether it holds undecoded bytes.

    Beyond RFC 8259, catalogues' own habits are read: a byte order mark, UTF-16, raw control
    characters in strings, NaN and infinite numbers (as null). Raises TransientError for a
    document that ends early, PermanentError for one that is no JSON or too deep.
    """
    try:
        return msgspec.json.decode(body), False
    except RecursionError as error:
        raise _too_deep() from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _parse_patiently(body)


def _parse_patiently(body: bytes) -> tuple[Json, bool]:
    text, undecoded = decode(body)
    try:
        value = json.loads(
            text, strict=False, parse_constant=lambda _: None, parse_float=_finite, parse_int=_integer
        )
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise TransientError("JSON that ends in the middle", reason="wrong-length") from error
        raise PermanentError(
            f"invalid JSON: {error.msg} at line {error.lineno}, column {error.colno}", reason="wrong-type"
        ) from error
    return value, undecoded


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _integer(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:  # thousands of digits: CPython refuses them, and no field of ours means that
        return None


def _too_deep() -> ShelterError:
    return PermanentError("JSON nested too deeply to be read", reason="wrong-type")
