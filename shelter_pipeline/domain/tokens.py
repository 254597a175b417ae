"""What a token looks like, and how it is kept: a public prefix to find it by, a secret that is kept only as a hash.

    shelter_operator_3f9c0a17be52_<43 characters: 256 random bits in base64url>

The form is plain enough for secret scanners to find a token that was published by
mistake. The hash is HMAC-SHA-256 (RFC 2104) under a pepper that is not in the database:
whoever reads the database alone cannot even test guesses.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

SCOPES = ("operator", "node", "register")  # what a token may be for, most powerful first
PREFIX_BYTES = 6
SECRET_BYTES = 32
_FORM = re.compile(r"shelter_(?:operator|node|register)_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: `secret` is the whole of it, to be shown once."""

    prefix: str
    secret: str = field(repr=False)


def spell_token(scopes: Iterable[str], prefix: bytes, secret: bytes) -> NewToken:
    """The token of these random bytes, named after the most powerful of its scopes."""
    given = set(scopes)
    kind = next(scope for scope in SCOPES if scope in given)
    tail = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    return NewToken(prefix.hex(), f"shelter_{kind}_{prefix.hex()}_{tail}")


def prefix_of(presented: str) -> str | None:
    """The public prefix of what was presented; None if that is no token at all."""
    found = _FORM.fullmatch(presented)
    return found[1] if found else None


def token_hash(presented: str, pepper: bytes) -> bytes:
    """What is kept of a token."""
    return hmac.digest(pepper, presented.encode(errors="replace"), hashlib.sha256)


def opens(presented: str, pepper: bytes, kept: bytes) -> bool:
    """Whether this is the token of that hash; it takes as long for a near miss as for a far one."""
    return hmac.compare_digest(token_hash(presented, pepper), kept)
