"""Does a size contradict the one a catalogue gives? Sizes are written exactly, or as round as people like them."""

from __future__ import annotations

from collections.abc import Iterator

_EXACT_BELOW = 10_000  # bytes
_LEAST_STEP = 100  # bytes: finer than that, nobody rounds
_DECIMALS = 2  # of a size in kilo-, mega-, giga- or terabytes
_POWERS = (1, 2, 3, 4)
_MOST_ROUNDED_UP = 0.6  # of "1 GB": nobody writes that for a third of it


def size_contradicts(promised: int, actual: int) -> bool:
    """Whether a file of `actual` bytes cannot be the one of `promised` bytes.

    A promise that looks rounded, a number of kB of at most one decimal or of MB, GB or TB of
    at most two, in units of 1000 or of 1024, matches within one of its last digit in either unit, because
    portals turn "1.2 MB" into 1200000 or 1258291. Below 10 kB a number is taken as exact,
    but for tenths of KiB from 1 KiB on, as directory listings print them. Zero is no promise.

    >>> size_contradicts(1_200_000, 1_234_567), size_contradicts(1_234_567, 1_234_568)
    (False, True)
    """
    if promised in (0, actual):
        return False
    return not any(
        -min(error, _MOST_ROUNDED_UP * value) <= actual - value <= error
        for value, error in _readings(promised)
    )


def _readings(promised: int) -> Iterator[tuple[float, float]]:
    """What a rounded number may stand for, and how far it may be from that; nothing for one that is not round."""
    for base, power in ((base, power) for base in (1000, 1024) for power in _POWERS):
        for decimals in range(_DECIMALS + 1):
            step = base**power / 10**decimals
            count = round(promised / step)
            if step < _LEAST_STEP or count < 1 or promised < base**power:
                break
            # A byte off is a conversion that was cut instead of rounded.
            if abs(count * step - promised) <= 1 and _may_be_round(promised, base):
                for unit in (1000, 1024):
                    meant = unit**power / 10**decimals
                    yield count * meant, meant


def _may_be_round(promised: int, base: int) -> bool:
    return promised >= _EXACT_BELOW or base == 1024  # noqa: PLR2004
