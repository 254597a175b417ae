"""Everything dies once, at moments that a seed says, while a rescue goes on; `make chaos` does so for ten minutes."""

from __future__ import annotations

import os
import random

import pytest

from shelter_pipeline_tests.support.chaos import judge, kill_at_random, say
from shelter_pipeline_tests.support.fleets import Fleet

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]


def test_after_everything_was_killed_all_is_rescued_and_nothing_hangs(fleet: Fleet) -> None:
    seed = int(os.environ.get("CHAOS_SEED", random.randrange(10**6)))
    web = fleet.web("chaos", files=1200, hosts=40, latency_seconds=0.05, port=8201)
    with fleet.serving(web) as served:
        fleet.plan(web, SHELTER_BATCH_MIN_FILES="120", SHELTER_BATCH_MAX_FILES="120")
        fleet.await_held(web, at_least=20)
        say(f"CHAOS_SEED={seed}")
        kills = kill_at_random(fleet, seed=seed, seconds=40, pause=(1, 6), say=say)
        judgement = judge(fleet, served, seed, kills)

    assert judgement.faults == []
    # What was on its way when somebody died: nothing that was settled is asked for again.
    assert judgement.asked_again <= len(kills) * 120
