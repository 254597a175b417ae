"""A page as a PDF, printed by an installed Chromium that reads nothing but this one page.

What runs or is fetched in it is for the page's own policy to forbid, as that of reports does; and every name resolves
to nothing here, and the profile is a new one in a folder that goes with it. The PDF is
tagged for screen readers, and its numbers of pages come from the page's own style (CSS Paged Media).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from shelter_pipeline.domain.errors import SetupError, TransientError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--metrics-recording-only",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-proxy-server",
    "--no-pdf-header-footer",
    "--export-tagged-pdf",
    "--generate-pdf-document-outline",
)
_HOW = (
    "install Chromium (Debian: apt-get install chromium), name another one by SHELTER_BROWSER, or leave pdf out of"
    " --format and print report.html from any browser"
)
_OURS = ("SHELTER_", "DAGSTER_", "AWS_", "PG")  # passwords and keys may stand there: of no use to a browser
_LAST_WORDS = 300
# Becomes the program that is named, which the kernel ends when the thread ends that started it, however that comes
# about (prctl(2), PR_SET_PDEATHSIG). Between fork and exec of a process with threads nothing of ours may run.
_WITH_US = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("who asked for this is gone")
try:
    os.execv(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]} cannot be started: {error.strerror}")
"""
_NOISE = "dbus"  # which a machine without a desktop has none of


def find_browser(wanted: str) -> str | None:
    """The path of the browser that is wanted by name or path, or of an installed one where `wanted` is empty."""
    names = (wanted,) if wanted else _NAMES
    return next((path for name in names if (path := shutil.which(name))), None)


def needed_browser(wanted: str) -> str:
    """The same. SetupError, saying how to get one, if there is none."""
    found = find_browser(wanted)
    if found is None:
        missing = (
            f"SHELTER_BROWSER names {wanted!r}, which is no program here"
            if wanted
            else "no browser was found"
        )
        raise SetupError(f"a PDF is printed by a browser, and {missing}: {_HOW}")
    return found


def print_pdf(browser: str, page: Path, pdf: Path, *, seconds: float) -> None:
    """Print a page of this machine, whole or not at all.

    Raises SetupError if the browser cannot do it, TransientError `deadline` if it takes longer than that.
    """
    with tempfile.TemporaryDirectory(prefix="shelter-print-", ignore_cleanup_errors=True) as scratch:
        printed = Path(scratch) / "report.pdf"
        said = _run(
            [
                browser,
                *_ARGUMENTS,
                # A sandbox of its own needs an account that is not root; the page holds nothing that runs.
                *(("--no-sandbox",) if os.geteuid() == 0 else ()),
                f"--user-data-dir={scratch}/profile",
                f"--print-to-pdf={printed}",
                page.absolute().as_uri(),
            ],
            seconds=seconds,
            home=scratch,
        )
        if not _is_whole(printed):
            raise SetupError(f"{browser} printed no PDF: {said or 'it said nothing'}; {_HOW}")
        shutil.copyfile(printed, pdf)


def _run(command: list[str], *, seconds: float, home: str) -> str:
    """What it said last. It and all it started have ended by then, or on an error.

    On Linux it also ends when we are killed, and its helpers with it, as they do without their browser; elsewhere
    it then ends by itself when it has printed.
    """
    try:
        process = subprocess.Popen(
            [*_bound_to_us(), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=_without_secrets(os.environ) | {"HOME": home, "XDG_RUNTIME_DIR": home},
        )
    except OSError as error:
        raise SetupError(f"{command[0]} cannot be started: {error.strerror or error}; {_HOW}") from error
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise TransientError(
            f"{command[0]} did not print the report within {seconds:g} seconds;"
            " SHELTER_REPORT_PRINT_SECONDS gives it more, and html needs no printing",
            reason="deadline",
        ) from error
    finally:
        _end(process)
    lines = [line for line in said.decode(errors="replace").splitlines() if _NOISE not in line]
    return " ".join(lines).strip()[-_LAST_WORDS:]


def _bound_to_us() -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", _WITH_US, str(os.getpid())) if sys.platform == "linux" else ()


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(_OURS)}


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _is_whole(pdf: Path) -> bool:
    """Whether a PDF stands there with its end (ISO 32000-2, 7.5.5)."""
    try:
        data = pdf.read_bytes()
    except FileNotFoundError:
        return False
    return data.startswith(b"%PDF-") and b"%%EOF" in data[-1024:]
