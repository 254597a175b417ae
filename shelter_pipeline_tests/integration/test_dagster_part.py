"""A process of Dagster as we start it, in the surroundings that scripts leave it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_DEAF = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_a_script_starts_in_the_background_ends_when_it_is_asked_to(
    tmp_path: Path, how: signal.Signals
) -> None:
    # A shell starts background processes of a script with SIGINT ignored.
    (tmp_path / "a_daemon.py").write_text(
        "import time\n"
        "from dagster._utils.interrupts import setup_interrupt_handlers\n"
        "setup_interrupt_handlers()\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    part = [sys.executable, "-m", "shelter_pipeline.embedded.dagster_part", "a_daemon"]

    with subprocess.Popen(
        [sys.executable, "-c", _DEAF, *part],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(how)
            assert process.wait(20) != 0
        finally:
            process.kill()
