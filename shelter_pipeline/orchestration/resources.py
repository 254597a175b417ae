"""What assets are given: a way to open the workplace. Nothing is read or dialled before it is used."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline.settings import Settings, load_settings


class Workplaces:
    """Opens the workplace of the process's settings; tests pass settings of their own."""

    def __init__(self, read_settings: Callable[[], Settings] = load_settings) -> None:
        self._read_settings = read_settings

    def open(self) -> AbstractContextManager[Workplace]:
        """The workplace, as a context manager; SetupError when something must be set first."""
        return open_workplace(self._read_settings())
