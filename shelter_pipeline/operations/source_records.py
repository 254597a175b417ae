"""Keep the publishers' own records of what is rescued, where the portal's record is not that one word for word.

A record is a file like any other: fetched by the same engine, held by its SHA-256, named
in a manifest of the store before the catalog hears of it. What a publisher does not hand
out is a row with its reason and rests for a month; trouble that may pass is no row, and
neither is a run of failures that says more of the portal than of its records.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

from shelter_pipeline.catalog.claims import know_store
from shelter_pipeline.catalog.portals import PortalRow, find_portal
from shelter_pipeline.catalog.source_records import (
    SourceOutcome,
    WantedSource,
    due_source_records,
    record_source_records,
)
from shelter_pipeline.dispatch.patience import patiently
from shelter_pipeline.domain.errors import DamagedError, ShelterError, TransientError
from shelter_pipeline.domain.records import DatasetRecord
from shelter_pipeline.domain.verdicts import REASONS, Next, Verdict, holds_file
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.download import Capture, Downloader, Promise
from shelter_pipeline.operations.portal_access import headers_for, open_driver
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.portals.protocol import Portal
from shelter_pipeline.portals.registry import ReadingRules, open_portal
from shelter_pipeline.vault.manifest import write_manifest

Progress = Callable[[int, int], None]

_REST_DAYS = 30
_GROUP = 50  # outcomes recorded in one transaction, after one manifest
_MOST_FAILURES_IN_A_ROW = 25
# With these nobody there will answer the next question either.
_AWAY = frozenset({"connect-failed", "dns-failed", "rate-limited", "processing", "no-space", "store-failed"})
_NO_LONGER_THERE = frozenset({"not-found", "gone"})
# A record is one of these, as its publisher wrote it; a web page is none of them.
_PROMISE = Promise(format="json xml text")


def keep_source_records(
    workplace: Workplace,
    portal_slug: str,
    *,
    organization: str | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Ask for the source records that are due, at most `limit` (default: SHELTER_SOURCE_RECORDS_PER_RUN).

    Due are datasets with a held file or a file in a batch, of the whole portal or of the
    organization with this partition key. Returns `{portal, asked, stored, failed: {reason:
    n}, left}`; `left` is what is due still. `progress` is told how many were asked for, of
    how many. SetupError if there is no such portal, or a secret of it is not set.
    """
    portal = find_portal(workplace.catalog, portal_slug)
    bound = workplace.settings.source_records_per_run if limit is None else limit
    wanted, due = due_source_records(
        workplace.catalog, portal.id, organization=organization, limit=bound, rest_days=_REST_DAYS
    )
    run = _Run()
    if _has_source_records(workplace, portal, wanted):
        know_store(workplace.catalog, workplace.store.name)
        outcomes = _outcomes(_SourceReader.of(workplace, portal), wanted, run, progress)
        while group := list(islice(outcomes, _GROUP)):
            _keep(workplace, portal, group)
            run.settled += len(group)
    else:
        due = 0
    return {
        "portal": portal.slug,
        "asked": run.asked,
        "stored": run.stored,
        "failed": dict(sorted(run.failed.items())),
        "left": due - run.settled,
    }


def _has_source_records(workplace: Workplace, portal: PortalRow, wanted: Sequence[WantedSource]) -> bool:
    """Whether this kind of portal says where the source records are; nothing is asked for the answer."""
    rules = ReadingRules(page_max_bytes=workplace.settings.page_max_bytes)
    driver = open_portal(portal.kind, portal.url, workplace.reader, rules)
    return any(driver.source_record_url(json.loads(one.raw)) is not None for one in wanted)


@dataclass(frozen=True, slots=True)
class _SourceReader:
    """Asks one portal for source records, one after the other."""

    driver: Portal
    downloader: Downloader
    headers: Callable[[str], Mapping[str, str]]

    @classmethod
    def of(cls, workplace: Workplace, portal: PortalRow) -> _SourceReader:
        settings = workplace.settings
        bounded = settings.model_copy(update={"fetch_max_bytes": settings.record_max_bytes})
        downloader = Downloader(
            Door.of(bounded),
            workplace.store,
            max_attempts=settings.fetch_max_attempts,
            retry_delay_seconds=settings.fetch_retry_delay_seconds,
            politeness=workplace.politeness,
        )
        return cls(open_driver(workplace, portal), downloader, partial(headers_for, portal, settings))

    def ask(self, wanted: WantedSource) -> SourceOutcome | None:
        """What came of asking; None where the record names no source."""
        url = self.driver.source_record_url(json.loads(wanted.raw))
        if url is None:
            return None
        outcome = self._fetch(wanted, url)
        if outcome.reason not in _NO_LONGER_THERE:
            return outcome
        try:
            present = self._present_url(wanted)
        except (TransientError, DamagedError) as error:
            return replace(outcome, reason=error.reason)
        except ShelterError:  # the portal cannot be asked, so what it said before stands
            return outcome
        return outcome if present is None or present == url else self._fetch(wanted, present)

    def _present_url(self, wanted: WantedSource) -> str | None:
        """Where the record is now: its identity there changes with every harvest that the portal itself does."""
        page = self.driver.look_up(wanted.identifier)
        records = page.records if page is not None else ()
        found = next((record for record in records if isinstance(record, DatasetRecord)), None)
        return self.driver.source_record_url(json.loads(found.raw)) if found is not None else None

    def _fetch(self, wanted: WantedSource, url: str) -> SourceOutcome:
        return _as_outcome(wanted, self.downloader.fetch(url, _PROMISE, headers=self.headers(url)))


