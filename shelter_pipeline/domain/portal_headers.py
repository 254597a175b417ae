"""Header fields that a private portal needs: checked when they are given, completed when they are sent.

A value may name a secret, `${SHELTER_SECRET_NAME}`, which stands only in the environment
of the process that sends it. A field that carries credentials must: the catalog, its
backups and its logs hold no key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from shelter_pipeline.domain.errors import SetupError

SECRET_PREFIX = "SHELTER_SECRET_"  # noqa: S105 - the beginning of a variable's name
_SECRET = re.compile(r"\$\{" + SECRET_PREFIX + r"([A-Z0-9_]+)\}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110 section 5.6.2
_CARRIES_CREDENTIALS = re.compile(r"auth|cookie|key|token|secret|password|signature", re.IGNORECASE)
# What the connection itself, or the door, decides.
_NOT_OURS = frozenset(
    {
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "accept-encoding",
        "range",
        "te",
        "upgrade",
        "expect",
    }
)


def parse_header(line: str) -> tuple[str, str]:
    """`Name: value` as a pair. Raises SetupError naming what is wrong with it, and never the value."""
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not colon or not _TOKEN.match(name):
        raise SetupError(
            "a header is written 'Name: value', for example 'Authorization: ${SHELTER_SECRET_MYPORTAL}'",
            reason="bad-setting",
        )
    if name.lower() in _NOT_OURS:
        raise SetupError(f"the header {name} cannot be set for a portal", reason="bad-setting")
    if not value or not (value.isascii() and value.isprintable()):
        raise SetupError(f"the value of the header {name} must be printable ASCII", reason="bad-setting")
    if _CARRIES_CREDENTIALS.search(name) and not _SECRET.search(value):
        raise SetupError(
            f"the header {name} carries a secret: write '{name}: ${{{SECRET_PREFIX}MYPORTAL}}'"
            f" and put the value into the environment variable {SECRET_PREFIX}MYPORTAL",
            reason="bad-setting",
        )
    return name, value


def complete_headers(headers: Mapping[str, str], read_secret: Callable[[str], str]) -> dict[str, str]:
    """The fields with every secret put in. Raises what `read_secret` raises for one that is not there."""
    return {name: _SECRET.sub(lambda match: read_secret(match[1]), value) for name, value in headers.items()}
