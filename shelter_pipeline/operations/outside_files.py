"""Files that somebody else made, read once through in bounded memory: plain or gzip, UTF-8 or what old exports use.

A line that cannot be used is refused by its number and the reading goes on; only a file
that holds no table at all is an error, and it says what was expected instead.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from shelter_pipeline.domain.errors import SetupError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1a")
_MOST_CONTROLS = 0.01  # of the first chunk's bytes; a text has next to none
_CHUNK = 1 << 18
_LONGEST_LINE = 1 << 20  # characters; the rest of such a line is passed over
_MOST_LINES_A_RECORD = 50  # a quote that is open for longer was never meant
_MOST_HEAD_LINES = 1000
_REFUSALS_SHOWN = 50
_DELIMITERS = ",;\t"


class UnusableRowError(ValueError):
    """One row cannot be used; the message is what the person who made the file is told of it."""


@dataclass(slots=True)
class Refusals:
    """The rows that were not used: all are counted, the first of them are told."""

    count: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)

    def add(self, line: int, problem: str) -> None:
        """Note that the row that begins on this line was refused."""
        self.count += 1
        if len(self.first) < _REFUSALS_SHOWN:
            self.first.append({"line": line, "problem": problem})


class Lines:
    """The lines of a text, numbered from 1; those given last can be taken back."""

    def __init__(self, handle: IO[str], path: Path) -> None:
        self._handle, self._path = handle, path
        self._returned: deque[str] = deque()
        self.taken: list[str] = []  # since the last `begin`
        self.number = 0  # of the line given last

    def begin(self) -> None:
        """A record begins with the next line."""
        self.taken.clear()

    def take_back(self) -> str:
        """The first line of the record; what followed it will be given again."""
        first, *rest = self.taken
        self._returned.extendleft(reversed(rest))
        self.number -= len(rest)
        return first

    def peek(self) -> str:
        """The next line that is not blank, which will be given again; empty at the end."""
        skipped = [self._read()]
        while skipped[-1] and not skipped[-1].strip() and len(skipped) < _MOST_HEAD_LINES:
            skipped.append(self._read())
        self._returned.extend(line for line in skipped if line)
        return skipped[-1]

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _MOST_LINES_A_RECORD:
            raise csv.Error
        line = self._returned.popleft() if self._returned else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def _read(self) -> str:
        try:
            line = self._handle.readline(_LONGEST_LINE)
            piece = line
            while len(piece) == _LONGEST_LINE and not piece.endswith(("\n", "\r")):
                piece = self._handle.readline(_LONGEST_LINE)
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise SetupError(f"{self._path} cannot be read after line {self.number}: {error}") from error
        return line


@contextmanager
def outside_lines(path: Path) -> Iterator[tuple[Lines, list[str]]]:
    """The lines of a text file, with notes on how it had to be read. The file is read twice.

    Raises SetupError naming the file when it is missing, a folder, damaged or no text.
    """
    try:
        with _opened(path) as binary:
            encoding, notes = _encoding(binary, path)
        opened = io.TextIOWrapper(_opened(path), encoding=encoding, newline="")
    except (OSError, EOFError, zlib.error) as error:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SetupError(f"{path} cannot be read: {problem}") from error
    with opened as handle:
        yield Lines(handle, path), notes


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as looked_at:
        compressed = looked_at.read(len(_GZIP)) == _GZIP
    return cast("IO[bytes]", gzip.open(path)) if compressed else path.open("rb")


def _encoding(binary: IO[bytes], path: Path) -> tuple[str, list[str]]:
    chunk = binary.read(_CHUNK)
    if chunk.startswith(_ZIP):
        raise SetupError(f"{path} is a zip archive; unpack it first")
    if chunk.startswith(_UTF16):
        return "utf-16", ["read as UTF-16"]
    if len(chunk) - len(chunk.translate(None, _CONTROLS)) > len(chunk) * _MOST_CONTROLS:
        raise SetupError(f"{path} is no text file")
    utf8, ansi = (codecs.getincrementaldecoder(name)() for name in ("utf-8", "cp1252"))
    is_utf8 = is_ansi = True
    while is_utf8 or is_ansi:
        is_utf8 = is_utf8 and _decodes(utf8, chunk)
        is_ansi = is_ansi and _decodes(ansi, chunk)
        if not chunk:
            break
        chunk = binary.read(_CHUNK)
    if is_utf8:
        return "utf-8-sig", []
    if is_ansi:
        return "cp1252", ["not UTF-8: read as Windows-1252"]
    raise SetupError(f"{path} is neither UTF-8 nor Windows-1252 text")


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV whose header has been read: where each known column stands, and the rows under it."""

    columns: dict[str, int]
    rows: Iterator[tuple[int, list[str]]]  # the line each begins on, and its cells


def plain(name: str) -> str:
    """A column's name without case, white space and signs: `Link URL` and `link_url` are `linkurl`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def read_table(
    lines: Lines, path: Path, known: Mapping[str, str], needed: tuple[str, ...], refusals: Refusals
) -> Table:
    """The table of a CSV (RFC 4180), its header the first line that is neither empty nor a `#` comment.

    `known` gives for each spelling, as `plain` has it, the column it stands for. Columns
    may be parted by commas, semicolons or tabs. A record that is not well formed is read
    as the one line it begins on; empty ones are passed over, and those with fewer cells
    than the header are refused. Raises SetupError when a needed column is missing.
    """
    header = _header(lines, path, needed)
    by_delimiter = [(_columns(header, sign, known), sign) for sign in _DELIMITERS]
    columns, delimiter = max(by_delimiter, key=lambda found: len(found[0]))
    names = next(csv.reader([header], delimiter=delimiter))
    missing = [name for name in needed if name not in columns]
    if missing:
        shown = ", ".join(name.strip() for name in names)[:300]
        raise SetupError(
            f"{path} lacks the column {' and '.join(missing)}; line {lines.number} should name the columns,"
            f" and says: {shown}"
        )
    return Table(columns, _rows(lines, delimiter, len(names), refusals))


def _header(lines: Lines, path: Path, needed: tuple[str, ...]) -> str:
    for line in lines:
        lines.begin()
        if line.strip(", ;\t\r\n") and not line.lstrip().startswith("#"):
            return line
        if lines.number > _MOST_HEAD_LINES:
            break
    raise SetupError(f"{path} holds no table; its first line should name the columns {', '.join(needed)}")


def _columns(header: str, delimiter: str, known: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for position, name in enumerate(next(csv.reader([header], delimiter=delimiter), [])):
        column = known.get(plain(name))
        if column is not None:
            found.setdefault(column, position)
    return found


def _rows(lines: Lines, delimiter: str, width: int, refusals: Refusals) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            try:
                cells = next(csv.reader([lines.take_back()], delimiter=delimiter))
            except csv.Error:
                refusals.add(line, f"a cell is longer than {csv.field_size_limit()} characters")
                continue
        if not any(cells) or not any(cell.strip() for cell in cells):
            continue
        if len(cells) < width:
            refusals.add(line, f"too few columns: {len(cells)} of {width}")
            continue
        yield line, cells
