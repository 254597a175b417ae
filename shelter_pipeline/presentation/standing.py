"""Where a rescue stands, in a sentence for people who read no other."""

from __future__ import annotations

from collections.abc import Mapping

from shelter_pipeline.presentation.words import number, percent, size


def where_it_stands(totals: Mapping[str, int]) -> str:
    """One or two sentences about these totals: `{datasets, files, held_files, held_bytes, waiting_files, …}`.

    >>> where_it_stands({"datasets": 2, "files": 4, "held_files": 1, "held_bytes": 2000, "waiting_files": 1,
    ...     "resting_files": 0, "failed_files": 2, "undiscovered_links": 0})
    '1 of 4 files is held, whole and verified (25.0 %, 2.0 kB). 1 waits for its turn; 2 could not be had.'
    """
    if not totals["datasets"]:
        return "No dataset is known yet: no portal was read, or none of this scope."
    if not totals["files"]:
        links = totals["undiscovered_links"]
        return (
            f"{number(totals['datasets'])} datasets are known, and none of their links was found to lead to a file"
            + (f"; {number(links)} links are still to be followed." if links else ".")
        )
    held = totals["held_files"]
    if held == totals["files"]:
        return (
            f"All {number(held)} files that are known are held, whole and verified ({size(totals['held_bytes'])})."
            + _rest(totals)
        )
    first = (
        f"{number(held)} of {number(totals['files'])} files {_be(held)} held, whole and verified"
        f" ({percent(held, totals['files'])}, {size(totals['held_bytes'])})."
    )
    return first + _rest(totals)


def _rest(totals: Mapping[str, int]) -> str:
    waiting, resting, failed = (totals[name] for name in ("waiting_files", "resting_files", "failed_files"))
    parts = (
        f"{number(waiting)} {'waits for its' if waiting == 1 else 'wait for their'} turn" if waiting else "",
        f"{number(resting)} failed for a while and {_be(resting)} tried again" if resting else "",
        f"{number(failed)} could not be had" if failed else "",
    )
    said = "; ".join(part for part in parts if part)
    return f" {said}." if said else ""


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
