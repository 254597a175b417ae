"""The bytes of every file, as a function of its path and size: read anywhere, stored nowhere.

A content is a few runs, each a short unit repeated up to a length, so 20 MB are served,
cut and hashed from 64 KiB of memory. Each kind of file begins (and ends) as its format
demands: CSV, JSON, GeoJSON and XML parse, a ZIP passes its own test, the binary formats
have their signature and no more.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

_BLOCK = 64 * 1024
_LINES = 16


@dataclass(frozen=True, slots=True)
class Run:
    """`unit`, repeated and cut to `length` bytes."""

    unit: bytes
    length: int

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            offset = start % len(self.unit)
            piece = self.unit[offset : offset + stop - start]
            yield piece
            start += len(piece)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file."""

    runs: tuple[Run, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(run.length for run in self.runs)

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, in pieces of at most 64 KiB."""
        end = self.size if stop is None else min(stop, self.size)
        begin = 0
        for run in self.runs:
            first, last = max(start - begin, 0), min(end - begin, run.length)
            if first < last:
                yield from run.chunks(first, last)
            begin += run.length

    def sha256(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return self._digest("sha256")

    def md5(self) -> str:
        """MD5 of the bytes, in hexadecimal, as stores and repositories promise it."""
        return self._digest("md5")

    def _digest(self, algorithm: str) -> str:
        digest = hashlib.new(algorithm, usedforsecurity=False)
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Kind:
    """How files with one extension begin, go on and end. No `line` means binary noise."""

    format: str
    media_type: str
    head: bytes = b""
    line: str = ""
    tail: bytes = b""


_ROW = "{n:010d},{year}-{month:02d}-{day:02d},{value},{unit}"
KINDS = {
    "csv": Kind("CSV", "text/csv", b"station,date,value,unit\n", _ROW),
    "json": Kind(
        "JSON",
        "application/json",
        b'{"rows":[\n',
        '{{"id":{n},"date":"{year}-{month:02d}-{day:02d}","value":{value}}},',
        b"{}]}\n",
    ),
    "geojson": Kind(
        "GeoJSON",
        "application/geo+json",
        b'{"type":"FeatureCollection","features":[\n',
        '{{"type":"Feature","id":{n},"properties":{{"value":{value}}},'
        '"geometry":{{"type":"Point","coordinates":[-{value},{day}.5]}}}},',
        b'{"type":"Feature","properties":{},"geometry":null}]}\n',
    ),
    "xml": Kind(
        "XML",
        "application/xml",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<rows>\n',
        '<row id="{n}" year="{year}" value="{value}"/>',
        b"</rows>\n",
    ),
    "pdf": Kind("PDF", "application/pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "", b"\n%%EOF\n"),
    "nc": Kind("NetCDF", "application/x-netcdf", b"CDF\x01"),
    "parquet": Kind("Parquet", "application/vnd.apache.parquet", b"PAR1", "", b"PAR1"),
    "zip": Kind("ZIP", "application/zip"),
}
_UNKNOWN = Kind("", "application/octet-stream")


def extension(path: str) -> str:
    """The extension of the last segment, without its dot; empty if there is none."""
    return PurePosixPath(path).suffix.lstrip(".").lower()


def kind_of(path: str) -> Kind:
    """The kind of the file at `path`, by its extension; a nameless download is the table that is promised of it."""
    nameless = PurePosixPath(path).parent.name in ("download", "datafile")
    return KINDS["csv"] if nameless else KINDS.get(extension(path), _UNKNOWN)


@lru_cache(maxsize=32)
def content_of(path: str, size: int) -> Content:
    """The file at `path` of about `size` bytes: `Content.size` is what it really has.

    A text file is never shorter than what its format needs around no rows at all.
    """
    if size == 0:
        return Content(())
    return _zip(path, size) if extension(path) == "zip" else Content(_plain(path, kind_of(path), size))


def _plain(path: str, kind: Kind, size: int) -> tuple[Run, ...]:
    room = max(size - len(kind.head) - len(kind.tail), 0)
    body = (_rows(path, kind.line, room)) if kind.line else (_noise(path, room),)
    ends = (Run(kind.head, len(kind.head)), *body, Run(kind.tail, len(kind.tail)))
    return tuple(run for run in ends if run.length)


def _noise(path: str, length: int) -> Run:
    return Run(hashlib.shake_128(path.encode()).digest(_BLOCK), length)


def _rows(path: str, line: str, room: int) -> tuple[Run, ...]:
    """As many whole rows as fit, then line feeds: a cut row would not parse."""
    seed = hashlib.shake_128(path.encode()).digest(_LINES * 8)
    texts = [_row(line, seed[at : at + 8]) for at in range(0, len(seed), 8)]
    width = max(len(text) for text in texts)
    unit = "".join(text.ljust(width) + "\n" for text in texts).encode()
    rows = room // (width + 1) * (width + 1)
    return Run(unit * (_BLOCK // len(unit)), rows), Run(b"\n" * 256, room - rows)


def _row(line: str, seed: bytes) -> str:
    return line.format(
        n=int.from_bytes(seed[:4]),
        year=1950 + seed[4] % 75,
        month=1 + seed[5] % 12,
        day=1 + seed[6] % 28,
        value=f"{10 + seed[7] % 80}.{seed[4]:03d}",
        unit=("mg/L", "degC", "m3/s", "count")[seed[5] % 4],
    )


_LOCAL_HEADER = 30
_CENTRAL_HEADER = 46
_END_RECORD = 22
_DOS_DATE = 0x5021  # 2020-01-01


def _zip(path: str, size: int) -> Content:
    """One stored member, as PKWARE's APPNOTE.TXT 4.3 lays it out."""
    name = f"{PurePosixPath(path).stem}.csv".encode()
    room = max(size - _LOCAL_HEADER - _CENTRAL_HEADER - _END_RECORD - 2 * len(name), 0)
    member = _plain(f"{path}!{name.decode()}", KINDS["csv"], room)
    length = sum(run.length for run in member)
    crc = 0
    for chunk in Content(member).chunks():
        crc = zlib.crc32(chunk, crc)
    common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, _DOS_DATE, crc, length, length, len(name), 0)
    head = b"PK\x03\x04" + common + name
    directory = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(head) + length, 0)
    tail = directory + end
    return Content((Run(head, len(head)), *member, Run(tail, len(tail))))
