"""Numbers, moments and other people's text, as they stand on a page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from shelter_pipeline.domain.counts import most_first

_TRUST = (
    (0.75, "proved over and over"),
    (0.4, "proved many times"),
    (0.1, "proved a few times"),
    (0.0, "new: proves every file"),
)
_STEP = 1000
_ROUNDS_UP = 999.95  # would be shown as 1000.0
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_SPANS = ((86_400, "day"), (3600, "hour"), (60, "minute"))
_LEADS_OUTSIDE = frozenset({"http", "https", "ftp", "ftps"})
# C0, DEL and C1 but for tab and line feed; what turns the direction of text around (UAX #9: embeddings, overrides,
# isolates); lone surrogates. Marks of direction (U+200E, U+200F) are letters' own and stay.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 300


def size(count: float) -> str:
    """Bytes in the unit a person would use, powers of 1000.

    >>> size(20_480_000)
    '20.5 MB'
    """
    unit = 0
    while count >= (_ROUNDS_UP if unit else _STEP) and unit < len(_UNITS) - 1:
        count /= _STEP
        unit += 1
    return f"{count:.0f} B" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


def number(count: float) -> str:
    """A count with its thousands apart.

    >>> number(526000)
    '526,000'
    """
    return f"{count:,.0f}"


def percent(part: float, whole: float) -> str:
    """A share that is 100 % only when it is whole, and 0 % only when it is nothing; all of nothing is a dash.

    >>> percent(999_999, 1_000_000), percent(1, 1_000_000), percent(2, 3)
    ('99.9 %', '0.1 %', '66.7 %')
    """
    if whole <= 0:
        return "–"
    if part >= whole:
        return "100 %"
    return "0 %" if part <= 0 else f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"


def by_reason(failed: Mapping[str, int]) -> str:
    """`not-found 3, empty 1`, most first; a dash for none."""
    return ", ".join(f"{reason} {count}" for reason, count in most_first(failed)) or "–"


def moment(at: datetime | str | None) -> str:
    """A moment to the minute, in UTC; a dash for none."""
    found = _moment(at)
    return f"{found:%Y-%m-%d %H:%M} UTC" if found else "–"


def iso(at: datetime | str | None) -> str:
    """A moment for programs (RFC 3339), in UTC; nothing for none."""
    found = _moment(at)
    return f"{found:%Y-%m-%dT%H:%M:%SZ}" if found else ""


def span(duration: timedelta | float) -> str:
    """A duration (of a number: seconds) in its greatest unit.

    >>> span(90), span(7200), span(3 * 86_400)
    ('1 minute', '2 hours', '3 days')
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    for length, name in _SPANS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return f"{max(int(seconds), 0)} s"


def plain(text: object, longest: int | None = None) -> str:
    """Other people's text with nothing in it that acts unseen, cut where it is longer than `longest` characters.

    Control characters, and those that turn the direction of what follows around, become U+FFFD.
    """
    shown = _UNSEEN.sub("\ufffd", "" if text is None else str(text))
    return shown if longest is None or len(shown) <= longest else f"{shown[: longest - 1]}…"


def sentence(text: object) -> str:
    """A message of ours as a sentence of its own: a capital first, a full stop last.

    >>> sentence("there is no dataset 7")
    'There is no dataset 7.'
    """
    said = str(text).strip()
    return f"{said[:1].upper()}{said[1:]}{'' if said[-1:] in ('.', '!', '?', '') else '.'}"


def brief(text: object, longest: int = _LONGEST) -> str:
    """`plain` text for a line of a list."""
    return plain(text, longest)


def pieces(text: object, marks: Sequence[tuple[int, int]], longest: int = _LONGEST) -> list[tuple[str, bool]]:
    """`brief` text in stretches, each with whether it is marked; `marks` are first characters and the ones after.

    >>> pieces("daily rain", [(6, 10)])
    [('daily ', False), ('rain', True)]
    """
    shown, at, found = brief(text, longest), 0, []
    for first, last in marks:
        found += [(shown[at:first], False), (shown[first:last], True)]
        at = last
    return [(piece, marked) for piece, marked in [*found, (shown[at:], False)] if piece]


def quoted(text: object) -> str:
    """One word for a shell (POSIX, 2.2.2), whatever is in it."""
    return shlex.quote(plain(text))


def outside(url: object) -> str | None:
    """The URL if a page may lead there: http, https, ftp; None for everything else."""
    text = "" if url is None else str(url)
    if _UNSEEN.search(text):
        return None
    try:
        scheme = urlsplit(text).scheme.lower()
    except ValueError:
        return None
    return text if scheme in _LEADS_OUTSIDE else None


def _moment(at: datetime | str | None) -> datetime | None:
    if not at:
        return None
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def trust_words(trust: float) -> str:
    """How far a node is trusted (0 to 1), for people."""
    return next(words for least, words in _TRUST if trust >= least)
