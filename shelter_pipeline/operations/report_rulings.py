"""What one result of a node comes to, by what is known of its claim: values in, a ruling out.

A node's word ends its claim, and no more: a file is held when bytes are proved, and given up
when others say the same or our own look at it does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from shelter_pipeline.catalog.node_reports import Owed, ReportedClaim
from shelter_pipeline.domain.follow_up import FollowUp, follow_up_of_node
from shelter_pipeline.domain.node_reports import Report
from shelter_pipeline.fetching.capture import Promise
from shelter_pipeline.fetching.sizes import size_contradicts
from shelter_pipeline.settings import Settings

Ending = Literal["settled", "late", "unknown", "refused"]
Proof = Literal["upload", "challenge", "quorum"]

UNPROVED = "unproved"
_EMPTY = hashlib.sha256(b"").hexdigest()
# What a node sends at the least, so that a large file has the time it takes.
_UPLOAD_BYTES_PER_SECOND = 128 * 1024
_HOUR_SECONDS, _DAY_SECONDS = 3600.0, 86_400.0
# A node that lately did not send so many of the files it reported is not waited for.
_MOST_MISSED = 3


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a result ends: the claim ends if `reason` says how, the file moves on if there is an `after`."""

    ending: Ending
    message: str
    reason: str | None = None
    proof: Proof | None = None

    @property
    def needs_witnesses(self) -> bool:
        """Whether it matters who says the same: of failures, and of bytes that nothing else can prove."""
        return self.reason is not None and (self.reason != UNPROVED or self.proof == "quorum")


def first_ruling(report: Report, claim: ReportedClaim | None) -> Ruling | None:
    """The ruling on a result that settles nothing, because of what is known of its claim; None for all others."""
    if claim is None or claim.asset_id != report.asset_id:
        return Ruling("unknown", "you have and had no such claim")
    if claim.is_live:
        return None
    if claim.said_reason is None:
        return Ruling("late", "the lease was over; this is kept as evidence and changes nothing")
    same_bytes = claim.purpose == "copy" or claim.said_sha256 == report.sha256
    if same_bytes and report.is_stored and claim.said_reason == "mismatch":
        return Ruling("refused", "you reported this before: it contradicts what is known of the file")
    if not same_bytes or claim.said_reason != (UNPROVED if report.is_stored else report.reason):
        return Ruling("refused", "you reported something else under this claim before")
    return Ruling("late" if claim.said_late else "settled", "you reported this before")


def contradiction(report: Report, claim: ReportedClaim, held: dict[str, int]) -> str | None:
    """Why these bytes cannot be the file, as far as a hash and a size show it; None if they may be."""
    size, sha256 = report.size or 0, report.sha256 or ""
    known = held.get(sha256)
    if (known is not None and known != size) or (sha256 == _EMPTY) != (size == 0):
        return "bytes of this sha256 do not have this size"
    if claim.purpose == "copy":
        return None if known is not None else "these are not the bytes that you were to copy"
    if sha256 in claim.rejected:
        return "a person has said that these bytes are not the file"
    return _broken_promise(sha256, size, claim)


def _broken_promise(sha256: str, size: int, claim: ReportedClaim) -> str | None:
    """What the catalogue promised that these bytes are not; a person may have said that it does not matter."""
    digest = Promise(checksum=claim.checksum).digest
    if digest == ("sha256", sha256):
        return None
    promised, minds = claim.expected_size, "mismatch" not in claim.accepted
    if minds and digest is not None and digest[0] == "sha256":
        return f"the catalogue promises {claim.checksum}"
    if not size and promised != 0 and "empty" not in claim.accepted:
        return "the file has no bytes"
    if minds and promised is not None and size_contradicts(promised, size):
        return f"the catalogue promises {promised} bytes"
    return None


def is_other_look(report: Report, claim: ReportedClaim) -> bool:
    """Whether a second look at a file that we hold brought other bytes: evidence, and no reason to hold those."""
    return claim.purpose == "fetch" and claim.is_held and report.sha256 != claim.sha256


def proof_of(
    report: Report, held: dict[str, int], owed: Owed, settings: Settings, room: int | None
) -> Proof | None:
    """How bytes that a node reports are to be proved; None while it owes us as much as it may.

    Witnesses stand in only for what we cannot receive: a node that owes, or does not send, must not win by that a
    proof which it can arrange with another.
    """
    if report.sha256 in held:
        return "challenge"
    size = report.size or 0
    if not (
        settings.node_uploads and size <= settings.node_upload_max_bytes and (room is None or size < room)
    ):
        return "quorum"
    return "upload" if owed.open < settings.node_open_uploads else None


def waits(proof: Proof, owed: Owed) -> bool:
    """Whether a file waits until its node has proved that it has it; else others may have it soon."""
    return proof == "challenge" or (proof == "upload" and owed.missed < _MOST_MISSED)


def proof_seconds(proof: Proof, purpose: str, size: int, settings: Settings) -> float:
    """How long a node has to prove; a file that waits for it waits as long."""
    if proof == "challenge" and purpose == "copy":
        return settings.challenge_answer_days * _DAY_SECONDS
    return settings.node_upload_hours * _HOUR_SECONDS + size / _UPLOAD_BYTES_PER_SECOND


def after_failure(
    report: Report, claim: ReportedClaim, reason: str, witnesses: int, settings: Settings
) -> FollowUp:
    """What a file becomes when a node did not get it."""
    return follow_up_of_node(
        reason,
        claim.attempts,
        witnesses=witnesses,
        quorum=settings.quorum_nodes,
        max_attempts=settings.asset_max_attempts,
        retry_after_seconds=report.retry_after_seconds,
    )
