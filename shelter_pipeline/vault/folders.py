"""Folders that outlive a power cut: each is made once and its entry in the one above is synced."""

from __future__ import annotations

import os
from pathlib import Path

from shelter_pipeline.vault.durability import sync_folder


class DurableFolders:
    """Makes folders below a root, which is there already.

    One that is there was perhaps made a moment ago by a writer that has not synced it yet,
    so each process syncs each folder once itself.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._durable: set[str] = set()

    def make(self, folder: Path) -> None:
        """Make a folder, and make its entry in each folder above durable. Raises OSError."""
        if folder == self._root or (str(folder) in self._durable and folder.is_dir()):
            return
        self.make(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
        self._durable.add(str(folder))

    def make_for_now(self, folder: str) -> None:
        """Make a folder whose durability a sync of the whole file system is to follow. Raises OSError."""
        if folder not in self._durable:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - for every small file

    def note_synced(self, folders: set[str]) -> None:
        """These have become durable by a sync of the whole file system."""
        self._durable |= folders
