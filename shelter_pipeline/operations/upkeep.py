"""Keep what reads are made quick with up to date: the words of datasets, and counts of the whole catalog.

All of it may be called at any time, by any number of processes: the work takes turns, and
costs next to nothing when there is none.
"""

from __future__ import annotations

from collections.abc import Callable

from shelter_pipeline.catalog.search import index_new_datasets
from shelter_pipeline.catalog.summaries import refresh_summaries
from shelter_pipeline.operations.workplace import Workplace


def refresh_words(workplace: Workplace, *, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Make the words of datasets that are new; returns how many. Ends early, between two portions, when told to."""
    return index_new_datasets(workplace.catalog, keep_on=keep_on)


def refresh_counts(workplace: Workplace) -> bool:
    """Count anew what `/stats` and `/organizations` show, if that is due; returns whether it was."""
    seconds = workplace.settings.api_statistics_seconds
    return refresh_summaries(workplace.catalog, older_than_seconds=seconds)
