"""Look at bytes that somebody else fetched, by the rules that our own fetches are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Protocol

from shelter_pipeline.domain.errors import DamagedError, PermanentError
from shelter_pipeline.fetching.capture import Checksum, Promise
from shelter_pipeline.fetching.content import HEAD_BYTES, TAIL_BYTES, ContentRules, Finding
from shelter_pipeline.fetching.encoding import decoder_of
from shelter_pipeline.fetching.judging import Judgement, judge
from shelter_pipeline.fetching.signs import Signs
from shelter_pipeline.fetching.tail import Tail

_READ_BYTES = 1024 * 1024
_ENCODED = "encoded-"


class Whole(Protocol):
    """Whole bytes that can be looked at from both ends."""

    @property
    def size(self) -> int:
        """How many they are."""

    @property
    def sha256(self) -> str:
        """Their digest, in hex."""

    def read_head(self, count: int, /) -> bytes:
        """The first `count` bytes, fewer if there are fewer."""

    def read_tail(self, count: int, /) -> bytes:
        """The last `count` bytes, fewer if there are fewer."""

    def open(self) -> BinaryIO:
        """All of them, from the first on; to be closed by the caller."""


def look_again(
    rules: ContentRules,
    url: str,
    promise: Promise,
    whole: Whole,
    *,
    served_as: str | None,
    flags: Sequence[str],
    max_bytes: int,
) -> Judgement:
    """Whether these bytes are the file of this URL, for what was promised of it.

    `served_as` is the Content-Type of the reply and `flags` are those of the capture, as its
    fetcher tells them: one that says `encoded-gzip` has the bytes unfolded, to at most
    `max_bytes`. All bytes are read only where a checksum or an encoding needs it.
    """
    encodings = tuple(flag.removeprefix(_ENCODED) for flag in flags if flag.startswith(_ENCODED))
    kinds = rules.promised_kinds(
        url, format=promise.format, media_type=promise.media_type, served_as=served_as
    )
    head, tail = bytearray(), Tail(TAIL_BYTES)
    checksum, plain_checksum = Checksum(promise), Checksum(promise)

    def take(piece: bytes) -> None:
        if len(head) < HEAD_BYTES:
            head.extend(piece[: HEAD_BYTES - len(head)])
        tail.write(piece)
        plain_checksum.update(piece)

    inflater = decoder_of(encodings, max_bytes=max_bytes, out=take)
    if checksum.wanted or inflater is not None:
        try:
            with whole.open() as file:
                while data := file.read(_READ_BYTES):
                    checksum.update(data)
                    if inflater is not None:
                        inflater.feed(data)
            if inflater is not None and whole.size:
                inflater.close()
        except (DamagedError, PermanentError) as error:
            return Judgement(Finding(error.reason, str(error)))
    if encodings and inflater is None:  # what cannot be unfolded is not seen
        signs = Signs(b"", (whole.size,), held_size=promise.held_size)
    else:
        unfolded = inflater is not None and not any(kind.name == "gzip" for kind in kinds)
        plain = inflater.size if inflater is not None else None
        wire = whole.size
        signs = Signs(
            bytes(head) if unfolded else whole.read_head(HEAD_BYTES),
            (wire,) if plain is None else (plain, wire) if unfolded else (wire, plain),
            kinds,
            tail=tail.read() if unfolded else whole.read_tail(TAIL_BYTES),
            catalogue_size=promise.size,
            held_size=promise.held_size,
        )
    holds = checksum.holds() or (inflater is not None and plain_checksum.holds())
    return judge(
        rules,
        signs,
        sha256=whole.sha256,
        checksum=promise.checksum,
        checksum_holds=holds if checksum.wanted else None,
        accepted=promise.accepted,
        rejected=promise.rejected,
    )
