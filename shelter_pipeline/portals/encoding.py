"""Bytes to text without losing a record to one bad byte.

A byte order mark, or the pattern of zero bytes that RFC 4627 section 3 describes, names
UTF-16 and UTF-32; everything else is UTF-8. Bytes that are not UTF-8 stay recognisable
(PEP 383 surrogates) until `mend` reads them as Windows-1252, record by record, so that
the note about them stands with the field they were in.
"""

from __future__ import annotations

import codecs
import re
from typing import Any

from shelter_pipeline.domain.records import Json, Note

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the other's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZERO_PATTERNS = {
    "x000": "utf-32-le",
    "000x": "utf-32-be",
    "x0x0": "utf-16-le",
    "0x0x": "utf-16-be",
}
_UNDECODED = re.compile("[\udc80-\udcff]")
_WINDOWS_1252 = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
_PROBLEM = "bytes that are not UTF-8 were read as Windows-1252"


def decode(body: bytes) -> tuple[str, bool]:
    """The text of a JSON or HTML body, and whether it holds undecoded bytes for `mend` to read."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return _decode_as(body[len(mark) :], encoding)
    pattern = "".join("0" if byte == 0 else "x" for byte in body[:4])
    return _decode_as(body, _ZERO_PATTERNS.get(pattern, "utf-8"))


def _decode_as(body: bytes, encoding: str) -> tuple[str, bool]:
    try:
        return body.decode(encoding), False
    except UnicodeDecodeError:
        if encoding == "utf-8":
            return body.decode(encoding, "surrogateescape"), True
        return body.decode(encoding, "replace"), False


def mend_text(text: str) -> str:
    """The text with undecoded bytes read as Windows-1252; U+FFFD for the five bytes it does not have."""
    return text.translate(_WINDOWS_1252) if _UNDECODED.search(text) else text


def _mend(value: Json) -> Any:
    if isinstance(value, str):
        return mend_text(value)
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {mend_text(key): _mend(item) for key, item in value.items()}
    return value


def mend(record: Json) -> tuple[Json, tuple[Note, ...]]:
    """The record with every undecoded byte read, and a note for each of its fields that held one."""
    if not isinstance(record, dict):
        return _mend(record), ()
    mended = {mend_text(key): _mend(value) for key, value in record.items()}
    notes = [Note(key, _PROBLEM) for key, value in record.items() if mended.get(mend_text(key)) != value]
    return mended, tuple(notes)
