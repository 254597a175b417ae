"""Refresh the catalog from a portal: read it, hold it against every witness, conclude what is lost.

What was merged stays merged, whatever happens after it, and a harvest that was broken off
goes on where it stopped. Only a harvest of everything, that saw all the portal says it
has, may conclude that something is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from shelter_pipeline.catalog.harvests import (
    Harvest,
    OvertakenError,
    advance_watermark,
    changes_by_organization,
    end_harvest,
    last_complete_harvest,
    open_harvest,
    record_witnesses,
    refusals_of,
    require_ours,
    resumable_harvest,
)
from shelter_pipeline.catalog.losses import Absences, record_absences, recover
from shelter_pipeline.catalog.portals import PortalRow, find_portal
from shelter_pipeline.catalog.search import index_changed_datasets
from shelter_pipeline.domain.errors import CatalogAwayError, PermanentError, SetupError, ShelterError
from shelter_pipeline.domain.harvests import PLAUSIBLE_DRIFT, judge_completeness
from shelter_pipeline.domain.records import Witness
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.logs import told
from shelter_pipeline.operations.compare_listing import Comparison, ask_for_unseen, compare_with_listing
from shelter_pipeline.operations.losses import loss_rules
from shelter_pipeline.operations.merge_pages import IDLE_SECONDS, Merger, Progress
from shelter_pipeline.operations.portal_access import open_driver
from shelter_pipeline.operations.read_ahead import read_ahead
from shelter_pipeline.operations.score_assets import rescore_after
from shelter_pipeline.operations.watch_links import watch_links
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.portals.protocol import Portal

MODES = ("auto", "full", "increment")
_NOBODY_THERE = frozenset({"dns-failed", "connect-failed", "private-address", "port-not-allowed", "bad-url"})
# A harvest that began a minute later a week ago is a week old.
_NIGHTS_DIFFER = timedelta(hours=6)
# The cursor of a harvest that has read every page, and is still to be held against the witnesses.
_ALL_READ = "all-read"
_MOST_NAMED = 5
_MOST_REFUSALS = 10_000  # of which a report tells
_log = logging.getLogger(__name__)
_COUNTED = (
    "verdict",
    "expected",
    "seen",
    "new",
    "changed",
    "unchanged",
    "refused",
    "delisted",
    "resources",
)
# What changes the scores of files that are known; those of new ones are made when they are found.
_WEIGHED = ("changed", "delisted", "recovered", "withheld", "moved")
_FURTHER = (
    "mode",
    "moved",
    "recovered",
    "withheld",
    "duplicates",
    "missing",
    "surplus",
    "requests",
    "resumed",
    "message",
    "witness",
    "witnesses",
)


def harvest_portal(
    workplace: Workplace,
    slug: str,
    *,
    mode: str = "auto",
    fresh: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """One harvest of the portal of this slug into the catalog.

    `mode` is `full`, `increment` (what changed since the last harvest, where the portal
    can tell and there was one) or `auto`: increments, and everything when the last full
    harvest is older than the setting. A full harvest that was broken off is continued,
    unless `fresh` is asked for.

    Returns `{portal, verdict, expected, seen, new, changed, unchanged, refused, delisted,
    resources, seconds}` and, beyond the contract, the counts and witnesses of
    `harvest` rows, `confirmed`, `links`, the first `refusals` and `by_organization`. A
    portal that cannot be reached is a verdict, not an exception; SetupError if there is
    no such portal, mode or secret.
    """
    if mode not in MODES:
        raise SetupError(f"{mode!r} is no mode of a harvest; it must be one of {', '.join(MODES)}")
    portal = find_portal(workplace.catalog, slug)
    since = _begin_of_increment(workplace, portal, mode)
    report: dict[str, Any] | None = None
    if since is not None:
        with suppress(PermanentError):  # the portal cannot tell what changed: it is read whole
            report = _one_harvest(workplace, portal, since, fresh=fresh, progress=progress)
    if report is None:
        report = _one_harvest(workplace, portal, None, fresh=fresh, progress=progress)
    if any(report[name] for name in _WEIGHED):
        rescore_after(workplace, "the harvest")
    return report


def _begin_of_increment(workplace: Workplace, portal: PortalRow, mode: str) -> datetime | None:
    """From when on an increment reads changes; None where everything has to be read."""
    settings = workplace.settings
    now = datetime.now(UTC)
    if mode == "full" or portal.watermark is None or portal.watermark > now:
        return None  # from a time to come on nothing has changed, and nothing ever would
    if mode == "auto":
        last = last_complete_harvest(workplace.catalog, portal)
        oldest = now - timedelta(days=settings.harvest_full_every_days) + _NIGHTS_DIFFER
        broken_off = resumable_harvest(workplace.catalog, portal, resume_hours=settings.harvest_resume_hours)
        if last is None or last < oldest or broken_off is not None:
            return None
    return portal.watermark - timedelta(hours=settings.harvest_overlap_hours)


class _Reading:
    """One harvest while it goes on: how far it came, and what has to be said of it."""

    def __init__(
        self,
        workplace: Workplace,
        portal: PortalRow,
        driver: Portal,
        reader: PoliteDoor,
        harvest: Harvest,
        progress: Progress | None,
    ) -> None:
        self.workplace, self.portal, self.driver, self.harvest = workplace, portal, driver, harvest
        self._reader = reader
        self.merger = Merger(workplace, portal, harvest, progress)
        self.expected: int | None = None
        self.highest_count = 0  # of all witnesses
        self.finished = False
        self.sentences: list[str] = []
        self.comparison = Comparison()
        self.recovered = 0

    @property
    def uncounted_requests(self) -> int:
        """Requests that brought nothing to merge: failures, robots.txt, what was on its way at the end."""
        return max(self._reader.requests - self.merger.counted_requests, 0)

    def read(self) -> None:
        """Hear the witnesses, then read every page. Raises ShelterError where the portal ends it."""
        witnesses = self._hear()
        catalog = self.workplace.catalog
        self.expected = self.merger.patiently(
            lambda: record_witnesses(catalog, self.portal, self.harvest, witnesses)
        )
        self.merger.count_requests(sum(witness.requests for witness in witnesses))
        self.merger.expect(self.expected, all_of_them=self.harvest.mode == "full")
        if self.harvest.cursor != _ALL_READ:
            pages = self.driver.pages(self.harvest.cursor, since=self.harvest.since)
            # The end is not the end yet: what comes after it can be broken off too.
            self.merger.merge_all(read_ahead(pages, idle_seconds=IDLE_SECONDS), end=_ALL_READ)
        self.finished = True

    def _hear(self) -> tuple[Witness, ...]:
        """What the portal says of itself; a portal that only fails to count itself is read all the same."""
        try:
            witnesses = self.driver.witnesses()
        except ShelterError as error:
            if error.reason in _NOBODY_THERE:
                raise
            return (Witness(f"none: {error}", None),)
        self._contradictions(witnesses)
        return witnesses

    def _contradictions(self, witnesses: tuple[Witness, ...]) -> None:
        totals = [(witness.source, witness.total) for witness in witnesses if witness.total is not None]
        self.highest_count = max((total for _, total in totals), default=0)
        for source, total in totals[1:]:
            if abs(total - totals[0][1]) > PLAUSIBLE_DRIFT * max(total, totals[0][1]):
                self.sentences.append(f"{totals[0][0]} counts {totals[0][1]} datasets and {source} {total}")

    def conclude(self) -> tuple[str, Absences | None]:
        """Hold the harvest against the portal's own list; returns the verdict and, of a complete one, the losses."""
        if self.finished and self.harvest.mode == "full":
            self.comparison = compare_with_listing(self.merger, self.driver)
            if self.comparison.trouble:
                self.sentences.append(self.comparison.trouble)
            if self.comparison.missing:
                self.sentences.append(
                    f"{self.comparison.missing} datasets on the portal's own list were in no page,"
                    " and were not to be had by name"
                )
        verdict = self._judge()
        concludes = verdict == "complete" and self.harvest.mode == "full"
        # Asking may find some of them, and what is found is recovered before the rest is counted.
        asked = ask_for_unseen(self.merger, self.driver, self.comparison) if concludes else {}
        catalog = self.workplace.catalog
        self.recovered = self.merger.patiently(lambda: recover(catalog, self.portal, self.harvest.id))
        return verdict, self._absences(asked) if concludes else None

    def _judge(self) -> str:
        if self.harvest.mode == "increment":
            # It saw what changed, be it nothing; what is missing it cannot know.
            read = max(self.harvest.read, self.finished)
            return judge_completeness(finished=self.finished, read=read, expected=None)
        return judge_completeness(
            finished=self.finished,
            read=self.harvest.read,
            # Of a portal that shows nothing at all every witness is heard.
            expected=self.expected if self.harvest.read else self.highest_count or self.expected,
            listed=self.comparison.listed,
            listed_missing=self.comparison.missing,
            list_is_independent=self.portal.kind == "datagov",
        )

    def _absences(self, asked: Mapping[str, bool]) -> Absences:
        settings = self.workplace.settings
        rules = loss_rules(settings)
        self.merger.patiently(self._require_ours)
        absences = self.merger.patiently(
            lambda: record_absences(
                self.workplace.catalog, self.portal, self.harvest.id, rules=rules, asked=asked
            )
        )
        if absences.withheld:
            self.sentences.append(
                f"{absences.withheld} datasets of {_some(absences.breakers)} are missing at once, more than"
                f" {settings.loss_breaker_fraction:.0%}: taken for a fault until it lasts, nothing of it is"
                " marked as lost"
            )
        return absences

    def _require_ours(self) -> None:
        with self.workplace.catalog.begin() as connection:
            require_ours(connection, self.harvest)


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _one_harvest(
    workplace: Workplace,
    portal: PortalRow,
    since: datetime | None,
    *,
    fresh: bool,
    progress: Progress | None,
) -> dict[str, Any]:
    """Raises PermanentError for an increment that the portal cannot give; what it refuses else is a verdict."""
    settings = workplace.settings
    reader = PoliteDoor(workplace.door, workplace.politeness)  # one of its own: it counts what it sends
    driver = open_driver(workplace, portal, reader)
    # Opened twice, because an answer got lost, the first one is closed as interrupted.
    harvest = workplace.patiently(
        open_harvest,
        portal,
        mode="increment" if since else "full",
        since=since,
        resume_hours=0 if fresh else settings.harvest_resume_hours,
    )
    reading = _Reading(workplace, portal, driver, reader, harvest, progress)
    try:
        try:
            reading.read()
        except ShelterError as error:
            if isinstance(error, CatalogAwayError | OvertakenError):
                raise
            if since and isinstance(error, PermanentError) and not harvest.read:
                raise
            reading.sentences.append(str(error))
        verdict, absences = reading.conclude()
        return _close(reading, verdict, absences)
    except OvertakenError as error:
        return _left_to_another(reading, str(error))
    except BaseException as error:
        said = str(error) if isinstance(error, ShelterError) else "the harvest was interrupted"
        with suppress(CatalogAwayError):  # then the next harvest finds it running, and goes on with it
            end_harvest(
                workplace.catalog,
                harvest,
                verdict="interrupted",
                message=said,
                requests=reading.uncounted_requests,
            )
        raise


def _close(reading: _Reading, verdict: str, absences: Absences | None) -> dict[str, Any]:
    catalog, portal, harvest = reading.workplace.catalog, reading.portal, reading.harvest
    patiently = reading.merger.patiently
    if reading.finished:
        reading.merger.clear_cursor()
        patiently(lambda: advance_watermark(catalog, portal, harvest.id))
    row = patiently(
        lambda: end_harvest(
            catalog,
            harvest,
            verdict=verdict,
            message="; ".join(reading.sentences) or None,
            delisted=absences.suspected if absences else 0,
            withheld=absences.withheld if absences else 0,
            recovered=reading.recovered,
            missing=reading.comparison.missing,
            surplus=reading.comparison.surplus,
            requests=reading.uncounted_requests,
        )
    )
    if any(row[name] for name in ("new", "changed", "moved")):
        patiently(lambda: index_changed_datasets(catalog))
    return _report(reading, row, absences)


def _left_to_another(reading: _Reading, why: str) -> dict[str, Any]:
    """The report of a harvest that another process goes on with: the row is that one's to end."""
    row = reading.merger.patiently(
        lambda: end_harvest(reading.workplace.catalog, reading.harvest, verdict="interrupted", message=why)
    )
    return _report(reading, row | {"verdict": "interrupted", "message": why}, None)


def _report(reading: _Reading, row: Mapping[str, Any], absences: Absences | None) -> dict[str, Any]:
    workplace, portal, harvest = reading.workplace, reading.portal, reading.harvest
    catalog, patiently = workplace.catalog, reading.merger.patiently
    facts = told(portal=portal.slug, **{name: row[name] for name in _COUNTED})
    _log.info(
        "harvest of %s: %s",
        portal.slug,
        "; ".join(filter(None, (row["verdict"], row["message"]))),
        extra=facts,
    )
    return {
        "portal": portal.slug,
        **{name: row[name] for name in _COUNTED},
        "seconds": round(float(row["seconds"]), 3),
        **{name: row[name] for name in _FURTHER},
        "confirmed": absences.confirmed if absences else 0,
        "links": patiently(lambda: watch_links(workplace, portal.slug)),
        "refusals": patiently(lambda: refusals_of(catalog, harvest.id, limit=_MOST_REFUSALS)),
        "by_organization": patiently(lambda: changes_by_organization(catalog, harvest.id)),
    }
