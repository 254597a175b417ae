"""What manifests say of files, as rows for the catalog. Pure: no clock, no store, no catalog.

A manifest says what became of a file; where it does not, as those of earlier versions and
of single fetches, the captures are followed one after the other as the batch did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from shelter_pipeline.catalog.connection import storable
from shelter_pipeline.catalog.restoring import (
    RestoredAsset,
    RestoredCapture,
    RestoredFiles,
    RestoredState,
)
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.follow_up import FollowUp, follow_up
from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.domain.verdicts import REASONS, Verdict, holds_file
from shelter_pipeline.vault.manifest import Manifest
from shelter_pipeline.vault.manifest_lines import (
    AssetLine,
    BatchLine,
    CaptureLine,
    DatasetLine,
    SourceLine,
)

Line = TypeVar("Line")
SOURCE_RECORD = "source-record"
_STATES = frozenset({"pending", "held", "failed", "dead"})
_VERDICTS = frozenset(verdict.value for verdict in Verdict)


@dataclass(slots=True)
class ToldManifest:
    """A manifest with its lines read; `problems` are the lines that cannot be used, and why."""

    name: str
    batch_key: str
    batch: BatchLine | None = None
    captures: list[CaptureLine] = field(default_factory=list)
    sources: list[SourceLine] = field(default_factory=list)
    assets: list[AssetLine] = field(default_factory=list)
    datasets: list[DatasetLine] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many lines can be used."""
        return len(self.captures) + len(self.sources) + len(self.assets) + len(self.datasets)

    @classmethod
    def of(cls, manifest: Manifest) -> ToldManifest:
        """The lines of a manifest as values; one that cannot be used never costs the others."""
        told = cls(manifest.name, manifest.batch_key)
        told.batch = next(told._read([manifest.batch] if manifest.batch else [], BatchLine), None)
        told.datasets.extend(told._read(manifest.datasets, DatasetLine))
        told.assets.extend(told._read(manifest.assets, AssetLine))
        sources = [entry for entry in manifest.entries if entry.get("kind") == SOURCE_RECORD]
        captures = [entry for entry in manifest.entries if entry.get("kind") != SOURCE_RECORD]
        told.sources.extend(told._read(sources, SourceLine))
        told.captures.extend(told._read(captures, CaptureLine))
        return told

    def _read(self, lines: Sequence[Mapping[str, Any]], kind: type[Line]) -> Iterator[Line]:
        for line in lines:
            try:
                found = msgspec.convert(_storable(line), kind)
                _check(found)
            except (msgspec.ValidationError, ShelterError, ValueError) as error:
                self.problems.append(str(error))
            else:
                yield found


def _storable(value: Any) -> Any:
    """The same value with texts that PostgreSQL can keep."""
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else storable(value)
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _check(line: Any) -> None:
    """Raises what says why this line is none that the catalog can keep."""
    if isinstance(line, CaptureLine | AssetLine):
        address(line.url)
    if isinstance(line, CaptureLine) and line.verdict not in _VERDICTS:
        raise ValueError(f"{line.verdict!r} is no verdict")
    if isinstance(line, AssetLine) and line.state not in _STATES:
        raise ValueError(f"{line.state!r} is no state of a file")
    if isinstance(line, DatasetLine):
        for resource in line.resources:
            for link in resource.assets:
                address(link.url)


@lru_cache(maxsize=20_000)  # a line of the file, of its capture and of its link come close to one another
def address(url: str) -> Url:
    """The URL read. Raises RefusedError if it is none."""
    return parse_url(url)


def files_of(manifests: Sequence[ToldManifest], *, max_attempts: int) -> RestoredFiles:
    """Assets, states and captures of some manifests; links need the ids of datasets and are not among them."""
    files = RestoredFiles()
    untold: dict[Url, list[CaptureLine]] = {}
    for told in manifests:
        batch_key = told.batch_key if told.batch else None
        files.assets.extend(_asset(line) for line in told.assets)
        files.states.extend(
            _state(line, line.captured_at, batch_key) for line in told.assets if line.captured_at
        )
        known = {line.url for line in told.assets}
        for line in told.captures:
            files.captures.append(_capture(line, batch_key))
            if line.url not in known:
                untold.setdefault(address(line.url), []).append(line)
    for url, lines in untold.items():
        lines.sort(key=lambda line: line.finished_at)
        files.assets.append(RestoredAsset(url, lines[0].started_at, lines[0].kind))
        files.states.extend(_followed(url, lines, max_attempts))
    return files


def _asset(line: AssetLine) -> RestoredAsset:
    return RestoredAsset(
        address(line.url),
        line.found_at,
        line.kind,
        line.format,
        line.media_type,
        line.checksum,
        line.expected_size,
    )


def _state(line: AssetLine, captured_at: datetime, batch_key: str | None) -> RestoredState:
    return RestoredState(
        address(line.url),
        captured_at,
        line.state,
        line.reason,
        line.sha256,
        line.size,
        line.etag,
        line.last_modified,
        line.attempts,
        line.next_attempt_at,
        batch_key,
        line.decided,
    )


def _capture(line: CaptureLine, batch_key: str | None) -> RestoredCapture:
    return RestoredCapture(
        address(line.url),
        batch_key,
        line.late,
        line.verdict,
        line.reason,
        line.detail,
        line.final_url,
        line.status,
        _heads(line),
        line.flags,
        line.requests,
        line.wire_bytes,
        line.sha256,
        line.size,
        line.media_type,
        line.started_at,
        line.finished_at,
    )


def _heads(line: CaptureLine) -> dict[str, Any]:
    if line.heads is not None:
        return line.heads
    return {
        "request": line.request_headers,
        "response": line.response_headers,
        "hops": line.hops,
    }


def _followed(url: Url, lines: Sequence[CaptureLine], max_attempts: int) -> Iterator[RestoredState]:
    """The state after captures in the order of their ends, as settling them one by one would have left it."""
    held: CaptureLine | None = None
    attempts = 0
    last: tuple[CaptureLine, FollowUp] | None = None
    for line in lines:
        if line.late or line.reason not in REASONS:
            continue
        after = follow_up(
            line.reason, attempts, max_attempts=max_attempts, retry_after_seconds=line.retry_after_seconds
        )
        attempts, last = after.attempts, (line, after)
        if holds_file(Verdict(line.verdict)) and line.sha256 and line.size is not None:
            held = line
    if last is not None:
        line, after = last
        yield RestoredState(
            url,
            line.finished_at,
            "held" if held else after.state,
            line.reason,
            held.sha256 if held else None,
            held.size if held else None,
            _validator(held, "etag"),
            _validator(held, "last-modified"),
            attempts,
            line.finished_at + after.rest if after.rest is not None else None,
        )


def _validator(line: CaptureLine | None, name: str) -> str | None:
    """A validator of the reply (RFC 9110 section 8.8); none where its end was not verified."""
    if line is None or "length-unverified" in line.flags:
        return None
    written = line.etag if name == "etag" else line.last_modified
    heads = (line.heads or {}).get("response") or ()
    return written or next((value for key, value in heads if key.lower() == name), None)
