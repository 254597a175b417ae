"""A call of one of CKAN's actions: parameters as they came, read as CKAN reads them, and failures in its words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.records import Json
from shelter_pipeline.operations.workplace import Workplace

Parameters = Mapping[str, Json]

_LARGEST = 2**31 - 1


class ActionFailure(ShelterError):  # noqa: N818 - CKAN calls it an error in its own shape
    """An action that fails: the HTTP status, CKAN's `__type`, and a sentence, or the field at fault with it."""

    default_reason = "ckan-action"

    def __init__(self, status: int, kind: str, *, message: str = "", field: str = "") -> None:
        super().__init__(message)
        self.status = status
        said: dict[str, Json] = {field: [message]} if field else {"message": message}
        self.error = {"__type": kind, **said}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an action: the rooms, the URL of this API, and the parameters as they came."""

    workplace: Workplace
    base: str
    parameters: Parameters

    def text(self, name: str, default: str = "") -> str:
        """A parameter as text; CKAN's clients send `null` for what they leave out."""
        value = self.parameters.get(name)
        if value is None:
            return default
        if not isinstance(value, str | int | float):
            raise invalid(name, "Must be a string")
        return _storable(name, str(value))

    def required(self, *names: str) -> str:
        """The first of these parameters that is given."""
        for name in names:
            if found := self.text(name):
                return found
        raise invalid(names[0], "Missing value")

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        """A parameter as a whole number that is not negative; one beyond all sizes counts as the largest."""
        value = self.parameters.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value) if isinstance(value, str | int) and len(str(value)) < 1000 else None  # noqa: PLR2004
        except ValueError:
            number = None
        if number is None:
            raise invalid(name, "Invalid integer")
        if number < least:
            raise invalid(name, "Must be a natural number")
        return min(number, _LARGEST)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A parameter as yes or no, in any of the ways in which CKAN takes one."""
        value = self.parameters.get(name)
        if value is None:
            return default
        return str(value).strip().lower() in ("true", "1", "yes", "y", "t", "on")

    def texts(self, name: str) -> list[str]:
        """A parameter as a list of texts: a list, JSON of one, or one text."""
        value = self.parameters.get(name)
        if isinstance(value, str) and value.lstrip().startswith("["):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise invalid(name, "Could not parse as valid JSON") from None
        if value is None or value == "":
            return []
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            raise invalid(name, "Must be a list of strings")
        return [_storable(name, item) for item in items]


def _storable(name: str, text: str) -> str:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise invalid(name, "Must be Unicode text without NUL")
    return text


def invalid(name: str, problem: str) -> ActionFailure:
    """The failure for a parameter that cannot be used."""
    return ActionFailure(409, "Validation Error", field=name, message=problem)


def not_found(message: str) -> ActionFailure:
    """The failure for what is not there."""
    return ActionFailure(404, "Not Found Error", message=message)


def query_error(message: str) -> ActionFailure:
    """The failure for a search that cannot be made.

    With the status of CKAN's `Search Error`, not 400 as CKAN has it for some: the form of the request is good.
    """
    return ActionFailure(409, "Search Query Error", message=f"Search Query is invalid: {message}")
