"""The lines of an FTP directory listing, as servers write them, turned into entries one by one.

MLSD is a standard (RFC 3659 7) and NLST nothing but names. What LIST answers is for people:
here are read the manner of Unix with its relatives (NetWare among them), those of MS-DOS
and VMS, and EPLF. Each line is read for itself, in time that does not grow faster than it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from shelter_pipeline.discovery.ftp_dates import dos_moment, machine_moment, unix_moment, vms_moment

_LONGEST_LINE = 8192
_SHOWN = 80
_VMS_BLOCK = 512


class Sort(StrEnum):
    """What an entry is, by the word of the server."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"  # symbolic, to a file or a directory
    UNTOLD = "untold"


class Entry(NamedTuple):
    """One entry; the name is in the server's own bytes, the size in bytes, the date in UTC as far as is known."""

    name: bytes
    sort: Sort
    size: int | None = None
    modified: datetime | None = None
    target: bytes = b""  # of a link, where it is told
    media_type: str | None = None


def entries(body: bytes, form: str, now: datetime | None) -> Iterator[Entry | bytes]:
    """The entries of a listing of this form (mlsd, mlst, list, nlst), in their order.

    A line that names neither file, directory nor link comes as it is, cut to a readable
    length; headings, totals and empty lines do not come. Dates without a year are
    understood as the last such day before `now`, and not at all without it. Never raises.
    """
    if form in ("mlsd", "mlst"):
        yield from _read(body, _machine)
    elif form == "nlst":
        yield from _read(body, _name_only)
    else:
        yield from _read_list(body, now)


def _lines(body: bytes) -> Iterator[bytes]:
    for line in io.BytesIO(body.removeprefix(b"\xef\xbb\xbf")):
        text = line.rstrip(b"\r\n")
        if text:
            yield text


def _read(body: bytes, parse: Callable[[bytes], Entry | None]) -> Iterator[Entry | bytes]:
    for line in _lines(body):
        yield (parse(line) if len(line) <= _LONGEST_LINE else None) or line[:_SHOWN]


def _read_list(body: bytes, now: datetime | None) -> Iterator[Entry | bytes]:
    parsers = (partial(_unix, now=now), _dos, _eplf, _vms)
    held = b""  # a name of VMS whose particulars stand on the next line
    for line in _lines(body):
        whole = held + line if held and line[:1].isspace() else line
        if held and whole is line:
            yield _vms(held) or held[:_SHOWN]
        held = b""
        if _VMS_NAME.fullmatch(whole):
            held = whole
            continue
        entry = None
        if len(whole) <= _LONGEST_LINE:
            entry = next((found for parse in parsers if (found := parse(whole)) is not None), None)
        if entry is not None:
            yield entry
        elif not _HEADING.fullmatch(whole):
            yield whole[:_SHOWN]
    if held:
        yield _vms(held) or held[:_SHOWN]


# What stands above or below the entries: a count of blocks in any language, VMS's directory and total.
_HEADING = re.compile(rb"\s*\S{1,30} [\d.,]{1,30}[A-Za-z]?|Directory \S.*|Total of .*|\s*", re.DOTALL)


# MLSD


def _machine(line: bytes) -> Entry | None:
    """RFC 3659 7.2: facts, one space, the name. Case of facts and unknown facts do not matter."""
    facts, separator, name = (b"", b" ", line[1:]) if line[:1] == b" " else line.partition(b"; ")
    if not separator:  # the last semicolon is forgotten by some
        facts, separator, name = line.partition(b" ")
    if not separator or (facts and b"=" not in facts):
        return None
    told = _facts(facts)
    kind, _, target = told.get(b"type", b"").partition(b":")
    if kind.lower() in (b"cdir", b"pdir"):  # itself and the one above it, under whatever name
        return Entry(b".", Sort.DIRECTORY)
    sort = _machine_sort(kind.lower(), told.get(b"perm", b"").lower())
    if sort is None:
        return None
    size = _number(told.get(b"size", b"")) if sort is not Sort.LINK else None
    media_type = told.get(b"media-type", b"").decode("ascii", "replace") or None
    return Entry(name, sort, size, machine_moment(told.get(b"modify", b"")), target, media_type)


def _facts(text: bytes) -> dict[bytes, bytes]:
    pairs = (fact.partition(b"=") for fact in text.split(b";"))
    return {name.strip().lower(): value for name, sign, value in pairs if sign}


def _machine_sort(kind: bytes, permissions: bytes) -> Sort | None:
    if kind in _MACHINE_SORTS:
        return _MACHINE_SORTS[kind]
    if kind:  # a device
        return None
    if b"e" in permissions or b"l" in permissions:  # one may enter or list it
        return Sort.DIRECTORY
    return Sort.FILE if b"r" in permissions else Sort.UNTOLD


_MACHINE_SORTS = {
    b"file": Sort.FILE,
    b"dir": Sort.DIRECTORY,
    b"os.unix=slink": Sort.LINK,
    b"os.unix=symlink": Sort.LINK,
}


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) < 20 else None  # noqa: PLR2004 - more than any file has


