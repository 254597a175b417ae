"""What happens at a node, as a person wants to hear it: one sentence an event, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from shelter_pipeline.domain.amounts import in_words
from shelter_pipeline.domain.verdicts import REASONS

Facts = Mapping[str, Any]
_SHORT_HASH = 12
_LONGEST_URL = 120
_MINUTE, _HOUR = 60, 3600


def sentence_of(event: str, facts: Facts) -> str | None:
    """The sentence for an event; None for one that is of no interest to people."""
    speak = _SENTENCES.get(event)
    return speak(facts) if speak is not None else None


def pause_in_words(seconds: float) -> str:
    """A pause as people say it.

    >>> pause_in_words(0.4), pause_in_words(75), pause_in_words(7500)
    ('a moment', '1 min', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 1:
        return "a moment"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def files_in_words(count: int) -> str:
    """So many files.

    >>> files_in_words(1), files_in_words(2)
    ('1 file', '2 files')
    """
    return f"{count} file" + ("" if count == 1 else "s")


def _ended(facts: Facts) -> str:
    where, status = _short(facts["url"]), f" ({facts['status']})" if facts.get("status") else ""
    if facts["verdict"] == "stored":
        return f"kept {where}, {in_words(facts['size'] or 0)}"
    words = _PLAIN.get(facts["reason"]) or _reason(facts["reason"])
    return (
        f"{_host(facts['url'])} {words}{status}: {where}"
        if facts["reason"] in _PLAIN
        else f"{where}: {words}{status}"
    )


def _given_back(facts: Facts) -> str:
    why = _OURS.get(facts["reason"]) or facts.get("detail") or _reason(facts["reason"])
    return f"given back, because {why}: {_short(facts['url'])}"


def _reported(facts: Facts) -> str | None:
    if facts.get("outcome") == "late":
        return f"{_short(facts['url'])} came too late: it is somebody else's work by now; what arrived stays here"
    return None


def _challenge(facts: Facts) -> str:
    name = facts["sha256"][:_SHORT_HASH]
    if facts["missing"]:
        return f"the API asked for proof of {name}…, which is not here any more, and was told so"
    if facts["outcome"] == "passed":
        return f"proved that {name}… is here"
    return f"the proof of {name}… was not accepted ({facts['outcome']})"


def _upload(facts: Facts) -> str:
    name = facts["sha256"][:_SHORT_HASH]
    if facts["outcome"] == "counted":
        return f"sent {name}… ({in_words(facts['size'])}): it counts now"
    return f"sent {name}…, and it does not count ({facts['outcome']})"


def _ended_all(facts: Facts) -> str:
    return f"You keep {files_in_words(facts['files'])}, {in_words(facts['bytes'])}; {facts['proved']} proved."


_SENTENCES: dict[str, Callable[[Facts], str | None]] = {
    "joined": lambda facts: f"joined {facts['api']} as {facts['node_id']}",
    "started": lambda facts: (
        f"{facts['node_id']} helps {facts['api']} with {in_words(facts['given'])}; files are in {facts['folder']}"
    ),
    "resumed": lambda facts: f"{files_in_words(facts['files'])} in hand from before",
    "found": lambda facts: (
        f"{files_in_words(facts['files'])} found in the store and written into the journal"
    ),
    "journal-damaged": lambda facts: (
        f"the journal could not be read and was moved to {facts['path']};"
        " the files are listed anew, and what was in hand is given back"
    ),
    "journal-trouble": lambda facts: f"{facts['message']}; trying again until it can",
    "allocated": lambda facts: (
        f"took {files_in_words(facts['files'])}"
        + (f", about {in_words(facts['bytes'])}" if facts["bytes"] else "")
    ),
    "no-work": lambda facts: f"nothing to do now; asking again in {pause_in_words(facts['seconds'])}",
    "full": lambda facts: (
        f"no room: {in_words(facts['used'])} of {in_words(facts['given'])} used, or the disk is at its reserve;"
        " looking again in a minute"
    ),
    "ended": _ended,
    "given-back": _given_back,
    "reported": _reported,
    "not-taken": lambda facts: (
        f"the API did not take a result: {facts['message']} {_short(facts['url'])}".rstrip()
    ),
    "unreadable": lambda facts: f"the API gave work that cannot be understood: {facts['message']}",
    "refused": lambda facts: f"the API refused {facts['what']}: {facts['message']}",
    "lost": lambda facts: (
        f"{files_in_words(facts['files'])} went to somebody else: stopped, and what arrived is kept"
    ),
    "message": lambda facts: f"the API says: {facts['message']}",
    "api-away": lambda facts: f"{facts['message']}; going on with what is in hand and trying again",
    "api-back": lambda facts: f"the API is back after {pause_in_words(facts['seconds'])}",
    "hours-closed": lambda facts: f"resting until the hours begin, in {pause_in_words(facts['seconds'])}",
    "challenge": _challenge,
    "upload-begun": lambda facts: (
        f"sending {facts['sha256'][:_SHORT_HASH]}… ({in_words(facts['size'])}) as proof"
    ),
    "upload": _upload,
    "no-proof": lambda facts: f"no {facts['what']} for {facts['sha256'][:_SHORT_HASH]}…: {facts['message']}",
    "rotten": lambda facts: (
        f"{facts['sha256'][:_SHORT_HASH]}… is not what it was: the disk may be failing; it was put into quarantine"
    ),
    "stopping": lambda _: "stopping: what runs gets a moment, the rest goes back; once more stops at once",
    "unheard": lambda facts: (
        f"the API could not be told everything ({files_in_words(facts['files'])} to report); the next start does it"
    ),
    "ended-all": _ended_all,
}
_PLAIN = {
    "forbidden": "refused us",
    "login-required": "wants a login",
    "not-found": "has no such file",
    "gone": "says the file is gone for good",
    "legal": "withholds the file for legal reasons",
    "connect-failed": "does not answer",
    "dns-failed": "has a name that cannot be resolved",
    "server-error": "has trouble of its own",
    "rate-limited": "asked us to come back later",
    "host-rests": "rests, so it was not asked",
    "robots": "asks robots to stay away",
}
_OURS = {
    "no-space": "there is no room for it here",
    "store-failed": "the disk did not take it",
    "interrupted": "it was broken off",
    "connect-failed": "this machine seems to be offline",
    "dns-failed": "this machine seems to be offline",
    "connection-lost": "the connection of this machine broke",
    "too-slow": "the connection of this machine is too slow",
}


def _reason(slug: str) -> str:
    reason = REASONS.get(slug)
    text = reason.sentence if reason is not None else slug
    return (text[0].lower() + text[1:]).rstrip(".")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url[:_LONGEST_URL]
    except ValueError:
        return url[:_LONGEST_URL]


def _short(url: str) -> str:
    return url if len(url) <= _LONGEST_URL else f"{url[: _LONGEST_URL - 1]}…"
