"""Who decides, where a decision is kept with a name."""

from __future__ import annotations

import getpass
import os


def account() -> str:
    """The account that runs this, as far as the system knows: containers run under users that have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
