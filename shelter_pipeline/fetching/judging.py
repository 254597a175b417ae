"""The last word on a whole file: rules, checksum, and what operators have said, weighed against one another.

A checksum that holds speaks for the file against every rule, and a person's word against
both: bytes that were rejected stay rejected, and a reason that was overruled counts no more.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shelter_pipeline.fetching.content import ContentRules, Finding
from shelter_pipeline.fetching.signs import Signs

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What speaks against a file, if anything does, and the flags `size-differs` and `overruled` where they apply."""

    finding: Finding | None = None
    flags: tuple[str, ...] = ()


def judge(
    rules: ContentRules,
    arrival: Signs,
    *,
    sha256: str,
    checksum: str | None = None,
    checksum_holds: bool | None = None,
    accepted: AbstractSet[str] = _NONE,
    rejected: AbstractSet[str] = _NONE,
) -> Judgement:
    """Weigh a whole file of this SHA-256.

    `checksum` is the catalogue's, `checksum_holds` whether it does; None where there is
    nothing to compare. `accepted` are reasons and `rejected` digests, by an operator's word.
    """
    if sha256 in rejected:
        return Judgement(Finding("rejected", "a person has said that these bytes are not the file"))
    found = rules.findings(arrival)
    if checksum_holds:
        differs = any(finding.reason == "mismatch" for finding in found)
        return Judgement(flags=("size-differs",) if differs else ())
    if checksum_holds is False:
        found = (Finding("mismatch", f"the bytes are not those of {checksum}"), *found)
    standing = [finding for finding in found if finding.reason not in accepted]
    overruled = ("overruled",) if len(standing) < len(found) else ()
    return Judgement(standing[0] if standing else None, overruled)
