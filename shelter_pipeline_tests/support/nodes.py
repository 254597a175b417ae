"""A volunteer's node in this process, in a thread of its own, and all that it told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from shelter_pipeline.domain.working_hours import WorkingHours
from shelter_pipeline.node.folder import NodeFolder
from shelter_pipeline.node.joining import Introduction
from shelter_pipeline.node.plan import Plan, Stops
from shelter_pipeline.node.start import run_node
from shelter_pipeline_tests.support.fetching import USER_AGENT, short_settings

_SECONDS = 30.0


class NodeUnderTest:
    """One run of a node: what it told, and how it ended."""

    def __init__(self, api: str, folder: Path, **changes: Any) -> None:
        self.folder = NodeFolder(folder)
        self.stops = Stops()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.went_well: bool | None = None
        self.error: BaseException | None = None
        self.worker: Any = None
        self._settings = short_settings(**{"fetch_max_bytes": 10**9, **changes.pop("settings", {})})
        self._plan = Plan(
            given_bytes=changes.pop("given_bytes", 10**9),
            reserve_bytes=changes.pop("reserve_bytes", 0),
            rate=changes.pop("rate", None),
            hours=WorkingHours.of(changes.pop("hours", ""), "--hours"),
            once=changes.pop("once", False),
            stop_seconds=changes.pop("stop_seconds", 0.2),
        )
        self._introduction = Introduction(
            api,
            changes.pop("name", ""),
            "",
            self._plan.given_bytes,
            changes.pop("token", None),
            "1",
            USER_AGENT,
        )
        assert not changes, f"a node has no {changes}"
        self._thread = threading.Thread(target=self._run, name="node", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Until it ends by itself."""
        self._thread.join(_SECONDS)
        assert not self._thread.is_alive(), f"the node goes on: {self.events[-5:]}"
        if self.error is not None:
            raise self.error

    def stop(self) -> None:
        self.stops.ask()
        self.wait()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is so; fails if the node ends before, or it takes too long."""
        until = time.monotonic() + _SECONDS
        while not condition():
            assert self.error is None, self.error
            assert time.monotonic() < until, f"it did not come to pass: {self.events[-5:]}"
            time.sleep(0.01)

    def told(self, event: str) -> list[dict[str, Any]]:
        """What it told under this name."""
        return [facts for name, facts in list(self.events) if name == event]

    def _run(self) -> None:
        def watch(worker: Any) -> Any:
            self.worker = worker
            return nullcontext()

        try:
            self.went_well = run_node(
                self._plan,
                self._introduction,
                self.folder,
                self._settings,
                tell=lambda event, **facts: self.events.append((event, facts)),
                stops=self.stops,
                watch=watch,
            )
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self.error = error


def one_round(api: str, folder: Path, **changes: Any) -> NodeUnderTest:
    """A node that takes work once and ends."""
    node = NodeUnderTest(api, folder, once=True, **changes)
    node.start()
    node.wait()
    return node


@contextmanager
def a_node(api: str, folder: Path, **changes: Any) -> Iterator[NodeUnderTest]:
    """A node at work for the length of a block."""
    node = NodeUnderTest(api, folder, **changes)
    node.start()
    try:
        yield node
    finally:
        node.stops.ask()
        node.stops.ask()
        node._thread.join(_SECONDS)
