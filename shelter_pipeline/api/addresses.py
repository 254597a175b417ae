"""The addresses of a list: the one it was asked for, with one thing changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Address:
    """A page and what it was asked for, as links on it lead to others of its kind."""

    path: str
    asked: Mapping[str, Any]

    def with_(self, **changes: Any) -> str:
        """This page with these parameters instead; None leaves one out."""
        told = {name: value for name, value in {**self.asked, **changes}.items() if value not in (None, "")}
        return f"{self.path}?{urlencode(told)}" if told else self.path

    def sorted_by(self, column: str) -> str:
        """This list in another order, from its first page on."""
        return self.with_(sort=column, page=None)
