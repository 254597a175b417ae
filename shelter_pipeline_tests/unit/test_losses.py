"""When something counts as lost: the words, the rules, the breakers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.catalog.tables_catalogue import loss
from shelter_pipeline.domain.follow_up import OUR_TROUBLES
from shelter_pipeline.domain.losses import (
    ANNOUNCED,
    DEAD,
    KINDS,
    LASTING,
    REPLACED,
    STATES,
    LossRules,
    OrganizationDrop,
    tripped_breakers,
)
from shelter_pipeline.domain.verdicts import REASONS, Verdict

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "losses.md"


def a_drop(key: str, *, listed: int, missing: int) -> OrganizationDrop:
    return OrganizationDrop(id=hash(key), key=key, listed=listed, missing=missing)


def test_a_few_missing_datasets_trip_nothing() -> None:
    breakers = tripped_breakers([a_drop("epa-gov", listed=1000, missing=100)], 0.1)

    assert not breakers.portal
    assert breakers.names == ()


def test_an_organization_that_loses_many_trips_its_own_breaker_and_not_the_portals() -> None:
    drops = [a_drop("noaa-gov", listed=10_000, missing=3), a_drop("epa-gov", listed=100, missing=50)]

    breakers = tripped_breakers(drops, 0.1)

    assert breakers.names == ("epa-gov",)


def test_a_little_of_every_organization_trips_the_breaker_of_the_portal() -> None:
    drops = [a_drop(f"org-{number:02}", listed=50, missing=9) for number in range(30)]

    breakers = tripped_breakers(drops, 0.1)

    assert breakers.names == ("portal",)


@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.floats(0, 1)), max_size=20),
    st.floats(0.01, 1),
)
def test_no_breaker_trips_where_nothing_is_missing(sizes: list[tuple[int, float]], fraction: float) -> None:
    drops = [
        a_drop(f"org-{number}", listed=listed, missing=int(share * listed) * (number % 2))
        for number, (listed, share) in enumerate(sizes)
    ]

    tripped = tripped_breakers(drops, fraction).organizations

    assert all(drop.missing > 0 for drop in tripped)


def test_looks_at_a_link_are_spread_so_that_enough_fit_into_the_time() -> None:
    rules = LossRules(breaker_fraction=0.1, confirm_harvests=3, confirm_days=14)

    assert timedelta(days=13) < rules.look_after * rules.confirm_harvests <= timedelta(days=14)
    assert rules.looks_apart < rules.look_after


def test_a_server_is_not_asked_again_at_once_however_short_the_time_is() -> None:
    rules = LossRules(breaker_fraction=0.1, confirm_harvests=3, confirm_days=0)

    assert rules.look_after == timedelta(hours=1)


@pytest.mark.parametrize("reason", sorted({**DEAD, **REPLACED}))
def test_a_reason_that_speaks_of_a_loss_is_one_that_a_capture_can_end_for(reason: str) -> None:
    assert REASONS[reason].verdict in (Verdict.PERMANENT, Verdict.TRANSIENT, Verdict.SUSPECT)


@pytest.mark.parametrize(
    "reason", [*OUR_TROUBLES, "rate-limited", "forbidden", "robots", "stored", "too-slow"]
)
def test_what_says_nothing_about_the_file_is_no_sign_of_its_loss(reason: str) -> None:
    assert reason not in {**DEAD, **REPLACED}


def test_transient_trouble_is_a_sign_of_loss_only_if_it_lasts() -> None:
    transient = {reason for reason in {**DEAD, **REPLACED} if REASONS[reason].verdict is Verdict.TRANSIENT}

    assert transient == LASTING


@pytest.mark.parametrize(("column", "words"), [("state", STATES), ("kind", KINDS)])
def test_the_catalog_knows_the_words_for_losses(column: str, words: dict[str, str]) -> None:
    check = next(item for item in loss.constraints if str(item.name).endswith(f"{column}_known"))

    text = str(check.sqltext)  # type: ignore[attr-defined]

    assert {word for word in words if f"'{word}'" in text} == set(words)
    assert text.count("'") == 2 * len(words)


@pytest.mark.parametrize("word", [*STATES, *KINDS])
def test_the_how_to_explains_each_word(word: str) -> None:
    assert f"| `{word}` |" in HOW_TO.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*DEAD, *REPLACED])
def test_the_how_to_names_each_sign_of_a_dead_link(word: str) -> None:
    assert f"`{word}`" in HOW_TO.read_text(encoding="utf-8")


def test_what_is_withheld_is_not_announced() -> None:
    assert set(ANNOUNCED) < set(STATES)
    assert "withheld" not in ANNOUNCED
