"""A JSON document to an address that the operator named: by POST, within a deadline, with no step aside.

No redirect is followed, no proxy of the environment is used, and of the answer a few
kilobytes are read. What is said of a failure never holds the address: its path is a secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import certifi
import pycurl

from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError

DEADLINE_SECONDS = 20.0
_CONNECT_SECONDS = 10.0
_MOST_ANSWER_BYTES = 16 * 1024
_DONE = range(200, 300)
_SLACK_LONGEST = 3500  # of the 4,000 characters that Slack asks senders to stay below
# https://docs.slack.dev/messaging/formatting-message-text: these three, and no others.
_SLACK_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def post_json(url: str, document: Mapping[str, Any]) -> None:
    """Send it. Raises TransientError or PermanentError with a sentence that holds no part of the URL's path."""
    body = json.dumps(document).encode()
    curl, read = pycurl.Curl(), 0

    def take(data: bytes) -> int | None:
        nonlocal read
        read += len(data)
        return -1 if read > _MOST_ANSWER_BYTES else None

    try:
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDS, body)
        curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:"])
        curl.setopt(pycurl.USERAGENT, "Shelter-alerts")
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        curl.setopt(pycurl.CAINFO, certifi.where())
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(_CONNECT_SECONDS * 1000))
        curl.setopt(pycurl.TIMEOUT_MS, int(DEADLINE_SECONDS * 1000))
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.WRITEFUNCTION, take)
        curl.perform()
    except pycurl.error as error:
        # Of an answer that is too long the head is known, and the head is all that counts.
        if error.args[0] != pycurl.E_WRITE_ERROR:
            raise TransientError(_said_by_curl(error)) from None
    finally:
        status = int(curl.getinfo(pycurl.RESPONSE_CODE) or 0)
        curl.close()
    if status not in _DONE:
        raise _refusal(status)


def slack_text(subject: str, text: str) -> str:
    """The message as Slack takes it: names from outside can neither mention anybody nor hide a link."""
    escaped = f"*{subject.translate(_SLACK_ESCAPES)}*\n{text.translate(_SLACK_ESCAPES)}"
    if len(escaped) <= _SLACK_LONGEST:
        return escaped
    # A line that is cut could end within an escape.
    return f"{escaped[:_SLACK_LONGEST].rpartition(chr(10))[0]}\n… `shelter alerts` lists all"


def _refusal(status: int) -> ShelterError:
    if status in range(300, 400):
        return PermanentError(
            f"it answers {status}, a redirect, which is not followed: give the address it leads to"
        )
    if status in range(400, 500) and status not in (408, 429):
        return PermanentError(f"it answers {status}: the address or its token is not valid any more")
    return TransientError(f"it answers {status}")


def _said_by_curl(error: pycurl.error) -> str:
    code = int(error.args[0])
    words = {
        pycurl.E_COULDNT_RESOLVE_HOST: "its host has no address",
        pycurl.E_COULDNT_CONNECT: "nobody listens there",
        pycurl.E_OPERATION_TIMEDOUT: f"it did not answer within {DEADLINE_SECONDS:g} s",
        pycurl.E_PEER_FAILED_VERIFICATION: "its certificate is not one we can trust",
        pycurl.E_GOT_NOTHING: "it closed the connection without an answer",
    }
    return words.get(code, f"it cannot be spoken to (curl error {code})")
