"""The collector is as it was once the last engine has ended."""

from __future__ import annotations

import gc

from shelter_pipeline.fetching.collecting import rarer_collections


def test_the_last_of_several_blocks_puts_the_collector_back() -> None:
    before = gc.get_threshold()
    first, second = rarer_collections(), rarer_collections()

    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    during = gc.get_threshold()
    second.__exit__(None, None, None)

    assert during[0] >= 50_000
    assert during[1:] == before[1:]
    assert gc.get_threshold() == before
