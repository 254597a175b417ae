"""Versions of the node's program, compared as PEP 440 orders them."""

from __future__ import annotations

import re
from typing import Final

from packaging.version import Version

LONGEST: Final = 64  # characters
# The canonical forms of PEP 440 but epochs, in the words that Python and JSON Schema share.
VERSION_FORM: Final = (
    r"^[0-9]{1,6}(\.[0-9]{1,6}){0,4}((a|b|rc)[0-9]{1,6})?(\.post[0-9]{1,6})?(\.dev[0-9]{1,6})?"
    r"(\+[a-z0-9]+(\.[a-z0-9]+)*)?$"
)
_FORM = re.compile(VERSION_FORM.removesuffix("$"))


def is_version(text: str) -> bool:
    """Whether this is a version that can be compared."""
    return len(text) <= LONGEST and _FORM.fullmatch(text) is not None


def is_older(version: str, than: str) -> bool:
    """Whether `version` came out before the other. ValueError for what is no version."""
    return Version(version) < Version(than)
