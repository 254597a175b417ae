"""`shelter` as a process of its own, and how much memory it took at its highest.

Run as a program, this module is `shelter` with one line more at its end: the process's
VmHWM in KiB, on standard error, where no output of the command can be mistaken for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shelter_pipeline_tests.support.fetching import SHORT_SETTINGS

_MARK = "VmHWM of the process:"


@dataclass(frozen=True, slots=True)
class Run:
    """How a process ended."""

    code: int
    output: bytes
    errors: str
    peak_bytes: int

    @property
    def said(self) -> dict[str, Any]:
        """The JSON that the command printed."""
        result: dict[str, Any] = json.loads(self.output)
        return result


def environment(**changes: Any) -> dict[str, str]:
    """The environment of a `shelter` with short limits; settings by their names in lower case."""
    settings = {f"SHELTER_{name.upper()}": str(value) for name, value in (SHORT_SETTINGS | changes).items()}
    return {**os.environ, **settings}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "shelter_pipeline_tests.support.shelter_process", *arguments]


def shelter(
    *arguments: str, extra: Mapping[str, str] | None = None, seconds: float = 60, **settings: Any
) -> Run:
    """Run `shelter` with these arguments to its end; `extra` are further variables of its environment."""
    ended = subprocess.run(
        command(*arguments),
        env=environment(**settings) | dict(extra or {}),
        capture_output=True,
        timeout=seconds,
        check=False,
    )
    errors, _, peak = ended.stderr.decode().rpartition(_MARK)
    return Run(ended.returncode, ended.stdout, errors, int(peak or 0) * 1024)


def measured_fetch(url: str, store: Path, **settings: Any) -> Run:
    """`shelter fetch URL --json` into `store`."""
    return shelter("fetch", url, "--store", str(store), "--json", **settings)


def _main() -> None:
    from shelter_pipeline.cli import main

    try:
        main()
    finally:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        sys.stderr.write(f"{_MARK} {peak}\n")


if __name__ == "__main__":
    _main()
