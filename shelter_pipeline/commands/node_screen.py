"""A node on the terminal: bars of what runs above them sentences; plain lines elsewhere, or JSON, a line an event."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from shelter_pipeline.commands.printing import err, out, printable
from shelter_pipeline.domain.amounts import in_words
from shelter_pipeline.node.shift import Running
from shelter_pipeline.node.snapshot import Snapshot
from shelter_pipeline.node.words import files_in_words, sentence_of
from shelter_pipeline.node.worker import Worker

_FRAMES_A_SECOND = 4
_MOST_SHOWN = 8
_RATE_SECONDS = 5.0
_NAME_WIDTH, _BAR_WIDTH = 44, 20


class Screen:
    """Tells events, from any thread; with a terminal, `watching` shows what goes on meanwhile."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._lock = threading.Lock()
        self._console: Console = out
        self._rates: list[tuple[float, int]] = []

    def tell(self, event: str, **facts: Any) -> None:
        """One event."""
        if self._as_json:
            line = json.dumps({"at": datetime.now(UTC).isoformat(), "event": event, **facts}, default=str)
            with self._lock:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            return
        sentence = sentence_of(event, facts)
        if sentence is not None:
            stamp = f"{datetime.now().astimezone():%H:%M:%S} "
            with self._lock:
                self._console.print(escape(stamp + printable(sentence)), highlight=False, soft_wrap=True)

    @contextmanager
    def watching(self, worker: Worker) -> Iterator[None]:
        """Show how the worker stands until the block ends; nothing where nobody would see it."""
        if self._as_json or not err.is_terminal:
            yield
            return
        view = _View(lambda: self._drawn(worker.snapshot()))
        with Live(view, console=err, refresh_per_second=_FRAMES_A_SECOND, transient=True):
            self._console = err  # lines on the same console go above the picture
            try:
                yield
            finally:
                self._console = out

    def _drawn(self, now: Snapshot) -> RenderableType:
        bars = Table.grid(padding=(0, 2))
        begun = [one for one in now.running if one.begun]
        for one in begun[:_MOST_SHOWN]:
            bars.add_row(escape(_shown_name(one)), _bar(one), in_words(one.size))
        hosts = sorted({one.item.host.rpartition(":")[0] or "the API" for one in begun})
        more = f" and {len(hosts) - 3} more" if len(hosts) > 3 else ""  # noqa: PLR2004 - as many as fit a line
        trust = "–" if now.trust is None else f"{now.trust:.2f}"
        return Group(
            bars,
            escape(
                f"{files_in_words(now.kept.files)} kept, {now.kept.proved} proved · {len(begun)} running,"
                f" {now.waiting + len(now.running) - len(begun)} waiting · {in_words(self._rate(now.moved_bytes))}/s ·"
                f" {in_words(now.used_bytes)} of {in_words(now.given_bytes)} used · trust {trust}"
            ),
            escape(printable(f"{', '.join(hosts[:3])}{more}" if hosts else "")),
        )

    def _rate(self, moved: int) -> int:
        now = time.monotonic()
        self._rates = [*((at, size) for at, size in self._rates if now - at < _RATE_SECONDS), (now, moved)]
        (then, before), (last, after) = self._rates[0], self._rates[-1]
        return int((after - before) / (last - then)) if last > then else 0


class _View:
    """What is drawn anew for every frame."""

    def __init__(self, draw: Callable[[], RenderableType]) -> None:
        self._draw = draw

    def __rich__(self) -> RenderableType:
        return self._draw()


def _shown_name(one: Running) -> str:
    name = printable(one.item.name or one.item.url)
    return name if len(name) <= _NAME_WIDTH else f"…{name[1 - _NAME_WIDTH :]}"


def _bar(one: Running) -> RenderableType:
    expected = one.item.size
    if not expected:
        return ""  # an estimate is no measure of how far it has come
    return ProgressBar(total=float(expected), completed=float(min(one.size, expected)), width=_BAR_WIDTH)
