"""Choices that fall the same way on every machine: each is a function of its name alone.

SHA-256 instead of `random`, whose sequences are an implementation detail of a Python
version, and whose state would make one choice depend on how many came before it.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def number(name: str, below: int) -> int:
    """A number from 0 to `below` - 1."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % below


def choose(name: str, options: Sequence[T]) -> T:
    """One of the options."""
    return options[number(name, len(options))]


def happens(name: str, percent: int) -> bool:
    """True for about `percent` of a hundred names."""
    return number(name, 100) < percent


def identity(name: str) -> str:
    """A UUID in text, version 8 (RFC 9562: the bits are our own)."""
    bits = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16])
    bits = bits & ~(0xF << 76) | 8 << 76
    return str(uuid.UUID(int=bits & ~(0x3 << 62) | 2 << 62))