# NLST


def _name_only(line: bytes) -> Entry | None:
    """A name; what ends in a slash is a directory, and of what else may be one nothing is told."""
    name = line.removeprefix(b"./")
    if name.endswith(b"/"):
        return Entry(name[:-1], Sort.DIRECTORY)
    return Entry(name, Sort.UNTOLD)


# LIST

_MONTH = rb"[A-Za-z\x80-\xff]{2,12}\.?"
_CLOCK_OR_YEAR = rb"(?:\d{1,2}:\d\d(?::\d\d \d{4})?|\d{4})"
_UNIX = re.compile(
    rb"([-a-zA-Z])(?:[-rwxsStTlL]{9}[.+@]?| ?\[[-A-Z]{8}\])[ \t]"
    rb"(?:.{0,200}?[ \t])??"  # links, owner, group: as many of them as the server likes to tell
    rb"(\d{1,19})[ \t]+"
    rb"(" + _MONTH + rb"[ \t]+\d{1,2}\.?[ \t]+" + _CLOCK_OR_YEAR + rb"|\d{1,2}\.?[ \t]+" + _MONTH + rb"[ \t]+"
    + _CLOCK_OR_YEAR
    + rb"|\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?: [-+]\d{4})?)?)"
    rb"[ \t](.+)",
    re.DOTALL,
)  # fmt: skip
_UNIX_SORTS = {b"-": Sort.FILE, b"d": Sort.DIRECTORY, b"l": Sort.LINK}


def _unix(line: bytes, *, now: datetime | None) -> Entry | None:
    """`ls -l` and what imitates it; one space parts the date from the name, further ones belong to it."""
    match = _UNIX.fullmatch(line)
    sort = _UNIX_SORTS.get(match[1]) if match else None
    if match is None or sort is None:
        return None
    modified = unix_moment(match[3], now)
    if sort is Sort.LINK:
        name, _, target = match[4].partition(b" -> ")
        return Entry(name, sort, None, modified, target)
    return Entry(match[4], sort, int(match[2]) if sort is Sort.FILE else None, modified)


_DOS = re.compile(
    rb"[ \t]*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})[ \t]+(\d{1,2}:\d\d(?::\d\d)?[ \t]?(?:[AP]M?)?)[ \t]+"
    # IIS pads <DIR> by ten spaces; more of them belong to the name.
    rb"(?:<(DIR|JUNCTION|SYMLINKD?)>[ \t]{1,10}|([\d.,]{1,30})[ \t])(.+)",
    re.DOTALL | re.IGNORECASE,
)


def _dos(line: bytes) -> Entry | None:
    """`dir`, as IIS gives it, with years of two or four digits."""
    match = _DOS.fullmatch(line)
    if match is None:
        return None
    modified = dos_moment(match[1], match[2])
    if match[3] is None:
        return Entry(match[5], Sort.FILE, _number(re.sub(rb"[.,]", b"", match[4])), modified)
    if match[3].upper() == b"DIR":
        return Entry(match[5], Sort.DIRECTORY, None, modified)
    name, _, target = match[5].partition(b" [")
    return Entry(name, Sort.LINK, None, modified, target.removesuffix(b"]"))


def _eplf(line: bytes) -> Entry | None:
    """Easily Parsed LIST Format (cr.yp.to/ftp/list/eplf.html): facts by their first letter, a tab, the name."""
    facts, tab, name = line.partition(b"\t")
    if not tab or facts[:1] != b"+":
        return None
    told = {fact[:1]: fact[1:] for fact in facts[1:].split(b",")}
    if b"/" not in told and b"r" not in told:
        return None
    seconds = _number(told.get(b"m", b""))
    modified = None
    if seconds is not None and seconds < 2**35:
        modified = datetime.fromtimestamp(seconds, UTC)
    if b"/" in told:
        return Entry(name, Sort.DIRECTORY, None, modified)
    return Entry(name, Sort.FILE, _number(told.get(b"s", b"")), modified)


_VMS_NAME = re.compile(rb"[^\s;]{1,255};\d{1,5}")
_VMS = re.compile(
    rb"([^\s;]{1,255});\d{1,5}(?:[ \t]+(\d{1,10})(?:/\d{1,10})?)?"
    rb"(?:[ \t]+(\d{1,2}-[A-Za-z]{3}-\d{4})[ \t]+(\d{1,2}:\d\d(?::\d\d)?)(?:\.\d\d)?)?"
    rb"(?:[ \t]+\[.*)?[ \t]*",
    re.DOTALL,
)


def _vms(line: bytes) -> Entry | None:
    """`DIRECTORY` of VMS: the size in blocks of 512 bytes, the newest version first; without it the newest is meant."""
    match = _VMS.fullmatch(line)
    if match is None:
        return None
    modified = vms_moment(match[3], match[4]) if match[3] else None
    name: bytes = match[1]
    if name.upper().endswith(b".DIR"):
        return Entry(name[:-4], Sort.DIRECTORY, None, modified)
    return Entry(name, Sort.FILE, int(match[2]) * _VMS_BLOCK if match[2] else None, modified)
