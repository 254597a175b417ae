"""The content codings that can be unfolded: gzip, deflate, br and zstd, each up to its proven end.

Whatever the sizes in which wire bytes arrive, what comes out and where it ends is the same; a
piece that comes out is small however much it was folded, so memory is the coding's window
and a little more. A window larger than the coding's standard allows is not made.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import brotli

from shelter_pipeline.domain.errors import DamagedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE_BYTES = 64 * 1024
# What follows the end of a member is copied once a member: in small parts, many tiny members stay cheap.
_PART_BYTES = 16 * 1024
_GZIP_MAGICS = (b"\x1f\x8b",)
# A frame, and the sixteen kinds of frames that hold no data (RFC 8878, 3.1).
_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes((kind, 0x2A, 0x4D, 0x18)) for kind in range(0x50, 0x60)))
_ZSTD_WINDOW_LOG = 23  # 8 MiB: the most that the coding may ask for (RFC 9659)
_DEFLATE, _ZLIB_METHOD = -15, 8


class Stream(Protocol):
    """One member, frame or stream, from its first byte to its last."""

    ended: bool
    rest: bytes  # what came after the end, once it has ended

    def unfold(self, data: bytes) -> Iterator[bytes]:
        """All that these bytes unfold to. Raises the library's error for what is false."""


class _Zlib:
    """Gzip members (CRC and length are checked), zlib streams (Adler-32), raw deflate (has an end, no checksum)."""

    def __init__(self, wbits: int) -> None:
        self.ended, self.rest = False, b""
        self._inflate = zlib.decompressobj(wbits=wbits)

    def unfold(self, data: bytes) -> Iterator[bytes]:
        piece = b""
        # A full piece may have left something behind in the decoder although all input is taken.
        while (data or len(piece) == _PIECE_BYTES) and not self.ended:
            piece = self._inflate.decompress(data, _PIECE_BYTES)
            self.ended, self.rest = self._inflate.eof, self._inflate.unused_data
            data = self._inflate.unconsumed_tail
            yield piece


class _Zstd:
    """A zstd frame; its checksum is checked if it has one."""

    def __init__(self) -> None:
        self.ended, self.rest = False, b""
        self._inflate = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        )

    def unfold(self, data: bytes) -> Iterator[bytes]:
        hungry = False
        while not (hungry or self.ended):
            piece = self._inflate.decompress(data, _PIECE_BYTES)
            self.ended, self.rest = self._inflate.eof, self._inflate.unused_data
            hungry, data = self._inflate.needs_input, b""
            yield piece


class _Brotli:
    """A brotli stream (RFC 7932): it has an end, no checksum."""

    def __init__(self) -> None:
        self.ended, self.rest = False, b""
        self._inflate = brotli.Decompressor()

    def unfold(self, data: bytes) -> Iterator[bytes]:
        piece: bytes = self._inflate.process(data, output_buffer_limit=_PIECE_BYTES)
        yield piece
        # That more input could be taken does not mean that all of its output has been given.
        while not self._inflate.is_finished() and (piece or not self._inflate.can_accept_more_data()):
            piece = self._inflate.process(b"", output_buffer_limit=_PIECE_BYTES)
            yield piece
        self.ended = self._inflate.is_finished()


@dataclass(frozen=True, slots=True)
class _Kind:
    """How streams of a coding begin: `open` sees the first `opening_bytes` of one."""

    open: Callable[[bytes], Stream]
    opening_bytes: int
    magics: tuple[bytes, ...] = ()  # how another stream begins after the end of one; none may if empty
    may_be_padded: bool = False
    memory_mib: int = 1

    def may_follow(self, start: bytes) -> bool:
        """Whether these bytes, few or many, may begin another stream."""
        return any(start.startswith(magic) or magic.startswith(start) for magic in self.magics)


def _open_deflate(start: bytes) -> Stream:
    """RFC 9110 (8.4.1.2) means zlib's format; some servers send raw deflate, which cannot begin like it."""
    method, check = start[0] & 0x0F, int.from_bytes(start[:2], "big")
    return _Zlib(zlib.MAX_WBITS if method == _ZLIB_METHOD and check % 31 == 0 else _DEFLATE)


_KINDS = {
    "gzip": _Kind(lambda _: _Zlib(zlib.MAX_WBITS | 16), 2, _GZIP_MAGICS, may_be_padded=True),
    "deflate": _Kind(_open_deflate, 2),
    "br": _Kind(lambda _: _Brotli(), 1, memory_mib=17),
    "zstd": _Kind(lambda _: _Zstd(), 4, _ZSTD_MAGICS, memory_mib=9),
}


def memory_mib_of(name: str) -> int | None:
    """The most memory that unfolding this coding takes, in MiB; None if it cannot be unfolded."""
    kind = _KINDS.get(name)
    return kind.memory_mib if kind else None


class Coding:
    """One coding of a body: one stream after another, and what follows the last of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.surplus = False
        self._kind = _KINDS[name]
        self._stream: Stream | None = None
        self._opening = b""  # too few bytes yet to know what they begin

    @property
    def whole(self) -> bool:
        """Whether the last stream that began has come to its end."""
        return self._stream is not None and self._stream.ended and not self._opening

    def unfold(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes unfold to, in pieces of at most about 100 kB. Raises DamagedError `bad-encoding`."""
        try:
            for start in range(0, len(data), _PART_BYTES):
                yield from self._unfold_part(data[start : start + _PART_BYTES])
        except (zlib.error, zstd.ZstdError, brotli.error) as error:
            raise DamagedError(
                f"the {self.name} body cannot be read: {error}", reason="bad-encoding"
            ) from error

    def _unfold_part(self, data: bytes) -> Iterator[bytes]:
        while data and not self.surplus:
            stream = self._stream
            if stream is None or stream.ended:
                stream, data = self._open(data)
                if stream is None:
                    return
            yield from stream.unfold(data)
            data = stream.rest if stream.ended else b""

    def _open(self, data: bytes) -> tuple[Stream | None, bytes]:
        data, self._opening = self._opening + data, b""
        if self._stream is not None and not self._kind.may_follow(data):
            if not self._kind.may_be_padded:
                raise DamagedError(
                    f"something follows the end of the {self.name} body", reason="bad-encoding"
                )
            self.surplus = True  # zero padding, or anything else, which gzip(1) lets pass as well
            return None, b""
        if len(data) < self._kind.opening_bytes:
            self._opening = data
            return None, b""
        self._stream = self._kind.open(data)
        return self._stream, data
