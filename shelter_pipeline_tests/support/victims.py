"""Workers that are started to be killed: real processes, forked from one that has everything imported.

    with Nursery(settings) as nursery:
        victim = nursery.start("epa-gov.host.1", "run-1", point="after-rename", nth=3)
        victim.wait_for("at after-rename")
        victim.kill()

The nursery forks one worker at a time; a test that wants several at once has several nurseries.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.kill_points import stop_at, tell_of_first_claim


@dataclass(frozen=True, slots=True)
class Victim:
    """A worker at work."""

    pid: int
    _said: IO[str]

    def wait_for(self, line: str) -> bool:
        """Read what it says until `line`; False if it ended before."""
        for said in self._said:
            if said.startswith("ended"):
                return False
            if said == f"{line}\n":
                return True
        raise RuntimeError("the nursery is gone")

    def kill(self) -> bool:
        """SIGKILL, and wait until it is gone; whether it was still at work."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        for said in self._said:
            if said.startswith("ended"):
                return said == f"ended {-signal.SIGKILL}\n"
        raise RuntimeError("the nursery is gone")


class Nursery:
    """The process that forks workers, for the length of a block; `settings` are SHELTER_* names in lower case."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        named = {f"SHELTER_{name.upper()}": str(value) for name, value in settings.items()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shelter_pipeline_tests.support.victims"],
            env=os.environ | named,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def start(self, key: str, run_id: str, *, point: str | None = None, nth: int = 1) -> Victim:
        """A worker that is about to rescue the batch `key`; it says `claimed`, and perhaps `at <point>`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"key": key, "run_id": run_id, "point": point, "nth": nth}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        _started, pid = self._process.stdout.readline().split()
        return Victim(int(pid), self._process.stdout)


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # one write, so that lines of two processes do not mix


def _work(key: str, run_id: str, point: str | None, nth: int) -> None:
    if point is not None:
        stop_at(point, nth)
    tell_of_first_claim(lambda: _say("claimed"))
    with open_workplace(load_settings(), migrated=False) as workplace:
        rescue_batch(workplace, key, run_id=run_id)


def _main() -> None:
    for line in sys.stdin:
        ready, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(go)
            os.read(ready, 1)  # not a word before the parent has said who this is
            try:
                _work(**json.loads(line))
            finally:
                os._exit(0)
        os.close(ready)
        _say(f"started {pid}")
        os.close(go)
        _pid, status = os.waitpid(pid, 0)
        _say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    _main()
