"""One file's body over as many attempts as it takes, never a splice of two versions.

What a broken transfer left is continued only if the server named the version by a strong
validator, is asked for the rest of exactly that version (`Range` with `If-Range`, RFC 9110
13.1.5), and answers with exactly the rest. Every other body begins again from nothing.
The bytes so far outlive the process: the store keeps them with a note of their version,
and whoever fetches the same URL next goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import inf
from typing import Any

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.fetching.capture import Checksum, Promise
from shelter_pipeline.fetching.content import HEAD_BYTES, TAIL_BYTES, ContentRules
from shelter_pipeline.fetching.encoding import Inflater, decoder_of, encodings_of
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.judging import Judgement, judge
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.replies import continues, error_of_status, media_type_of, strong_etag
from shelter_pipeline.fetching.signs import Signs
from shelter_pipeline.fetching.tail import Tail
from shelter_pipeline.vault.store import Partial

# Fewer are as quickly fetched again.
LEAST_KEPT_BYTES = 16 * 1024
# Below, asking for the room that is left costs more than it can save.
LARGE_BYTES = 64 * 1024 * 1024
# Requests for a rest, one after another, that may bring nothing before all is asked for.
MOST_FRUITLESS = 2
# What a killed process loses at most.
NOTE_EVERY_BYTES = 16 * 1024 * 1024


class Body:
    """The bytes so far, and everything that must agree before they count as whole."""

    def __init__(
        self,
        url: str,
        promise: Promise,
        partial: Partial,
        limits: Limits,
        rules: ContentRules,
        *,
        room: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`room` says how many bytes the store can still take, None if that is not known."""
        self.partial = partial
        self.not_modified = False
        self._url = url
        self._promise = promise
        self._limits = limits
        self._rules = rules
        self._room = room
        self._asked_from = 0
        self._clear()
        if partial.note is not None:
            self._take_up(partial.note)

    def _forget(self) -> None:
        self.partial.reset()
        self._clear()

    def _clear(self) -> None:
        self.total: int | None = None
        self.encodings: tuple[str, ...] = ()
        self._etag: str | None = None
        self._media_type: str | None = None
        self._inflater: Inflater | None = None
        self._plain_head = bytearray()
        self._plain_tail = Tail(TAIL_BYTES)
        self._checksum = Checksum(self._promise)
        self._plain_checksum = Checksum(self._promise)
        self._noted = 0
        self._resumed = False
        self._fruitless = 0

    def _take_up(self, note: Mapping[str, Any]) -> None:
        """Go on where another process stopped, unless its note does not say of what, or it kept too much."""
        etag, total, media_type = note.get("etag"), note.get("total"), note.get("media_type")
        usable = note.get("url") == self._url and isinstance(etag, str) and self.partial.size < (total or inf)
        if not usable or self.partial.size >= self._limits.max_bytes:
            self._forget()
            return
        self._etag, self.total, self._media_type = etag, total, media_type
        self._noted = self.partial.size
        fruitless = note.get("fruitless")
        self._fruitless = fruitless if isinstance(fruitless, int) else 0
        if self._checksum.wanted:
            with self.partial.open() as kept:
                while piece := kept.read(NOTE_EVERY_BYTES):
                    self._checksum.update(piece)

    def keep(self) -> bool:
        """Leave the bytes so far for the next attempt of any process; False if nobody could go on from them."""
        if (
            self._etag is None
            or self.encodings
            or self.partial.size < LEAST_KEPT_BYTES
            or self.partial.size == self.total
        ):
            return False
        fruitless = self._fruitless + (0 < self._asked_from == self.partial.size)
        note = {
            "url": self._url,
            "etag": self._etag,
            "total": self.total,
            "media_type": self._media_type,
            "fruitless": fruitless,
        }
        self._noted = self.partial.size
        return self.partial.keep(note)

    def next_request(self) -> tuple[dict[str, str], int]:
        """Header fields and byte cap of the next attempt: the rest if it may be asked for, else all."""
        self._count_fruitless()
        if self._fruitless >= MOST_FRUITLESS:  # it may be the asking for a rest that the server cannot bear
            self._forget()
        if self._etag is None or self.encodings or not self.partial.size:
            self._asked_from = 0
            return self._promise.validators, self._limits.max_bytes
        self._asked_from = self.partial.size
        rest = {"Range": f"bytes={self._asked_from}-", "If-Range": self._etag}
        return rest, self._limits.max_bytes - self._asked_from

    def _count_fruitless(self) -> None:
        """Whether the last request for a rest has brought nothing."""
        if self._asked_from:
            self._fruitless = self._fruitless + 1 if self.partial.size == self._asked_from else 0
            self._asked_from = 0

    def accept(self, head: Head) -> None:
        """Decide by the final head what its body is. Raises the error of a reply that holds no whole file."""
        length = head.framing.length
        if self._asked_from and head.status in (206, 416):
            self._accept_rest(head, length)
            return
        if head.status == 304 and self._promise.validators:  # noqa: PLR2004
            self.not_modified = True
            return
        error = error_of_status(head, datetime.now(UTC))
        if error is not None:
            raise error  # the bytes so far stay what they are
        self._check_room(length)
        if self._asked_from or self.partial.size:
            self._forget()
        self.total = length
        self._etag = strong_etag(head)
        self._media_type = media_type_of(head)
        self.encodings = encodings_of(head.get_all("content-encoding"))
        self._inflater = decoder_of(self.encodings, max_bytes=self._limits.max_bytes, out=self._take_plain)

    def _check_room(self, length: int | None) -> None:
        """A large file that cannot fit is not begun; of others the disk decides, and the transfer of too large ones."""
        if length is None or not LARGE_BYTES <= length <= self._limits.max_bytes:
            return
        room = self._room()
        if room is not None and length > room:
            raise TransientError(
                f"the file has {length} bytes, and the store has room for {max(room, 0)}", reason="no-space"
            )

    def _accept_rest(self, head: Head, length: int | None) -> None:
        etag = self._etag or ""
        if head.status == 206 and continues(  # noqa: PLR2004
            head, offset=self._asked_from, etag=etag, total=self.total, length=length
        ):
            self._resumed = True
            return
        self._forget()
        raise TransientError(
            f"the server answered {head.status} with something else than the rest: beginning again",
            reason="connection-lost",
            retry_after_seconds=0.0,
        )

    def write(self, data: bytes) -> None:
        """Take the next wire bytes. Raises what the store or the encoding has against them."""
        self.partial.write(data)
        self._checksum.update(data)
        if self._inflater is not None:
            self._inflater.feed(data)
        if self.partial.size - self._noted >= NOTE_EVERY_BYTES:
            self.keep()
            self._noted = self.partial.size

    def _take_plain(self, piece: bytes) -> None:
        if len(self._plain_head) < HEAD_BYTES:
            self._plain_head += piece[: HEAD_BYTES - len(self._plain_head)]
        self._plain_tail.write(piece)
        self._plain_checksum.update(piece)

    def check_whole(self) -> None:
        """The transfer has ended well. Raises DamagedError for an encoded body without its trailer."""
        if self._inflater is not None and self.partial.size:
            self._inflater.close()

    def judge(self) -> Judgement:
        """What speaks against the content, by the rules, the checksum and operators; to be asked once, at the end."""
        promise = self._promise
        holds = self._checksum.holds() or (self._inflater is not None and self._plain_checksum.holds())
        return judge(
            self._rules,
            self._signs(),
            sha256=self.partial.sha256 if promise.rejected else "",
            checksum=promise.checksum,
            checksum_holds=holds if self._checksum.wanted else None,
            accepted=promise.accepted,
            rejected=promise.rejected,
        )

    def _signs(self) -> Signs:
        """The body as rules see it: unfolded, unless a gzip file was promised. What cannot be unfolded is not seen."""
        if self.encodings and self._inflater is None:
            return Signs(b"", (self.partial.size,), held_size=self._promise.held_size)
        promised = self._rules.promised_kinds(
            self._url,
            format=self._promise.format,
            media_type=self._promise.media_type,
            served_as=self._media_type,
        )
        wire, plain = self.partial.size, self._inflater.size if self._inflater is not None else None
        unfolded = plain is not None and not any(kind.name == "gzip" for kind in promised)
        sizes = (wire,) if plain is None else (plain, wire) if unfolded else (wire, plain)
        return Signs(
            bytes(self._plain_head) if unfolded else self.partial.read_head(HEAD_BYTES),
            sizes,
            promised,
            tail=self._plain_tail.read() if unfolded else self.partial.read_tail(TAIL_BYTES),
            catalogue_size=self._promise.size,
            held_size=self._promise.held_size,
        )

    def flags(self) -> tuple[str, ...]:
        """What is remarkable about a whole body beside its framing."""
        promise = self._promise
        unchecked = bool(self.encodings) and self._inflater is None
        candidates = {
            "resumed": self._resumed,
            "checksum-unusable": promise.checksum is not None and promise.digest is None,
            "encoding-unverified": unchecked,
            "encoding-surplus": self._inflater is not None and self._inflater.surplus,
        }
        return (
            *(f"encoded-{name}" for name in self.encodings),
            *(flag for flag, raised in candidates.items() if raised),
        )
