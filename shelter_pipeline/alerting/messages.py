"""One message about many troubles: the kinds in order, of each a count and the first ten, what to do, where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shelter_pipeline.domain.troubles import KINDS, Notice, Standing, TroubleKind

GUIDE = "docs/how-to/alerts.md"
_FIRST = 10
_MOST_NOTICES = 200  # of the JSON document
_LONGEST = 200
_STANDINGS: tuple[Standing, ...] = ("new", "still", "ended")
_WORDS = {"new": "", "still": "still: ", "ended": "over: "}


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told; without notices it is a test."""

    notices: tuple[Notice, ...]
    made_at: datetime
    links: tuple[str, ...] = ()  # where to look

    @property
    def is_test(self) -> bool:
        """Whether it was asked for, to see that it arrives."""
        return not self.notices

    @property
    def subject(self) -> str:
        """One line of plain words, without a word from outside."""
        if self.is_test:
            return "Shelter: a test message"
        begun = [notice for notice in self.notices if notice.standing != "ended"]
        if not begun:
            return f"Shelter: {_counted(self.notices)} over"
        worst = "urgent: " if any(KINDS[notice.kind].severity == "urgent" for notice in begun) else ""
        return f"Shelter: {worst}{_counted(begun)}"

    @property
    def text(self) -> str:
        """All of it as plain lines."""
        if self.is_test:
            return "\n".join(("This is a test: alerts of Shelter arrive here.", *self._where()))
        parts = ["\n".join(self._section(kind)) for kind in KINDS.values() if self._of(kind)]
        return "\n\n".join((*parts, "\n".join(self._where()))).rstrip()

    @property
    def document(self) -> dict[str, Any]:
        """All of it for programs. `troubles` holds 200 at most, `counts` says how many there are."""
        return {
            "source": "shelter",
            "type": "test" if self.is_test else "alerts",
            "sent_at": self.made_at.astimezone(UTC).isoformat(),
            "subject": self.subject,
            "text": self.text,
            "counts": {
                standing: sum(notice.standing == standing for notice in self.notices)
                for standing in _STANDINGS
            },
            "troubles": [_plain(notice) for notice in self.notices[:_MOST_NOTICES]],
            "links": list(self.links),
        }

    def _of(self, kind: TroubleKind) -> list[Notice]:
        return [notice for notice in self.notices if notice.kind == kind.slug]

    def _section(self, kind: TroubleKind) -> list[str]:
        notices = sorted(self._of(kind), key=lambda notice: _STANDINGS.index(notice.standing))
        lines = [f"{kind.title} ({len(notices)}{', urgent' if kind.severity == 'urgent' else ''})"]
        lines += [_line(notice) for notice in notices[:_FIRST]]
        if len(notices) > _FIRST:
            lines.append(f"- and {len(notices) - _FIRST} more: `shelter alerts` lists all")
        if any(notice.standing != "ended" for notice in notices):
            lines.append(f"What to do: {kind.advice} ({GUIDE}#{kind.slug})")
        return lines

    def _where(self) -> list[str]:
        return [f"Look at {link}" for link in self.links]


def one_line(text: str, longest: int = _LONGEST) -> str:
    """Text from outside as one printable line of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _line(notice: Notice) -> str:
    until = f" until {_moment(notice.ended)}" if notice.ended else ""
    return (
        f"- {_WORDS[notice.standing]}{one_line(notice.thing)}: {one_line(notice.detail)}"
        f" (since {_moment(notice.since)}{until})"
    )


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _counted(notices: Sequence[Notice]) -> str:
    kinds = list(dict.fromkeys(notice.kind for notice in notices))
    if len(kinds) == 1:
        return f"{KINDS[kinds[0]].title.lower()} ({len(notices)})"
    return f"{len(notices)} troubles of {len(kinds)} kinds"


def _plain(notice: Notice) -> dict[str, Any]:
    kind = KINDS[notice.kind]
    return {
        "id": notice.id,
        "kind": notice.kind,
        "title": kind.title,
        "severity": kind.severity,
        "standing": notice.standing,
        "thing": one_line(notice.thing),
        "detail": one_line(notice.detail),
        "since": notice.since.astimezone(UTC).isoformat(),
        "ended": notice.ended.astimezone(UTC).isoformat() if notice.ended else None,
        "advice": kind.advice,
        "guide": f"{GUIDE}#{notice.kind}",
    }
