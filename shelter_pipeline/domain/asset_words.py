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


# What a file can be besides whole; docs/reasons.md says the same at more length.
FLAGS: dict[str, str] = {
    "length-unverified": "the server announced no length; only the end of the connection says that the file is whole",
    "by-date-and-size": "that it is unchanged rests on the date and size that an FTP server told",
    "both-framings": "the reply had a length and was chunked; the chunks were believed",
    "surplus": "more bytes came after the end of the file; they were dropped",
    "resumed": "it came in several requests for one version of it, each continuing where the one before had stopped",
    "size-differs": "the size contradicts the catalogue's, and the checksum holds",
    "checksum-unusable": "the catalogue gives a checksum of a kind that cannot be computed",
    "encoding-unverified": "it is encoded in a way that is not checked to its end",
    "encoding-surplus": "padding follows the end of the compressed data",
    "overruled": "a rule speaks against it, and an operator has overruled that",
    "revoked": "an operator's word about it was taken back",
    "by-node": "a volunteer's node fetched it",
}


def flag_in_words(flag: str) -> str:
    """What a flag of a capture means; one that is not known is given as it is."""
    if flag.startswith("encoded-"):
        how = flag.removeprefix("encoded-")
        return f"the server compressed it ({how}) unasked; the compressed bytes are what is kept"
    return FLAGS.get(flag, flag)


def where_it_stands(state: str, reason: str | None) -> str:
    """A sentence for an asset of this state whose last verdict had this reason; unknown words are given as they are."""
    known = REASONS.get(reason or "")
    if known is None or state not in _STATES:
        return _STATES.get(state, state) if reason is None else f"{_OPENING.get(state, state)}: {reason}."
    if state == "held" and holds_file(known.verdict):
        return _STATES["held"]
    return f"{_OPENING[state]}: {known.sentence[0].lower()}{known.sentence[1:]}"
