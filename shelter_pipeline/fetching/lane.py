"""One thread of the engine: a loop over libcurl's sockets that takes fetches from step to step."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.fetching.frontier import LONGEST_SLEEP_SECONDS, Frontier
from shelter_pipeline.fetching.multi import Multi
from shelter_pipeline.fetching.observing import observation
from shelter_pipeline.fetching.politeness import Observation, Turn
from shelter_pipeline.fetching.steps import Ask, Call, Rest, Steps
from shelter_pipeline.fetching.transfer import Transfer

# A transfer that has gone on for so long at less than this rate no longer takes a place from quick ones.
_SLOW_AFTER_SECONDS = 5.0
_SLOW_BYTES_PER_SECOND = 32 * 1024
# A request is sent when the sockets are looked at next; the more begin together, the later for its turn is the first.
_BEGUN_AT_ONCE = 4


@dataclass(slots=True, eq=False)
class Job:
    """One sequence of steps on its way, under whatever name its owner gave it."""

    tag: Any
    steps: Steps[Any]
    unasked: Callable[[ShelterError], Any]  # the end of one that never began
    begun: bool = False
    transfer: Transfer | None = None  # the one it waits to be asked

    def close(self, broke: Callable[[BaseException], None]) -> None:
        """End it here; `broke` is told what its steps have against that, which others have nothing to do with."""
        try:
            self.steps.close()
        except BaseException as error:  # noqa: BLE001 - told
            broke(error)


class Host(Protocol):
    """What a lane needs of the engine it belongs to."""

    frontier: Frontier[Job]

    def may_begin(self, lane: Lane) -> bool:
        """Whether this lane may begin something new."""

    @property
    def is_over(self) -> bool:
        """Whether the lane should end."""

    def arrived(self, job: Job, end: Any) -> None:
        """A job has come to its end."""

    def put_back(self) -> None:
        """A fetch waits or rests in the frontier again."""

    def call(self, job: Job, step: Call) -> None:
        """Something to be called elsewhere; `Lane.hand_back` gets what came of it."""

    def broke(self, error: BaseException) -> None:
        """An error that no fetch should raise."""


class Lane:
    """Runs the jobs it takes from the engine's frontier, whenever the engine lets it."""

    def __init__(self, engine: Host, name: str) -> None:
        self._engine = engine
        self._multi = Multi()
        self._running: dict[Transfer, tuple[Job, Turn, float]] = {}
        self._begun: list[tuple[Transfer, Turn]] = []  # since the sockets were looked at
        self._unsent: list[tuple[Transfer, Turn]] = []  # begun, and at a name or a connection still
        self._returned: deque[tuple[Job, Any, BaseException | None]] = deque()
        self._counting = threading.Lock()
        self._ended_bytes = 0
        self._slow = 0
        self._look_at = 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def wake(self) -> None:
        """There may be something to do."""
        self._multi.wake()

    def hand_back(self, job: Job, value: Any, error: BaseException | None) -> None:
        """What came of a call, from any thread."""
        self._returned.append((job, value, error))
        self._multi.wake()

    def __len__(self) -> int:
        """How many transfers run."""
        return len(self._running)

    @property
    def slow(self) -> int:
        """How many of them have been slow for a while."""
        return self._slow

    def close(self) -> None:
        """End the fetches whose calls came back too late. The lane has ended, and nothing is called any more."""
        for job, value, error in self._returned:
            try:
                # What came of the call belongs to the steps: only they can let go of it.
                with suppress(StopIteration):
                    _ = job.steps.throw(error) if error is not None else job.steps.send(value)
            except BaseException as bug:  # noqa: BLE001 - told
                self._engine.broke(bug)
            job.close(self._engine.broke)
        self._returned.clear()

    @property
    def wire_bytes(self) -> int:
        """Bytes that its transfers have received, ended and running; never fewer than before, from any thread."""
        with self._counting:
            return self._ended_bytes + sum(transfer.wire_bytes for transfer in list(self._running))

    def _run(self) -> None:
        try:
            while not self._engine.is_over:
                self._turn_wheel()
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for results
            self._engine.broke(error)
        finally:
            self._multi.close()
            for transfer in list(self._running):
                job, turn = self._forget(transfer)
                turn.end(Observation())
                job.close(self._engine.broke)

    def _turn_wheel(self) -> None:
        while self._returned:
            job, value, error = self._returned.popleft()
            self._advance(job, value, error)
        for job in self._engine.frontier.take_rested():
            self._advance(job)
        self._strand()
        pause = LONGEST_SLEEP_SECONDS
        self._look()
        for _ in range(_BEGUN_AT_ONCE):
            if not self._engine.may_begin(self):
                break
            taken = self._engine.frontier.take()
            if taken is None:
                pause = self._engine.frontier.pause()
                break
            self._begin(*taken)
        else:
            pause = 0.0
        ended = self._multi.wait(0.0 if self._begun else pause)
        self._tell_sent()
        for transfer, error in ended:
            job, turn = self._forget(transfer)
            turn.end(observation(transfer) if transfer.sent else None, sent_at=transfer.sent_at)
            self._engine.frontier.wake(transfer.url.host)
            self._advance(job, None, error)

    def _tell_sent(self) -> None:
        """Say of what was begun whether it is sent by now: until it is, nothing else begins at its host."""
        unsent = []
        for transfer, turn in self._unsent:
            if transfer.sent_at is not None and not turn.ended:
                turn.sent(transfer.sent_at)
                self._engine.frontier.wake(transfer.url.host)
            elif not turn.ended:
                unsent.append((transfer, turn))
        for transfer, turn in self._begun:
            turn.sent(transfer.sent_at)
            if transfer.sent_at is None:
                unsent.append((transfer, turn))
        self._unsent = unsent
        self._begun.clear()

    def _strand(self) -> None:
        """End what waits for a host that rests too long, asked for or not."""
        for job, seconds in self._engine.frontier.take_stranded():
            error = TransientError(
                f"the host rests for {seconds:.0f} s", reason="host-rests", retry_after_seconds=seconds
            )
            if job.begun:
                self._advance(job, None, error)
            else:
                job.close(self._engine.broke)
                self._engine.arrived(job, job.unasked(error))

    def _look(self) -> None:
        """Count the slow ones, now and then."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LONGEST_SLEEP_SECONDS
            running = self._running.items()
            self._slow = sum(_is_slow(transfer, now - since) for transfer, (_, _, since) in running)

    def _begin(self, job: Job, turn: Turn) -> None:
        if job.transfer is not None:
            self._start(job, job.transfer, turn)
        else:
            self._advance(job, turn=turn)

    def _start(self, job: Job, transfer: Transfer, turn: Turn) -> None:
        job.transfer = None
        self._running[transfer] = (job, turn, time.monotonic())
        self._multi.start(transfer)
        self._begun.append((transfer, turn))

    def _forget(self, transfer: Transfer) -> tuple[Job, Turn]:
        with self._counting:
            job, turn, _ = self._running.pop(transfer)
            self._ended_bytes += transfer.wire_bytes
        return job, turn

    def _advance(
        self, job: Job, value: Any = None, error: BaseException | None = None, *, turn: Turn | None = None
    ) -> None:
        """Take the job to its next step; a `turn` that it has is used, if that step is to ask, or given back."""
        job.begun = True
        try:
            step = job.steps.throw(error) if error is not None else job.steps.send(value)
        except StopIteration as end:
            self._engine.arrived(job, end.value)
        except BaseException:
            if turn is not None:
                turn.end(None)
            raise
        else:
            if isinstance(step, Ask):
                if turn is not None:
                    self._start(job, step.transfer, turn)
                    return
                job.transfer = step.transfer
                self._engine.frontier.queue(step.transfer.url, job, first=True)
                self._engine.put_back()
            elif isinstance(step, Rest):
                self._engine.frontier.rest(step.seconds, job)
                self._engine.put_back()
            else:
                self._engine.call(job, step)
        if turn is not None:
            turn.end(None)


def _is_slow(transfer: Transfer, seconds: float) -> bool:
    return seconds > _SLOW_AFTER_SECONDS and transfer.wire_bytes < _SLOW_BYTES_PER_SECOND * seconds
