"""The dates in FTP listings. What says no zone is taken as UTC; what is no date is None, and never an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_REMEMBERED = 4096  # the files of a directory share their dates
_NOON = 12
_LAST_MONTH = 12
_FIRST_OF_LAST_CENTURY = 70  # years of two digits: 70 is 1970, 69 is 2069 (POSIX)
# Short and long, in English, German, French, Spanish, Italian, Portuguese and Dutch.
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan januar january janv janvier ene enero gen gennaio janeiro januari",
            "feb februar february fev fév févr février febrero febbraio fevereiro februari",
            "mar mär mrz märz march mars marzo março mrt maart",
            "apr april avr avril abr abril aprile",
            "may mai mayo mag maggio maio mei",
            "jun juni june juin junio giu giugno junho",
            "jul juli july juil juillet julio lug luglio julho",
            "aug august aou aoû août ago agosto augustus",
            "sep sept september septembre septiembre set settembre setembro",
            "oct okt october oktober octobre octubre ott ottobre out outubro",
            "nov november novembre noviembre novembro",
            "dec dez dezember december déc décembre dic diciembre dicembre dezembro",
        ),
        start=1,
    )
    for word in words.split()
}
_STAMP = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?")
_ISO = re.compile(rb"(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d)(?::(\d\d))?[.\d]*(?: ([-+])(\d\d)(\d\d))?)?")
_CLOCK = re.compile(rb"(\d{1,2}):(\d\d)(?::(\d\d))?(?: (\d{4}))?")


def machine_moment(text: bytes) -> datetime | None:
    """`YYYYMMDDHHMMSS` with or without a fraction, in UTC (RFC 3659 2.3)."""
    match = _STAMP.fullmatch(text)
    return _moment(*map(int, match.groups())) if match else None


@lru_cache(maxsize=_REMEMBERED)
def unix_moment(text: bytes, now: datetime | None) -> datetime | None:
    """The date in a line of `ls -l`: `Jan  5 10:00`, `5. Jan 2024`, `2024-01-05 10:00` and the like.

    With a time in place of a year it is the last such day before `now`.
    """
    if match := _ISO.fullmatch(text):
        return _iso(match)
    first, second, rest = text.split(None, 2)
    day, word = (second, first) if second[:1].isdigit() else (first, second)
    month = _MONTHS.get(_words(word).rstrip(".").casefold())
    if month is None:
        return None
    if rest.isdigit():
        return _moment(int(rest), month, int(day.rstrip(b".")))
    clock = _CLOCK.fullmatch(rest)
    if clock is None:
        return None
    at = (month, int(day.rstrip(b".")), int(clock[1]), int(clock[2]), int(clock[3] or 0))
    return _moment(int(clock[4]), *at) if clock[4] else _last(at, now)


def _last(at: tuple[int, ...], now: datetime | None) -> datetime | None:
    """The last such moment that is not to come; a server's clock may be a day ahead of ours."""
    if now is None:
        return None
    moments = (_moment(now.year - years, *at) for years in (-1, 0, 1))
    return next((one for one in moments if one is not None and one <= now + timedelta(days=1)), None)


@lru_cache(maxsize=_REMEMBERED)
def dos_moment(date: bytes, clock: bytes) -> datetime | None:
    """`01-31-24`, `01-31-2024`, `2024-01-31`, `31.01.2024`, with a time of 12 or of 24 hours."""
    one, two, three = (int(part) for part in re.split(rb"[-/.]", date))
    if len(date.replace(b".", b"-").replace(b"/", b"-").partition(b"-")[0]) == 4:  # noqa: PLR2004 - a year
        year, month, day = one, two, three
    elif b"." in date or one > _LAST_MONTH:
        day, month, year = one, two, three
    else:
        month, day, year = one, two, three
    if year < 100:  # noqa: PLR2004
        year += 1900 if year >= _FIRST_OF_LAST_CENTURY else 2000
    numbers = [int(part) for part in re.findall(rb"\d+", clock)]
    if half := re.search(rb"[AP]", clock.upper()):
        numbers[0] = numbers[0] % _NOON + (_NOON if half[0] == b"P" else 0)
    return _moment(year, month, day, *numbers)


def vms_moment(date: bytes, clock: bytes) -> datetime | None:
    """`5-JAN-2024` and `10:00` or `10:00:00`."""
    day, word, year = date.split(b"-")
    month = _MONTHS.get(word.decode("ascii").lower())
    if month is None:
        return None
    return _moment(int(year), month, int(day), *map(int, clock.split(b":")))


def _iso(match: re.Match[bytes]) -> datetime | None:
    moment = _moment(*(int(match[group] or 0) for group in range(1, 7)))
    if moment is None or match[7] is None:
        return moment
    ahead = timedelta(hours=int(match[8]), minutes=int(match[9])) * (-1 if match[7] == b"-" else 1)
    try:
        return moment - ahead
    except OverflowError:
        return None


def _moment(*numbers: int) -> datetime | None:
    try:
        return datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def _words(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")
