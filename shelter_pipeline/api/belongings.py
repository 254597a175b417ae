"""What belongs to an application and is made when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar, cast

from fastapi import FastAPI

Made = TypeVar("Made")
# One thing may need another.
_making = threading.RLock()


def belonging(app: FastAPI, name: str, make: Callable[[], Made]) -> Made:
    """The application's thing of this name, made by whoever asks first and the same for all others."""
    with _making:
        if not hasattr(app.state, name):
            setattr(app.state, name, make())
        return cast("Made", getattr(app.state, name))