def _as_outcome(wanted: WantedSource, capture: Capture) -> SourceOutcome:
    if holds_file(capture.verdict):
        return SourceOutcome(
            wanted,
            capture.url,
            "stored",
            capture.finished_at,
            capture.sha256,
            capture.size,
            capture.media_type,
        )
    return SourceOutcome(wanted, capture.url, capture.reason, capture.finished_at)


@dataclass(slots=True)
class _Run:
    """The outcomes of one run, sorted into those that say something of a record and those that do not."""

    asked: int = 0
    stored: int = 0
    settled: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    portal_at_fault: bool = False
    _doubtful: list[SourceOutcome] = field(default_factory=list)
    _failures_in_a_row: int = 0

    def take(self, outcome: SourceOutcome) -> Iterator[SourceOutcome]:
        """What is to be recorded now.

        A failure waits until an answer after it shows that the portal is in order: one that
        refuses everything, or has the same page for every question, says nothing of a record.
        """
        self.asked += 1
        if outcome.reason == "stored" or outcome.reason in _NO_LONGER_THERE:
            self._failures_in_a_row = 0
            yield from self.rest()
            yield outcome
        else:
            self._failures_in_a_row += 1
            self.portal_at_fault = (
                outcome.reason in _AWAY or self._failures_in_a_row >= _MOST_FAILURES_IN_A_ROW
            )
            if not _may_pass(outcome.reason):
                self._doubtful.append(outcome)
        if outcome.reason == "stored":
            self.stored += 1
        else:
            self.failed[outcome.reason] += 1

    def rest(self) -> list[SourceOutcome]:
        """The failures that waited; none of them when the portal was at fault."""
        waiting, self._doubtful = self._doubtful, []
        return [] if self.portal_at_fault else waiting


def _may_pass(reason: str) -> bool:
    known = REASONS.get(reason)
    return known is None or known.next is Next.RETRY


def _outcomes(
    reader: _SourceReader, wanted: Sequence[WantedSource], run: _Run, progress: Progress | None
) -> Iterator[SourceOutcome]:
    """The outcomes that are to be recorded, until all were asked for or the portal itself is at fault."""
    for place, one in enumerate(wanted, 1):
        outcome = reader.ask(one)
        if outcome is not None:
            yield from run.take(outcome)
        if progress is not None:
            progress(place, len(wanted))
        if run.portal_at_fault:
            break
    yield from run.rest()


def _keep(workplace: Workplace, portal: PortalRow, outcomes: Sequence[SourceOutcome]) -> None:
    """Manifest first, rows after it: what the catalog knows of is always in the store."""
    stored = [outcome for outcome in outcomes if outcome.sha256 is not None]
    if stored:
        entries = [_entry(workplace, portal, outcome) for outcome in stored]
        write_manifest(workplace.store, f"source-records-{portal.slug}", entries)
    patiently(
        lambda: record_source_records(workplace.catalog, outcomes, store=workplace.store.name),
        for_seconds=workplace.settings.harvest_patience_seconds,
    )


def _entry(workplace: Workplace, portal: PortalRow, outcome: SourceOutcome) -> dict[str, Any]:
    """One line of the manifest; the portal's own record of the moment is kept beside the source's."""
    data = outcome.wanted.raw.encode()
    record = hashlib.sha256(data).hexdigest()
    workplace.store.put_document(f"records/{record[:2]}/{record}.json", data)
    return {
        "kind": "source-record",
        "portal": portal.url,
        "organization": outcome.wanted.organization,
        "dataset": outcome.wanted.slug,
        "identifier": outcome.wanted.identifier,
        "record": record,
        "url": outcome.url,
        "verdict": Verdict.STORED.value,
        "sha256": outcome.sha256,
        "size": outcome.size,
        "media_type": outcome.media_type,
        "asked_at": outcome.asked_at.isoformat(),
    }
