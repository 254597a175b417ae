"""What the words of our reports mean, in a sentence each, for whoever meets them on a page for the first time."""

from __future__ import annotations

from shelter_pipeline.domain.verdicts import REASONS

_VERDICTS = {
    "complete": "Every link was followed to its end, and every file is held.",
    "partial": "Some files are held, and some could not be had.",
    "in-progress": "The rescue is under way: links or files are left that nobody has tried.",
    "waiting": "Nothing was tried yet.",
    "unreachable": "Everything was tried, and nothing could be had.",
    "landing-page-only": "Its datasets lead to pages that offer no file.",
    "service": "Its datasets are web services, of which there is no file to keep.",
    "empty": "Its portal lists nothing that could be fetched.",
    # What became of a link before anything was fetched.
    "found-in-part": "Some of what the link leads to was left unread; what was found is wanted.",
    "not-followed": "A landing page beside a file of its own; such pages are about the data, not the data.",
    # How portals were read.
    "running": "It is being read just now.",
    "plausible": "The portal was read to its end, and gave no count to hold that against.",
    "interrupted": "Reading broke off and goes on from there.",
}
_TRUST = (
    (0.75, "proved over and over"),
    (0.4, "proved many times"),
    (0.1, "proved a few times"),
    (0.0, "new: proves every file"),
)


def meaning(word: str) -> str:
    """A verdict, reason or outcome in a sentence; the word itself where there is no more to say."""
    if word in REASONS and word not in _VERDICTS:
        return REASONS[word].sentence
    return _VERDICTS.get(word, word)


def trust_words(trust: float) -> str:
    """How far a node is trusted (0 to 1), for people."""
    return next(words for least, words in _TRUST if trust >= least)
