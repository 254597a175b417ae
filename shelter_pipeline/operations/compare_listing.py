"""A harvest held against the portal's own list: what is on it and was not seen is asked for by name.

Lists lag behind: what the portal says does not exist any more is missing nowhere. Before
anything is called lost it is asked for, once, by its own address.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from shelter_pipeline.catalog.harvests import OvertakenError
from shelter_pipeline.catalog.listings import compare_listing, forget_listing, record_listing
from shelter_pipeline.catalog.losses import unseen
from shelter_pipeline.domain.errors import CatalogAwayError, ShelterError
from shelter_pipeline.operations.merge_pages import Merger, far_too_many
from shelter_pipeline.portals.protocol import Portal

# So many questions in a row without an answer, and no more are asked.
_MOST_FAILURES = 5


@dataclass(slots=True)
class Comparison:
    """What a list said. `listed` and `missing` are None where there is no list, or it broke off."""

    listed: int | None = None
    missing: int | None = None
    surplus: int | None = None
    lookups: int = 0  # questions asked so far
    gone: set[str] = field(default_factory=set)  # listed, but the portal says there is none
    trouble: str = ""


def compare_with_listing(merger: Merger, driver: Portal) -> Comparison:
    """Read the portal's list, ask for what the harvest has not seen of it, and say what is still missing.

    Of a list without end only the beginning is read: what that has and the harvest has not is missing too.
    """
    catalog, portal, harvest = merger.workplace.catalog, merger.portal, merger.harvest
    comparison = Comparison()
    most = far_too_many(max(harvest.read, merger.expected or 0))
    any_listed, listed = False, 0
    try:
        merger.patiently(lambda: forget_listing(catalog, harvest))  # of a harvest that was broken off here
        for listing in driver.identities():
            any_listed, listed = True, listed + len(listing.identifiers)
            merger.count_requests(listing.requests)
            merger.patiently(partial(record_listing, catalog, harvest, listing))
            if listed > most:
                comparison.trouble = f"the portal's own list was read no further than {listed} entries"
                break
    except (CatalogAwayError, OvertakenError):
        raise
    except ShelterError as error:
        comparison.trouble = f"the portal's own list could not be read: {error}"
        any_listed = False
    if any_listed:
        found = merger.patiently(
            lambda: compare_listing(
                catalog, portal, harvest, limit=merger.workplace.settings.harvest_max_lookups
            )
        )
        back, gone = _ask(merger, driver, found.sample, comparison)
        comparison.gone = gone
        comparison.listed = found.listed - len(gone)
        comparison.missing = found.missing - back - len(gone)
        comparison.surplus = found.surplus
    merger.patiently(lambda: forget_listing(catalog, harvest))
    return comparison


def ask_for_unseen(merger: Merger, driver: Portal, comparison: Comparison) -> dict[str, bool]:
    """Ask for known datasets that this harvest did not see; what answers is merged, so it counts as seen.

    Returns, for each that was asked for, whether the portal still has it; as many as the
    harvest's questions reach for.
    """
    left = merger.workplace.settings.harvest_max_lookups - comparison.lookups
    catalog, portal, harvest = merger.workplace.catalog, merger.portal, merger.harvest
    if left <= 0:
        return {}
    candidates = merger.patiently(lambda: unseen(catalog, portal, harvest.id, limit=left))
    asked = dict.fromkeys((name for name in candidates if name in comparison.gone), False)
    open_questions = [name for name in candidates if name not in asked]
    _, gone = _ask(merger, driver, open_questions, comparison)
    return asked | dict.fromkeys(gone, False)


def _ask(
    merger: Merger, driver: Portal, identifiers: Iterable[str], comparison: Comparison
) -> tuple[int, set[str]]:
    """How many of them the portal still has, and which it says it has not."""
    back, gone, failures = 0, set(), 0
    for identifier in identifiers:
        if failures >= _MOST_FAILURES:
            break
        comparison.lookups += 1
        try:
            page = driver.look_up(identifier)
        except ShelterError:
            failures += 1
            continue
        failures = 0
        if page is None:
            merger.count_requests(1)
            gone.add(identifier)
        else:
            before = merger.harvest.read
            merger.merge_page(page)
            back += merger.harvest.read > before
    return back, gone
