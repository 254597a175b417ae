"""`python -m shelter_pipeline.embedded.dagster_part MODULE …`: a module of Dagster, what it logs astray in our form."""

from __future__ import annotations

import runpy
import signal
import sys

from shelter_pipeline.logs import log_strays
from shelter_pipeline.settings import load_settings


def main() -> None:
    """Become the module that is named, with the words behind it."""
    # A script's background processes are started with SIGINT ignored, and Dagster gives SIGTERM what SIGINT has.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log_strays(load_settings())
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
