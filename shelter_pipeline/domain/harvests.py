"""How much a harvest may be believed: pure comparison of what was read with what was promised."""

from __future__ import annotations

# Search index and database of data.gov drift apart by less than this share (GSA/data.gov #5606, #5575, #5630).
PLAUSIBLE_DRIFT = 0.01
A_HANDFUL = 10


def judge_completeness(
    *,
    finished: bool,
    read: int,
    expected: int | None,
    listed_missing: int | None = None,
    listed: int | None = None,
    list_is_independent: bool = False,
) -> str:
    """The verdict on a harvest that read `read` records, refused ones included, of `expected`.

    `complete`: it ended by itself and saw at least what a witness counted; `plausible`:
    it ended by itself, and all but one in a hundred came, or anything did and no witness
    spoke; `partial`: less than that; `unreachable`: it saw nothing before it failed.

    Where the portal lists its `listed` datasets, `listed_missing` of which were not read:
    one of them is enough for the harvest not to be complete, and more than one in a
    hundred make it partial. A list of which nothing is missing stands in for a witness
    that counted nothing, and, where it is made independently of the pages, outweighs one
    that counted little more than came.
    """
    if not finished:
        return "partial" if read else "unreachable"
    by_count = _by_count(read, expected)
    if listed_missing is None:
        return by_count
    if listed_missing > 0:
        few = listed_missing <= PLAUSIBLE_DRIFT * max(listed or 0, listed_missing)
        return "plausible" if few and by_count != "partial" else "partial"
    covered = listed is not None and listed >= read * (1 - PLAUSIBLE_DRIFT)
    believed = expected is None or list_is_independent
    return "complete" if by_count == "plausible" and covered and believed else by_count


def _by_count(read: int, expected: int | None) -> str:
    if expected is None:
        return "plausible" if read else "partial"
    if read >= expected:
        return "complete"
    return "plausible" if read >= expected * (1 - PLAUSIBLE_DRIFT) and read else "partial"


def is_mass_drop(*, listed: int, missing: int, fraction: float) -> bool:
    """Whether so much vanished at once that the harvest is to blame rather than the portal.

    A handful never is, for small portals lose single datasets too; everything at once always is.
    """
    if missing > 1 and missing == listed:
        return True
    return missing > max(A_HANDFUL, fraction * listed)
