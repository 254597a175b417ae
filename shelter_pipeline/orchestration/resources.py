"""What assets are given: a way to open the workplace. Nothing is read or dialled before it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shelter_pipeline.logs import log_beside_dagster
from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline.settings import Settings, load_settings


class Workplaces:
    """Opens the workplace of the process's settings; tests pass settings of their own."""

    def __init__(self, read_settings: Callable[[], Settings] = load_settings) -> None:
        self._read_settings = read_settings
        self._migrated = False

    @contextmanager
    def open(self) -> Iterator[Workplace]:
        """The workplace; SetupError when something must be set first.

        The schema is brought up to date when a process opens it first, not at every tick.
        """
        settings = self._read_settings()
        log_beside_dagster(settings)
        with open_workplace(settings, migrated=not self._migrated) as workplace:
            self._migrated = True
            yield workplace
