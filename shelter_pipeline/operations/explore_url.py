"""What one URL leads to, found out now and kept nowhere: `shelter explore`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from shelter_pipeline.discovery.classification_table import classification_rules, using
from shelter_pipeline.discovery.classify import Classification, Kind, classify
from shelter_pipeline.discovery.explore import Exploration, FoundAsset
from shelter_pipeline.discovery.pages import Page
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.operations.crawl import Crawl, CrawlResult, Held
from shelter_pipeline.operations.exploration_ledger import budget_of
from shelter_pipeline.settings import Settings

Progress = Callable[[CrawlResult], None]


def explore_url(
    text: str,
    *,
    settings: Settings,
    format: str | None = None,
    media_type: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Follow a URL as discovery would, within the budget of the settings; nothing is fetched but pages.

    Returns `{url, kind, rule, outcome, detail, requests, files, pages}`: each file with the
    page that gave it and why, each page with what it was and what was left unread of it.
    """
    with using(classification_rules(settings.classification_rules)):
        return _told(text, settings, format, media_type, progress)


def _told(
    text: str, settings: Settings, format: str | None, media_type: str | None, progress: Progress | None
) -> dict[str, Any]:
    verdict = classify(text, format=format, media_type=media_type)
    told = {"url": verdict.url or text, "kind": verdict.kind.value, "rule": verdict.rule}
    if verdict.url is None or verdict.kind is Kind.LOGIN_WALL:
        outcome = "login-required" if verdict.url else verdict.rule
        return told | {"outcome": outcome, "detail": verdict.problem, "requests": 0, "files": [], "pages": []}
    if verdict.kind in (Kind.FILE, Kind.ARCHIVE):
        file: dict[str, Any] = {
            "url": verdict.url,
            "kind": verdict.asset_kind,
            "via": "direct",
            "why": verdict.rule,
            "path": [],
        }
        return told | {"outcome": "found", "detail": "", "requests": 0, "files": [file], "pages": []}
    return told | _explored(verdict, settings, progress)


def _explored(verdict: Classification, settings: Settings, progress: Progress | None) -> dict[str, Any]:
    exploration = Exploration(
        verdict.url or "",
        verdict.kind,
        verdict.rule,
        budget_of(settings),
        content=content_rules(settings.content_rules),
    )
    ledger = _OnePlace(exploration)
    politeness = Politeness.of(settings)
    with politeness, closing(RobotsBook.of(settings, politeness)) as robots:
        result = Crawl(
            ledger,
            door=Door.of(settings),
            politeness=politeness,
            robots=robots,
            connections=settings.fetch_connections,
            max_pages=settings.discovery_max_pages,
            max_seconds=settings.discovery_run_seconds,
            max_page_bytes=settings.discovery_max_page_bytes,
            progress=progress,
        ).run()
    conclusion = exploration.conclusion()
    return {
        "outcome": conclusion.outcome,
        "detail": "; ".join(filter(None, [result.cut_short, conclusion.detail])),
        "requests": result.pages,
        "files": [_file(found) for found in ledger.found],
        "pages": [_page(page) for page in exploration.pages],
    }


class _OnePlace:
    """A ledger of one place, which is given once and keeps all that was found."""

    def __init__(self, exploration: Exploration) -> None:
        self._exploration = exploration
        self._given = False
        self.found: list[FoundAsset] = []

    def take(self, limit: int, *, each: int, full_hosts: Sequence[str]) -> list[Held[int]]:  # noqa: ARG002
        if self._given:
            return []
        self._given = True
        return [Held(0, parse_url(self._exploration.url).host, self._exploration)]

    def keep(self, held: Sequence[Held[int]], put_down: Sequence[Held[int]]) -> set[int]:  # noqa: ARG002
        self.found.extend(found for one in held for found in one.found)
        return set()

    def give_back(self, held: Sequence[Held[int]]) -> None:
        """Nobody else wants it."""


def _file(found: FoundAsset) -> dict[str, Any]:
    return {
        "url": found.url,
        "kind": found.asset_kind,
        "via": found.via,
        "why": found.why,
        "size": found.size,
        "modified": found.modified,
        "checksum": found.checksum,
        "path": [url for url in found.page.path if url != found.url],
    }


def _page(page: Page) -> dict[str, Any]:
    return {
        "url": page.url,
        "why": page.why,
        "label": page.label,
        "state": page.state.value,
        "what": page.what,
        "reason": page.reason,
        "detail": page.detail,
        "files": page.files,
        "left": dict(page.left),
    }
