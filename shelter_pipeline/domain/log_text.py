"""What a log may be shown of text from outside: no secret, no control character, no more than fits.

Pure functions; `logs` applies them to every record. A line that begins a record is written by
us alone: whatever would end a line is spelled out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_STARS = "***"
_RULES = (
    # The password of a URL, up to the last @ before its path: people write @ in passwords.
    (
        re.compile(r"(?P<kept>\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:)[^\s/]+(?=@)", re.IGNORECASE),
        r"\g<kept>" + _STARS,
    ),
    (re.compile(r"(?P<kept>\bshelter_[a-z]+_[0-9a-f]{12}_)[\w-]+"), r"\g<kept>" + _STARS),
    (
        re.compile(
            r"(?P<kept>\b(?:proxy-)?authorization\W{1,4}(?:(?:basic|bearer|digest|token)\s+)?)[^\s'\",;]+",
            re.IGNORECASE,
        ),
        r"\g<kept>" + _STARS,
    ),
    (re.compile(r"(?P<kept>\b(?:bearer|basic)\s+)[\w.~+/-]{16,}=*", re.IGNORECASE), r"\g<kept>" + _STARS),
    (
        re.compile(
            r"(?P<kept>\b(?:password|passwd|pwd|secret|token|access_token|api[_-]?key|x-api-key|pepper|sig|signature"
            r"|x-amz-signature|x-amz-security-token|x-amz-credential)['\"]?\s*[=:]\s*['\"]?)[^\s'\"&,;]+",
            re.IGNORECASE,
        ),
        r"\g<kept>" + _STARS,
    ),
)
_LEAST_SECRET_CHARACTERS = 6  # masking shorter ones would tear words apart, and guard nothing


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets, without passwords in URLs, and without what names itself as one.

    >>> masked("cannot reach redis://:hunter2@broker/0?token=abc")
    'cannot reach redis://:***@broker/0?token=***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST_SECRET_CHARACTERS:
            text = text.replace(secret, _STARS)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def capped(text: str, most_characters: int) -> str:
    """The text, or its beginning and its end with a note of what was left out.

    >>> capped("a" * 50 + "z" * 50, 10)
    'aaaaa… 90 characters …zzzzz'
    """
    if len(text) <= most_characters:
        return text
    half = most_characters // 2
    return f"{text[:half]}… {len(text) - 2 * half} characters …{text[-half:]}"


def on_one_line(text: str) -> str:
    r"""The text with all that is not printable spelled out: line ends, escape codes, marks that turn the direction.

    >>> on_one_line("a\\nb\\x1b[2J")
    'a\\\\nb\\\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
