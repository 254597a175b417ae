"""The table of reasons: complete, without contradictions, and never in a hurry."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.verdicts import (
    REASONS,
    Next,
    Reason,
    Verdict,
    holds_file,
    retry_delay,
    verdict_of,
)

slugs = st.sampled_from(sorted(REASONS))
HELD = {Verdict.STORED, Verdict.UNCHANGED}


@pytest.mark.parametrize("reason", REASONS.values(), ids=lambda reason: reason.slug)
def test_each_reason_says_what_it_means_in_a_sentence(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]*", reason.slug)
    assert re.fullmatch(r"[A-Z].*\.", reason.sentence)


def test_no_two_reasons_say_the_same() -> None:
    assert len({reason.sentence for reason in REASONS.values()}) == len(REASONS)


def test_every_verdict_has_a_reason() -> None:
    assert {reason.verdict for reason in REASONS.values()} == set(Verdict)


@pytest.mark.parametrize("reason", REASONS.values(), ids=lambda reason: reason.slug)
def test_what_follows_fits_the_verdict(reason: Reason) -> None:
    may_follow = {
        Verdict.STORED: {Next.KEEP},
        Verdict.UNCHANGED: {Next.KEEP},
        Verdict.TRANSIENT: {Next.RETRY},
        Verdict.PERMANENT: {Next.REVISIT, Next.STOP},
        Verdict.REFUSED: {Next.REVISIT, Next.STOP},
        Verdict.DAMAGED: {Next.RETRY, Next.REVIEW},
        Verdict.SUSPECT: {Next.REVIEW},
    }

    assert reason.next in may_follow[reason.verdict]


@pytest.mark.parametrize("reason", REASONS.values(), ids=lambda reason: reason.slug)
def test_only_what_we_stopped_ourselves_is_asked_for_again_at_once(reason: Reason) -> None:
    if reason.next in (Next.RETRY, Next.REVISIT, Next.KEEP) and reason.slug != "interrupted":
        assert reason.rest >= timedelta(minutes=1)


def test_a_reason_leads_to_its_verdict_and_an_unknown_one_to_none() -> None:
    assert verdict_of("html-instead") is Verdict.SUSPECT
    with pytest.raises(KeyError):
        verdict_of("no-such-reason")


@pytest.mark.parametrize("verdict", Verdict)
def test_only_stored_and_unchanged_bytes_count_as_held(verdict: Verdict) -> None:
    assert holds_file(verdict) == (verdict in HELD)


def test_the_rest_doubles_with_each_failure() -> None:
    assert [retry_delay("server-error", failures) for failures in (1, 2, 3, 4)] == [
        timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)
    ]


@given(slug=slugs, attempts=st.integers(-5, 10**6))
def test_the_rest_never_shrinks_and_never_exceeds_its_limit(slug: str, attempts: int) -> None:
    rest = retry_delay(slug, attempts)

    assert rest <= retry_delay(slug, attempts + 1)
    if REASONS[slug].next is Next.RETRY:
        assert rest <= timedelta(hours=24)
    else:
        assert rest == REASONS[slug].rest
