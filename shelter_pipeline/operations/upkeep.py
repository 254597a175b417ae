"""Keep what reads are made quick with up to date: the words of datasets, and counts of the whole catalog.

All of it may be called at any time, by any number of processes: the work takes turns, and
costs next to nothing when there is none.
"""

from __future__ import annotations

from collections.abc import Callable

from shelter_pipeline.catalog.search import index_new_datasets
from shelter_pipeline.catalog.summaries import read_summary, refresh_summaries
from shelter_pipeline.catalog.throughput import refresh_throughput
from shelter_pipeline.operations.workplace import Workplace

_PACE_SECONDS = 10.0
_EMPTY_SECONDS = 5.0
# Of the past, which after an upgrade is a hundred of them: all other counts do not wait for that.
_PORTIONS = 5


def refresh_words(workplace: Workplace, *, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Make the words of datasets that are new; returns how many. Ends early, between two portions, when told to."""
    return index_new_datasets(workplace.catalog, keep_on=keep_on)


def refresh_counts(workplace: Workplace) -> bool:
    """Count anew what pages, `/stats` and `/organizations` show, if that is due; returns whether all of it was.

    What was captured lately costs little to count, and is counted however long ago the rest was; a long past is
    counted over several calls. A catalog that was empty is counted again soon: its first datasets are what somebody
    waits for.
    """
    seconds = workplace.settings.api_statistics_seconds
    counted = read_summary(workplace.catalog, "overview")
    if counted and not counted.body["datasets"]:
        seconds = min(seconds, _EMPTY_SECONDS)
    refresh_throughput(
        workplace.catalog, older_than_seconds=min(seconds, _PACE_SECONDS), most_portions=_PORTIONS
    )
    return refresh_summaries(workplace.catalog, older_than_seconds=seconds)
