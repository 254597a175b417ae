"""What the catalog's short words mean, in sentences for who reads them for the first time.

Reasons, and the states and kinds of losses, have theirs where they are defined; here stand all others.
"""

from __future__ import annotations

from shelter_pipeline.domain.losses import KINDS, STATES
from shelter_pipeline.domain.verdicts import REASONS

# Verdicts on an organization or a dataset (`OrganizationProgress.verdict`), from what is done to what there is nothing
# to do about.
VERDICTS: dict[str, str] = {
    "complete": "Every file that its links lead to is held here, whole.",
    "partial": "Some of its files are held here; others could not be had, or some links may lead to more.",
    "in-progress": "Its rescue is under way: some links or files have not been tried yet.",
    "waiting": "It is known, and waits for its turn: none of its files has been tried yet.",
    "unreachable": "It was tried, and nothing of it could be had.",
    "landing-page-only": (
        "Its links lead to pages without files, so there is nothing to fetch; what its portal says of it is kept."
    ),
    "service": (
        "Its links lead to web services, which are asked and not fetched; what its portal says of it is kept."
    ),
    "empty": "It lists no file, so there is nothing to fetch; what its portal says of it is kept.",
}
_FILES: dict[str, str] = {
    "held": "The bytes are held, whole and verified.",
    "pending": "It waits for its turn, or for another try.",
    "failed": "It could not be had; it is asked for again later if that may help.",
    "dead": "It was given up after many attempts; a person can bring it back.",
    "unproved": "A volunteer reports it and has not yet proved it.",
    "ok": "The server has the file.",
}
_OUTCOMES: dict[str, str] = {
    "found": "The link leads to files.",
    "found-in-part": "Something that the link leads to was left unread.",
    "not-followed": "A page about a dataset that lists files of its own.",
}
# What the verdict on a capture says, where no reason is given.
_CAPTURES: dict[str, str] = {
    "transient": "It failed, and may work later.",
    "permanent": "It failed, and will fail again soon.",
    "refused": "Policy forbids it: it was not asked for.",
    "damaged": "What came contradicts itself or what was promised of it.",
    "suspect": "Whole, but not what was promised: kept apart, and not counted as held.",
}
# How the reading of a portal ended, or stands (`domain.harvests.judge_completeness`).
HARVESTS: dict[str, str] = {
    "running": "It is being read just now.",
    "complete": "The portal was read to its end, and everything that it says it has came.",
    "plausible": "It was read to its end, and nearly everything came, or there was no count to hold that against.",
    "partial": "Not everything that the portal says it has came; what came is kept.",
    "unreachable": "Nothing could be read; nothing is taken for lost because of that.",
    "interrupted": "Reading broke off and goes on from there.",
}
_SENTENCES: dict[str, str] = {
    **_OUTCOMES,
    **_CAPTURES,
    **_FILES,
    **KINDS,
    **STATES,
    **{reason.slug: reason.sentence for reason in REASONS.values()},
}


def in_words(word: object) -> str:
    """The sentence of a reason, a state or a kind of loss; a word without one stands for itself.

    Verdicts on an organization and on a harvest are other words, though some are spelled the same.

    >>> in_words("not-found"), in_words("other-words")
    ('The server has nothing at this address (404).', 'other words')
    """
    text = "" if word is None else str(word)
    return _SENTENCES.get(text) or text.replace("-", " ")


def verdict_words(verdict: str) -> str:
    """What the verdict on an organization or a dataset means; one that is not known stands for itself.

    >>> verdict_words("empty"), in_words("empty")
    ('It lists no file, so there is nothing to fetch; what its portal says of it is kept.', 'The file has no bytes.')
    """
    return VERDICTS.get(verdict, verdict)


def harvest_words(verdict: str) -> str:
    """What the verdict on the reading of a portal means; one that is not known stands for itself."""
    return HARVESTS.get(verdict, verdict)
