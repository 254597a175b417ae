"""Runs a stack over the tiny definitions as `shelter up` would, for tests that kill it."""

from __future__ import annotations

import sys

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.stack import ALL_PARTS, Stack
from shelter_pipeline.settings import load_settings

TINY = "shelter_pipeline_tests.support.tiny_definitions"


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - its output is what the tests read


def main() -> int:
    try:
        with Stack(load_settings(), ALL_PARTS, module=TINY) as stack:
            stack.start(say)
            say(f"switched on: {' '.join(sorted(stack.switch_on_automation()))}")
            say("up")
            stack.wait()
    except KeyboardInterrupt:  # between two calls of the stack, which has stopped by now
        pass
    except SetupError as error:
        say(f"error: {error}")
        return 2
    say("down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
