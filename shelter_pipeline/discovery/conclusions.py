"""How an exploration stands, by its pages: `found` only if all was read, or the reason why there is no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shelter_pipeline.discovery.leads import What
from shelter_pipeline.discovery.pages import LEFT_IN_WORDS, Page, PageState
from shelter_pipeline.domain.verdicts import REASONS, Next

FOUND = "found"
FOUND_IN_PART = "found-in-part"
LANDING_PAGE_ONLY = "landing-page-only"
_FAILURES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How an exploration stands: the outcome of its resource, and what is to be said of it."""

    outcome: str
    detail: str
    ended: bool  # nothing is left to be read, now or later


def conclude(pages: Sequence[Page]) -> Conclusion:
    """How it stands now. Ended once nothing waits."""
    waits = any(page.state is PageState.WAITING for page in pages)
    outcome, remark = _outcome(pages)
    return Conclusion(outcome, "; ".join(filter(None, [remark, *_unread(pages)])), not waits)


def _outcome(pages: Sequence[Page]) -> tuple[str, str]:
    """The outcome, and what is to be said of it beside what was left unread."""
    read = [page for page in pages if page.state is PageState.READ]
    failed = [page for page in pages if page.state is not PageState.READ and page.reason]
    cut = any(page.left or page.state is PageState.WAITING for page in pages)
    if any(page.data_files for page in read):
        is_walled = any(page.what == What.LOGIN for page in read)
        return (FOUND_IN_PART if cut or failed or is_walled else FOUND), ""
    settled = next((page for page in read if page.reason and page.reason != "loop"), None)
    if settled is not None and not failed:
        return settled.reason, settled.detail
    if failed:
        return min(failed, key=lambda page: not _may_pass(page.reason)).reason, ""
    if cut:
        return FOUND_IN_PART, "no file was found so far"
    if any(page.what == What.LISTING for page in read):
        return "empty", "the directory lists no file"
    said = next((page.detail for page in read if page.detail), "")
    return LANDING_PAGE_ONLY, said or "the page leads to no file"


def _unread(pages: Sequence[Page]) -> Iterator[str]:
    """What was left unread, and why: the budget first, then what failed."""
    left = sum((page.left for page in pages), Counter[str]())
    for reason, words in LEFT_IN_WORDS.items():
        if left[reason]:
            yield f"left: {left[reason]} {words}"
    failed = [page for page in pages if page.state is not PageState.READ and page.reason]
    yield from (page.detail for page in failed[:_FAILURES_SHOWN])
    if len(failed) > _FAILURES_SHOWN:
        yield f"and {len(failed) - _FAILURES_SHOWN} more pages that failed"


def _may_pass(reason: str) -> bool:
    return reason in REASONS and REASONS[reason].next is Next.RETRY
