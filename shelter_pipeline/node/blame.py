"""Whose trouble a failed file is: only what its source did is told to the API."""

from __future__ import annotations

from collections.abc import Callable

_OURS = frozenset({"no-space", "store-failed", "interrupted"})
# What a cable that is pulled out looks like from here.
_DOUBTED = frozenset({"connect-failed", "dns-failed", "connection-lost", "too-slow"})


def is_ours(reason: str, api_is_there: Callable[[], bool]) -> bool:
    """Whether a capture that ended so says nothing of its source.

    Where nobody answers, the API is asked for as well: if it cannot be reached either, the
    network here is down, and a thousand such failures would be a thousand lies.
    """
    return reason in _OURS or (reason in _DOUBTED and not api_is_there())
