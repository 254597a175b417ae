"""Encoded bodies are unfolded to their proven end, in bounded memory, however they arrive."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.errors import DamagedError, PermanentError
from shelter_pipeline.fetching.codings import zstd
from shelter_pipeline.fetching.encoding import Inflater, decoder_of, encodings_of

TABLE = b"station,depth\n" * 20


def raw_deflate(plain: bytes) -> bytes:
    folding = zlib.compressobj(wbits=-15)
    return folding.compress(plain) + folding.flush()


def zstd_with_a_window_of_128_mib(plain: bytes) -> bytes:
    return zstd.compress(plain, options={zstd.CompressionParameter.window_log: 27})


def zstd_with_checksum(plain: bytes) -> bytes:
    return zstd.compress(plain, options={zstd.CompressionParameter.checksum_flag: 1})


FOLDED: dict[str, tuple[tuple[str, ...], Callable[[bytes], bytes]]] = {
    "gzip": (("gzip",), gzip.compress),
    "deflate as zlib": (("deflate",), zlib.compress),
    "deflate, raw": (("deflate",), raw_deflate),
    "br": (("br",), brotli.compress),
    "zstd": (("zstd",), zstd.compress),
    "zstd with a checksum": (("zstd",), zstd_with_checksum),
    "gzip in br": (("gzip", "br"), lambda plain: brotli.compress(gzip.compress(plain))),
    "zstd in deflate": (("zstd", "deflate"), lambda plain: raw_deflate(zstd.compress(plain))),
    "gzip in gzip": (("gzip", "gzip"), lambda plain: gzip.compress(gzip.compress(plain))),
}
# Whoever unfolds these can tell that a byte has changed; br and raw deflate only that the end is missing.
CHECKED = ("gzip", "deflate as zlib", "zstd with a checksum", "gzip in br", "gzip in gzip")


def unfolder(encodings: tuple[str, ...], out: Callable[[bytes], object] | None = None) -> Inflater:
    inflater = decoder_of(encodings, max_bytes=10**9, out=out)
    assert inflater is not None
    return inflater


def parts(wire: bytes, cuts: list[int]) -> list[bytes]:
    """The wire bytes, cut at these places."""
    places = sorted({0, len(wire), *(cut % (len(wire) + 1) for cut in cuts)})
    return [wire[start:end] for start, end in pairwise(places)]


def unfolded(encodings: tuple[str, ...], pieces: list[bytes]) -> bytes:
    plain = bytearray()
    inflater = unfolder(encodings, plain.extend)
    for piece in pieces:
        inflater.feed(piece)
    inflater.close()
    assert inflater.size == len(plain)
    return bytes(plain)


def reason_of(encodings: tuple[str, ...], pieces: list[bytes]) -> str:
    """Why these bytes are not a whole body."""
    with pytest.raises(DamagedError) as end:
        unfolded(encodings, pieces)
    return end.value.reason


@pytest.mark.parametrize("folded", FOLDED)
@given(plain=st.binary(max_size=3000), times=st.integers(1, 300), cuts=st.lists(st.integers(0, 10**6)))
def test_a_body_unfolds_to_what_was_folded_however_it_arrives(
    folded: str, plain: bytes, times: int, cuts: list[int]
) -> None:
    encodings, fold = FOLDED[folded]

    assert unfolded(encodings, parts(fold(plain * times), cuts)) == plain * times


@pytest.mark.parametrize("folded", FOLDED)
@pytest.mark.parametrize("part_bytes", [1, 999, 10**9])
def test_a_body_much_larger_than_a_piece_unfolds_to_its_end(folded: str, part_bytes: int) -> None:
    encodings, fold = FOLDED[folded]
    wire = fold(TABLE * 7000)

    assert unfolded(encodings, parts(wire, list(range(0, len(wire), part_bytes)))) == TABLE * 7000


@pytest.mark.parametrize("folded", ["gzip", "zstd", "zstd with a checksum"])
@given(bodies=st.lists(st.binary(max_size=5000), min_size=1), cuts=st.lists(st.integers(0, 10**6)))
def test_members_and_frames_follow_one_another_however_they_arrive(
    folded: str, bodies: list[bytes], cuts: list[int]
) -> None:
    encodings, fold = FOLDED[folded]

    assert unfolded(encodings, parts(b"".join(map(fold, bodies)), cuts)) == b"".join(bodies)


@pytest.mark.parametrize("folded", FOLDED)
@given(cuts=st.lists(st.integers(0, 10**6), max_size=5))
def test_every_cut_of_a_body_is_noticed_however_it_arrives(folded: str, cuts: list[int]) -> None:
    encodings, fold = FOLDED[folded]
    wire = fold(TABLE)

    for cut in range(len(wire)):
        assert reason_of(encodings, parts(wire[:cut], cuts)) == "truncated-encoding"


@pytest.mark.parametrize("folded", ["gzip", "zstd"])
def test_a_second_member_that_is_cut_is_noticed_at_every_cut(folded: str) -> None:
    encodings, fold = FOLDED[folded]
    wire = fold(TABLE)

    for cut in range(1, len(wire)):
        assert reason_of(encodings, [wire + wire[:cut]]) == "truncated-encoding"


@pytest.mark.parametrize("folded", CHECKED)
def test_no_changed_bit_is_taken_for_the_body(folded: str) -> None:
    encodings, fold = FOLDED[folded]
    wire = fold(TABLE)

    for bit in range(8 * len(wire)):
        changed = bytearray(wire)
        changed[bit // 8] ^= 1 << bit % 8
        # What does not matter (the name, the time) may change; what unfolds may not.
        with suppress(DamagedError):
            assert unfolded(encodings, [bytes(changed)]) == TABLE


@pytest.mark.parametrize("folded", FOLDED)
@given(at=st.integers(0, 10**6), garbage=st.binary(min_size=1), cuts=st.lists(st.integers(0, 10**6)))
def test_garbage_ends_in_an_error_of_ours_or_in_a_body(
    folded: str, at: int, garbage: bytes, cuts: list[int]
) -> None:
    encodings, fold = FOLDED[folded]
    wire = bytearray(fold(TABLE))
    at %= len(wire)
    wire[at : at + len(garbage)] = garbage

    with suppress(DamagedError):
        unfolded(encodings, parts(bytes(wire), cuts))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_is_not_encoded_as_it_says_is_noticed(encoding: str) -> None:
    assert reason_of((encoding,), [b"<html>" + TABLE]) == "bad-encoding"


@given(cuts=st.lists(st.integers(0, 10**6)))
def test_padding_after_gzip_is_allowed_and_said_however_it_arrives(cuts: list[int]) -> None:
    inflater = unfolder(("gzip",))

    for piece in parts(gzip.compress(TABLE) + bytes(512), cuts):
        inflater.feed(piece)
    inflater.close()

    assert (inflater.size, inflater.surplus) == (len(TABLE), True)


@pytest.mark.parametrize("folded", ["br", "zstd", "zstd with a checksum", "deflate as zlib", "deflate, raw"])
@given(cuts=st.lists(st.integers(0, 10**6)))
def test_nothing_may_follow_the_end_of_another_coding(folded: str, cuts: list[int]) -> None:
    encodings, fold = FOLDED[folded]

    assert reason_of(encodings, parts(fold(TABLE) + bytes(512), cuts)) == "bad-encoding"


def test_frames_of_zstd_that_hold_no_data_are_passed_over() -> None:
    skipped = b"\x5a\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"

    assert unfolded(("zstd",), [skipped + zstd.compress(TABLE) + skipped]) == TABLE


@pytest.mark.parametrize("folded", ["gzip", "br", "zstd", "deflate, raw", "gzip in br"])
def test_what_unfolds_beyond_the_cap_is_too_large(folded: str) -> None:
    encodings, fold = FOLDED[folded]
    inflater = decoder_of(encodings, max_bytes=5000)
    assert inflater is not None

    with pytest.raises(PermanentError) as end:
        inflater.feed(fold(bytes(5001)))

    assert end.value.reason == "too-large"


def test_an_inner_coding_is_capped_as_well() -> None:
    inflater = decoder_of(("gzip", "br"), max_bytes=500_000)
    assert inflater is not None

    with pytest.raises(PermanentError) as end:
        inflater.feed(brotli.compress(gzip.compress(b"a") + bytes(1_000_000)))

    assert end.value.reason == "too-large"


@pytest.mark.parametrize("encodings", [(), ("compress",), ("gzip", "x-foo"), ("br", "br"), ("gzip",) * 1000])
def test_what_cannot_be_checked_in_bounded_memory_is_not_unfolded(encodings: tuple[str, ...]) -> None:
    assert decoder_of(encodings, max_bytes=1) is None


def test_encodings_are_named_alike() -> None:
    assert encodings_of(["X-GZIP, br", "identity", "x-Foo/../bar"]) == ("gzip", "br", "x-foo-bar")


# Runs in a process of its own, whose peak the kernel counts (VmHWM; ru_maxrss would have our own peak in it).
UNFOLD = """
import sys, time
from pathlib import Path
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.fetching.encoding import decoder_of

def peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024

wire = sys.stdin.buffer.read()
inflater = decoder_of(tuple(sys.argv[1].split(",")), max_bytes=10**12)
reason, before, begun = None, peak(), time.process_time()
try:
    for start in range(0, len(wire), 65536):
        inflater.feed(wire[start : start + 65536])
except ShelterError as error:
    reason = error.reason
print(reason, time.process_time() - begun, peak() - before)
"""
ZEROS = 300_000_000


@pytest.mark.parametrize(
    ("encodings", "bomb"),
    [
        ("gzip", lambda: gzip.compress(bytes(ZEROS))),
        ("gzip", lambda: gzip.compress(bytes(ZEROS), 1)),
        ("deflate", lambda: raw_deflate(bytes(ZEROS))),
        ("br", lambda: brotli.compress(bytes(ZEROS), quality=5, lgwin=24)),
        ("zstd", lambda: zstd.compress(bytes(ZEROS))),
        ("zstd", lambda: zstd_with_a_window_of_128_mib(bytes(ZEROS))),
        ("gzip,br", lambda: brotli.compress(gzip.compress(bytes(ZEROS)), quality=5, lgwin=24)),
        ("zstd,br", lambda: brotli.compress(zstd.compress(bytes(ZEROS), 19), quality=5, lgwin=24)),
    ],
    ids=["gzip", "gzip of 1.3 MB", "deflate", "br", "zstd", "zstd, huge window", "gzip in br", "zstd in br"],
)
def test_a_bomb_costs_neither_memory_nor_time(encodings: str, bomb: Callable[[], bytes]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", UNFOLD, encodings], input=bomb(), capture_output=True, check=True
    )

    reason, seconds, rise = ended.stdout.decode().split()
    assert reason == "bad-encoding"
    assert float(seconds) <= 2
    assert int(rise) <= 32 * 2**20


def test_a_great_many_tiny_members_are_unfolded_in_time_that_grows_with_their_number() -> None:
    wire = gzip.compress(b"") * 50_000  # a megabyte
    begun = time.process_time()

    assert unfolded(("gzip",), [wire]) == b""

    assert time.process_time() - begun <= 2
