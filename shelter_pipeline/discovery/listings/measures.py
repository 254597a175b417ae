"""Dates and sizes as listings write them, for people: each server in its own way.

A time is taken as UTC where the listing does not say otherwise. What cannot be a date of a
file (the year 1601 of Windows, the year 2106 of a counter that ran over) is no date, and
what no disk holds is no size.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

# A row is a few dozen characters; a description or a hostile page may go on for long.
LONGEST_TEXT = 400
_YEARS = range(1971, 2100)  # 1970 is what a server says that does not know
_CLOCKS_DIFFER = timedelta(days=2)  # time zones, and clocks that are set by hand
_LARGEST = 2**60
_NOON = 12
_MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)  # noqa: SIM905
}

_MONTH = r"(?P<month>[A-Z][a-z]{2})[a-z]{0,6}"
_TIME = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\b\.?)?(?: ?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2}|[A-Z]{3,4}\b))?"
)
# The shape that most servers write comes first.
_DATES = (
    # 2021-03-04 05:06, 2021-03-04T05:06:07Z, 2021-Mar-04 05:06:00, 2014-05- 8 00:52
    re.compile(
        r"(?<![0-9])(?P<year>[0-9]{4})(?P<mark>[-/])(?P<month>[0-9]{2}|[A-Z][a-z]{2})(?P=mark)"
        rf"(?P<day>[ 0-9][0-9])(?:[ T]{_TIME})?"
    ),
    # 04-Mar-2021 05:06, Thu, 04 Mar 2021 05:06:07 GMT
    re.compile(rf"(?<![0-9])(?P<day>[0-9]{{1,2}})[- ]{_MONTH}[- ](?P<year>[0-9]{{4}})(?: {_TIME})?"),
    # 3/4/2021 5:06 AM: the month is first, unless it cannot be
    re.compile(
        rf"(?<![0-9/])(?P<month>[0-9]{{1,2}})/(?P<day>[0-9]{{1,2}})/(?P<year>[0-9]{{4}})(?:,? {_TIME})?"
    ),
    # Mar 4, 2021 5:06:07 AM, Thursday, March 4, 2021 5:06 AM
    re.compile(rf"\b{_MONTH} (?P<day>[0-9]{{1,2}}), (?P<year>[0-9]{{4}})(?:,? {_TIME})?"),
    # 04.03.2021 05:06
    re.compile(
        rf"(?<![0-9.])(?P<day>[0-9]{{1,2}})\.(?P<month>[0-9]{{1,2}})\.(?P<year>[0-9]{{4}})(?:,? {_TIME})?"
    ),
)
_SIZE = re.compile(
    r"[\s/(|]*(?P<number>[0-9][0-9.,]{0,24})\s?(?P<unit>[KMGTP])?(?:i?B|o|bytes?|octets?)?(?=[\s)|]|$)",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?\Z")
_DECIMAL = re.compile(r"[0-9]+[.,][0-9]+\Z")
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}


class Measures(NamedTuple):
    """What stands beside a name: bytes, as round as the listing rounds them, and the last change."""

    size: int | None
    modified: datetime | None


def measures_in(text: str) -> Measures:
    """The date in a row's text, and the size after it or, failing that, before it."""
    text = text[:LONGEST_TEXT]
    for pattern in _DATES:
        if match := pattern.search(text):
            size = _size_at_start(text[match.end() :])
            if size is None:
                size = _size_at_start(text[: match.start()])
            return Measures(size, _moment(match))
    return Measures(_size_at_start(text), None)


def moment_in(text: str) -> datetime | None:
    """The first date in a text that is nothing else, as the fields of XML and JSON are."""
    return measures_in(text).modified


def exact_size(text: str) -> int | None:
    """A number of bytes written as digits alone; None for anything else."""
    text = text.strip()
    return (
        within_reason(int(text))
        if text.isascii() and text.isdecimal() and len(text) <= len(str(_LARGEST))
        else None
    )


def within_reason(size: float) -> int | None:
    """A size in bytes that a file can have."""
    return round(size) if 0 <= size < _LARGEST else None


def latest_moment(date_header: str | None) -> datetime:
    """After this no file can have changed: the server's own clock (RFC 9110 section 6.6.1), if it says."""
    try:
        said = parsedate_to_datetime(date_header or "")
    except ValueError:
        said = None
    if said is None or said.year not in _YEARS:
        return datetime(_YEARS.stop, 1, 1, tzinfo=UTC)
    return (said if said.tzinfo else said.replace(tzinfo=UTC)) + _CLOCKS_DIFFER


def _moment(match: re.Match[str]) -> datetime | None:
    found = match.groupdict()
    month, day = found["month"], int(found["day"])
    number = int(month) if month.isdecimal() else _MONTHS.get(month.lower(), 0)
    if number > len(_MONTHS) and "/" in match.group():
        number, day = day, number
    hour = int(found["hour"] or 0)
    if found["half"]:
        hour = hour % _NOON + (_NOON if found["half"] in "Pp" else 0)
    try:
        moment = datetime(
            int(found["year"]),
            number,
            day,
            hour,
            int(found["minute"] or 0),
            int(found["second"] or 0),
            tzinfo=UTC,
        )
        moment -= _offset(found["zone"] or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _YEARS else None


def _offset(zone: str) -> timedelta:
    """Of a numeric zone; one that has only a name is not looked up: a listing is no promise to the hour."""
    if zone[:1] not in ("+", "-"):
        return timedelta()
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return ahead if zone[0] == "+" else -ahead


def _size_at_start(text: str) -> int | None:
    match = _SIZE.match(text)
    if match is None:
        return None
    number, unit = match["number"], _UNITS[(match["unit"] or "").lower()]
    if number.isdecimal():  # as a whole number: a float would round what is exact
        return within_reason(int(number) * unit)
    if _GROUPED.match(number):
        return within_reason(float(number.replace(",", "")) * unit)
    if _DECIMAL.match(number):
        return within_reason(float(number.replace(",", ".")) * unit)
    return None
