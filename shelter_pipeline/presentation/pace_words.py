"""How fast the rescue goes and how long it may take, in sentences that promise nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shelter_pipeline.presentation.words import number, size, span

_WINDOWS = {"hour": "the last hour", "day": "the last day", "week": "the last week"}
_LEAST_A_SECOND = 0.1
_REASONS = {
    "nothing-remains": "Nothing waits: every file that is known was tried.",
    "too-young": "No estimate yet: the rescue is younger than an hour, or has not begun.",
    "idle": "No estimate: nothing was stored in the last day.",
    "too-long": "No estimate: at this pace it would take more than a century.",
}


def rate_words(pace: Mapping[str, Any]) -> str:
    """How fast files came lately; nothing in the first hour.

    >>> rate_words({"rates": {"hour": {"files": 9, "files_per_second": 0.01, "bytes_per_second": 2000.0}}})
    'In the last hour 36 files an hour came, 2.0 kB a second.'
    """
    for window, rate in pace["rates"].items():
        if rate["files"]:
            return (
                f"In {_WINDOWS[window]} {_often(rate['files_per_second'])} came,"
                f" {size(rate['bytes_per_second'])} a second."
            )
    return ""


def estimate_words(pace: Mapping[str, Any]) -> str:
    """How long what waits may take, from the fastest to the slowest pace of late; or why nobody can say."""
    found = pace["estimate"]
    if found["reason"] is not None:
        return _REASONS[found["reason"]]
    soonest, latest = span(found["soonest_seconds"]), span(found["latest_seconds"])
    files = pace["left"]["files"]
    waits = "the one file that waits takes" if files == 1 else f"the {number(files)} files that wait take"
    if soonest == latest:
        return f"At the recent pace {waits} about {soonest}."
    return f"At the recent pace {waits} from {soonest} to {latest}."


def unknown_words(pace: Mapping[str, Any]) -> str:
    """What the estimate does not count in, as one sentence; nothing where it knows everything."""
    left = pace["left"]
    told = [
        f"{number(left[name])} {words[left[name] != 1]}"
        for name, words in (
            ("unsized_files", ("waiting file of unknown size", "waiting files of unknown size")),
            (
                "failed_files",
                ("file that failed and is looked at again", "files that failed and are looked at again"),
            ),
            ("unfollowed_links", ("link that nobody has followed yet", "links that nobody has followed yet")),
        )
        if left[name]
    ]
    if not told:
        return ""
    return f"Not known: {told[0] if len(told) == 1 else ', '.join(told[:-1]) + ' and ' + told[-1]}."


def _often(files_per_second: float) -> str:
    if files_per_second >= _LEAST_A_SECOND * 10:
        return f"{files_per_second:,.0f} files a second"
    if files_per_second * 60 >= 1:
        return f"{files_per_second * 60:,.0f} files a minute"
    return (
        f"{files_per_second * 3600:,.0f} files an hour"
        if files_per_second * 3600 >= 1
        else "less than a file an hour"
    )
