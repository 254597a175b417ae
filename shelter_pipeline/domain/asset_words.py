"""Where a file stands, in a sentence for people."""

from __future__ import annotations

from shelter_pipeline.domain.verdicts import REASONS, holds_file

_STATES = {
    "pending": "It waits for its turn; nobody has tried it yet.",
    "held": "It is held here, whole, and its hash is recorded.",
    "failed": "It is not held; it will be looked at again.",
    "dead": "It is not held, and was given up after too many attempts.",
}
_OPENING = {
    "pending": "It will be tried again",
    "held": "It is held here; the last look said",
    "failed": "It is not held",
    "dead": "It is not held, and was given up",
}


def where_it_stands(state: str, reason: str | None) -> str:
    """A sentence for an asset of this state whose last verdict had this reason; unknown words are given as they are."""
    known = REASONS.get(reason or "")
    if known is None or state not in _STATES:
        return _STATES.get(state, state) if reason is None else f"{_OPENING.get(state, state)}: {reason}."
    if state == "held" and holds_file(known.verdict):
        return _STATES["held"]
    return f"{_OPENING[state]}: {known.sentence[0].lower()}{known.sentence[1:]}"
