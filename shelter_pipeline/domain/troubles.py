"""What a person should be told of: kinds of trouble, how bad each is, and what to do about it.

A trouble is a state, not an event: it is seen at every look for as long as it lasts. Its key names the one thing
that is troubled, so that the same trouble is the same key at every look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Severity = Literal["urgent", "soon"]
Standing = Literal["new", "still", "ended"]


@dataclass(frozen=True, slots=True)
class TroubleKind:
    """One kind: `urgent` means that data may be lost or nothing is saved meanwhile."""

    slug: str
    title: str
    severity: Severity
    advice: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """One troubled thing as it was seen: what it is, and how it is wrong; both may hold text from outside."""

    kind: str
    thing: str
    detail: str

    @property
    def key(self) -> str:
        """The identity of this trouble as long as it lasts."""
        return f"{self.kind}:{self.thing}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One trouble as it is told: whether it is new, still there, or has ended."""

    id: int
    kind: str
    thing: str
    detail: str
    since: datetime
    ended: datetime | None
    standing: Standing


KINDS = {
    kind.slug: kind
    for kind in (
        TroubleKind(
            "blobs-damaged",
            "Damaged or missing files in the store",
            "urgent",
            "Damaged files are in quarantine and nothing was deleted; `shelter scrub --mend` has them fetched again"
            " while their sources still stand. Look at the disk.",
        ),
        TroubleKind(
            "no-room",
            "No room where files arrive",
            "urgent",
            "No file is begun until there is room: make room, or give the store another disk.",
        ),
        TroubleKind(
            "daemon-silent",
            "Dagster does not look any more",
            "urgent",
            "No harvest, no download and no report is started: start the daemon, and see in Dagster that the sensor"
            " alert_sensor is switched on.",
        ),
        TroubleKind(
            "queue-stuck",
            "Downloads are due and nothing happens",
            "urgent",
            "Look at the queue of runs, at the workers and at the pool `downloads`; `shelter doctor` says what does"
            " not answer.",
        ),
        TroubleKind(
            "worker-lost",
            "Workers that fell silent",
            "soon",
            "What they worked on is taken back and done by others; look at the machine, or start its worker again.",
        ),
        TroubleKind(
            "harvest-failed",
            "Portals that could not be read",
            "soon",
            "Look at the last harvest's message; it is tried again every night, and `shelter harvest` tries it now.",
        ),
        TroubleKind(
            "breaker-tripped",
            "Mass losses that are withheld",
            "soon",
            "Many datasets vanished at once, which is mostly a fault of the portal: look at it, then say"
            " `shelter losses release` or `shelter losses dismiss`.",
        ),
        TroubleKind(
            "batches-failed",
            "Batches that wait for a person",
            "soon",
            "They used up their attempts: look at the reasons of their files, then plan the organization again.",
        ),
        TroubleKind(
            "run-failed",
            "Runs that failed",
            "soon",
            "Open the run in Dagster and read its last error; the next one on schedule may mend it.",
        ),
    )
}
