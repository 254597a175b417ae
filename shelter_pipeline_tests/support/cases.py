"""Tables of cases as pytest's parameters, with the ones that are known not to hold yet marked as such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest


def cases(names: Iterable[str], *, not_yet: Mapping[str, str] | None = None) -> list[Any]:
    """Each name as a parameter of that id; those of `not_yet` must fail, for the reason given."""
    waiting = not_yet or {}
    return [
        pytest.param(
            name,
            id=name,
            marks=[pytest.mark.xfail(strict=True, reason=waiting[name])] if name in waiting else [],
        )
        for name in names
    ]
