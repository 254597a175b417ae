"""A catalogue document of any size, kept on disk and looked at as if it were in memory.

It is written to a file without a name as it arrives, so nothing of it is left behind
when the process ends, and mapped, so only the part that is looked at takes memory.
"""

from __future__ import annotations

import codecs
import json
import mmap
import tempfile
from dataclasses import dataclass
from io import FileIO

from shelter_pipeline.domain.errors import PermanentError, SetupError, TransientError
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline.portals.replies import check_reply

_PIECE_BYTES = 1024 * 1024
_TAIL_BYTES = 4096
_ENDINGS = (b"}", b"]")
_UTF_8 = "utf-8"
_UTF_8_WITH_MARK = "utf-8-sig"


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a reply in UTF-8, where in it the text begins, and how many requests it took."""

    text: bytes | mmap.mmap
    requests: int
    start: int = 0  # after the byte order mark


def fetch_document(reader: PageReader, url: str) -> Document:
    """The document at `url`. Raises ShelterError as `PageReader.json`, SetupError when the disk is full.

    A document that is cut off is asked for again; the last attempt's is given as far as it goes.
    """
    with tempfile.TemporaryFile(buffering=0) as file:
        requests = reader.persistently(url, lambda attempt: _ask(reader, url, file, attempt))
        text = _mapped(file)
    return Document(text, requests, len(codecs.BOM_UTF8) if text[:3] == codecs.BOM_UTF8 else 0)


def _ask(reader: PageReader, url: str, file: FileIO, attempt: int) -> int:
    file.seek(0)
    file.truncate()
    headers = {"Accept": "application/json", **reader.headers}
    reply = reader.reader.save(
        url, lambda piece: _write(file, piece), headers=headers, max_bytes=reader.max_bytes
    )
    if file.tell() > reader.max_bytes:
        raise PermanentError(f"a document of more than {reader.max_bytes} bytes", reason="too-large")
    check_reply(reply.head, reply.body)
    if attempt < reader.attempts and _is_cut(file):
        raise TransientError("JSON that ends in the middle", reason="wrong-length")
    return attempt


def _write(file: FileIO, piece: bytes) -> None:
    try:
        left = memoryview(piece)
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise SetupError(
            f"the document cannot be kept in {tempfile.gettempdir()} while it is read ({error.strerror}); "
            "TMPDIR can name a folder with more room",
            reason="store-failed",
        ) from error


def _is_cut(file: FileIO) -> bool:
    """Whether a document does not even end with a bracket. One of no object or list may seem to be."""
    size = file.tell()
    file.seek(max(size - _TAIL_BYTES, 0))
    tail = file.read().rstrip(b" \t\r\n\0")
    return bool(tail) and not tail.endswith(_ENDINGS)


def _mapped(file: FileIO) -> bytes | mmap.mmap:
    file.seek(0)
    encoding = json.detect_encoding(file.read(4))
    if encoding in (_UTF_8, _UTF_8_WITH_MARK):
        return _map(file)
    with tempfile.TemporaryFile(buffering=0) as translated:
        _translate(file, translated, encoding)
        return _map(translated)


def _map(file: FileIO) -> bytes | mmap.mmap:
    """The map keeps the file alive by itself; an empty file has none."""
    if not file.seek(0, 2):
        return b""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _translate(source: FileIO, target: FileIO, encoding: str) -> None:
    """Copy text as UTF-8, piece by piece; what cannot be decoded becomes U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    source.seek(0)
    while piece := source.read(_PIECE_BYTES):
        _write(target, decoder.decode(piece).encode())
    _write(target, decoder.decode(b"", final=True).encode())
