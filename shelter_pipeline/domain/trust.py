"""How far a node is trusted, and what its copies count for. Pure arithmetic: no clock, no dice of its own.

Trust never replaces a proof: a copy is proved or it is not. It decides how often proof is
asked for again, and how many of a node's files are fetched a second time by somebody else.
It grows slowly with each proof, and one lie takes all of it away.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Deed(StrEnum):
    """What changes a node's trust; the names are the kinds of its events."""

    UPLOAD = "upload"  # it sent the bytes that it had reported
    CHALLENGE = "challenge"  # it answered what only a holder of the bytes can
    QUORUM = "quorum"  # independent nodes reported the same
    CONFIRMED = "confirmed"  # somebody else got the same bytes from the source
    NO_UPLOAD = "no-upload"  # it reported bytes and did not send them in time
    DIFFERS = "differs"  # the source sent somebody else other bytes, and nothing tells why
    WRONG_UPLOAD = "wrong-upload"  # it sent other bytes than it had reported
    FAILED_CHALLENGE = "failed-challenge"  # its answer is not that of the bytes
    CONTRADICTED = "contradicted"  # the source sent other bytes, of a version older than the node's visit


LIES: Final = frozenset({Deed.WRONG_UPLOAD, Deed.FAILED_CHALLENGE, Deed.CONTRADICTED})
# A disk that rots fails a challenge once in years; who lies does so again.
MOST_LIES: Final = 3
LIES_COUNT_DAYS: Final = 90

# The share of what is missing to full trust that a proof adds.
_GAINS: Final = {Deed.UPLOAD: 0.02, Deed.CHALLENGE: 0.01, Deed.QUORUM: 0.02, Deed.CONFIRMED: 0.05}
# What is left of it after what may be bad luck.
_LEFT: Final = {Deed.NO_UPLOAD: 0.8, Deed.DIFFERS: 0.5}

# Steps of silence in days, each with what a copy counts for up to it; nothing beyond. The curve of 4, 20 and 40 days
# is that by which LOCKSS weighs what a peer said last.
SILENCE_STEPS: Final = ((4.0, 1.0), (20.0, 0.5), (40.0, 0.25))
_NEWCOMER = 0.1


def trust_after(trust: float, deed: Deed) -> float:
    """The trust, 0 to 1, of a node that had `trust` before this deed.

    >>> trust_after(0.0, Deed.CONFIRMED), trust_after(0.9, Deed.WRONG_UPLOAD)
    (0.05, 0.0)
    """
    if deed in LIES:
        return 0.0
    if deed in _LEFT:
        return trust * _LEFT[deed]
    return min(trust + (1.0 - trust) * _GAINS[deed], 1.0)


def is_blocked_after(recent_lies: int) -> bool:
    """Whether a node with so many lies in the last `LIES_COUNT_DAYS` is sent away."""
    return recent_lies >= MOST_LIES


def confirmed_share(trust: float, uploads: int, *, first: int, least: float) -> float:
    """Which share of a node's files somebody else fetches too: all of the `first`, then fewer the more it is trusted.

    >>> [confirmed_share(0.75, uploads, first=20, least=0.05) for uploads in (0, 19, 20)]
    [1.0, 1.0, 0.25]
    """
    return 1.0 if uploads < first else max(1.0 - trust, least)


def challenge_days(trust: float, days: float) -> float:
    """How long a copy may go without a challenge, `days` for a node of full trust and a tenth of it for a new one.

    >>> challenge_days(0.0, 30), challenge_days(1.0, 30)
    (3.0, 30.0)
    """
    return days * (_NEWCOMER + (1.0 - _NEWCOMER) * trust)


def counts_for(silent_days: float) -> float:
    """What a proved copy counts for when its node has been silent so long.

    >>> [counts_for(days) for days in (0, 4, 5, 20, 39, 41)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.0]
    """
    return next((weight for days, weight in SILENCE_STEPS if silent_days <= days), 0.0)
