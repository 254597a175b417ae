"""What a fetch needs from the world, said one step at a time.

A fetch is a generator: it yields what should happen next and is sent what came of it, or
has the error thrown into it. So the whole of its logic is written once, and whoever drives
it decides how: one after another on the caller's thread, or thousands at once on a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from shelter_pipeline.fetching.transfer import Transfer

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ask:
    """Run this transfer when it is its turn at the host. Its error, if it ends in one, is thrown."""

    transfer: Transfer


@dataclass(frozen=True, slots=True)
class Rest:
    """Come back after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """Call this where it may take its time; its result is sent back, or its error thrown."""

    function: Callable[[], Any]


Step: TypeAlias = Ask | Rest | Call
Steps: TypeAlias = Generator[Step, Any, Result]


def drive(steps: Steps[Result], *, ask: Callable[[Transfer], None], rest: Callable[[float], None]) -> Result:
    """Take the steps one after another on this thread. Raises what the steps end in."""
    try:
        step = next(steps)
        while True:
            try:
                answer = _take(step, ask, rest)
            except BaseException as error:  # noqa: BLE001 - the steps decide what an error means
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        result: Result = end.value
        return result


def _take(step: Step, ask: Callable[[Transfer], None], rest: Callable[[float], None]) -> Any:
    if isinstance(step, Ask):
        ask(step.transfer)
    elif isinstance(step, Rest):
        rest(step.seconds)
    else:
        return step.function()
    return None
