"""Which release of Shelter this is, as its own package says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _release() -> str:
    try:
        return version("shelter-pipeline")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "0"


RELEASE: Final = _release()
