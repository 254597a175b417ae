"""Amounts as people write them: `50GB` of room, `20Mbit` a second. GB is 10^9 bytes, GiB is 2^30."""

from __future__ import annotations

import re

from shelter_pipeline.domain.errors import SetupError

_NUMBER = r"(\d{1,15}(?:\.\d{1,6})?)\s*"
_SIZE = re.compile(_NUMBER + r"(?:(k|M|G|T|P)(i?))?B", re.IGNORECASE | re.ASCII)
_BITS = re.compile(_NUMBER + r"(k|M|G)?(?:bits?(?:/s)?|bps)", re.IGNORECASE | re.ASCII)
_BYTES = re.compile(_NUMBER + r"(?:(k|M|G)(i?))?B/s", re.IGNORECASE | re.ASCII)
_AMBIGUOUS = re.compile(r"[kMG]b(?![a-z])")  # megabit to some, megabyte to others
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LEAST_RATE = 64_000


def bytes_of(text: str, what: str) -> int:
    """An amount of room in bytes. Raises SetupError that says how to write `what`.

    >>> bytes_of("50GB", "--space"), bytes_of("1.5 GiB", "--space"), bytes_of("0B", "--reserve")
    (50000000000, 1610612736, 0)
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise SetupError(
            f"{what}: {text[:80]!r} is no amount of room; write it like 50GB, 500MB or 2TB",
            reason="bad-setting",
        )
    number, prefix, binary = found.groups()
    return _scaled(number, prefix, binary)


def rate_of(text: str, what: str) -> int:
    """A rate in bytes a second, 64 kB/s at least. Raises SetupError that says how to write `what`.

    >>> rate_of("20Mbit", "--bandwidth"), rate_of("2MB/s", "--bandwidth")
    (2500000, 2000000)
    """
    text = text.strip()
    bits, whole = _BITS.fullmatch(text), _BYTES.fullmatch(text)
    if _AMBIGUOUS.search(text) or not (bits or whole):
        raise SetupError(
            f"{what}: {text[:80]!r} is no rate; write it like 20Mbit (bits a second) or 2MB/s (bytes a second)",
            reason="bad-setting",
        )
    rate = _scaled(bits[1], bits[2], "") // 8 if bits else _scaled(*whole.groups()) if whole else 0
    if rate < _LEAST_RATE:
        raise SetupError(
            f"{what}: {text[:80]!r} is too little to fetch files with; give 64kB/s or more",
            reason="bad-setting",
        )
    return rate


def in_words(count: int) -> str:
    """Bytes as people read them.

    >>> in_words(0), in_words(999), in_words(3_240_000_000)
    ('0 bytes', '999 bytes', '3.2 GB')
    """
    if count < 1000:  # noqa: PLR2004 - the first prefix
        return f"{count} bytes"
    amount = float(count)
    for prefix in ("k", "M", "G", "T"):
        amount /= 1000
        if amount < 999.95:  # noqa: PLR2004 - would be shown as 1000.0
            return f"{amount:.1f} {prefix}B"
    return f"{amount / 1000:.1f} PB"


def _scaled(number: str, prefix: str | None, binary: str | None) -> int:
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[(prefix or "").lower()])
