"""A bound on the work that hostile input may cause: far above what a linear reader needs, far below a quadratic one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ends_soon(seconds: float = 10) -> Iterator[None]:
    """Fail a block that costs more CPU time than this, however busy the machine is with other things.

    No measurement: a megabyte takes our readers a tenth of a second, and minutes where each
    character is looked at once for every other one.
    """
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds
