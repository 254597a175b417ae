"""What one node, or one hand with many, tries in order to keep, take or confirm more than its share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shelter_pipeline.catalog.nodes import find_node
from shelter_pipeline.operations.node_reports import read_report, settle_reports
from shelter_pipeline.operations.node_work import (
    Allocation,
    Wishes,
    allocate_work,
    beat,
    housekeep,
    refresh_queue,
    release_work,
)
from shelter_pipeline.operations.nodes import block, sign_off
from shelter_pipeline.operations.overrides import override, set_priorities
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.node_work import let_leases_run_out, node, run, scalar, waiting
from shelter_pipeline_tests.support.volunteers import csv, stored
from shelter_pipeline_tests.support.workplaces import a_workplace

GB = 10**9


@pytest.fixture
def workplace(catalog: object, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(
        catalog_url,
        tmp_path / "store",
        host_connections=2,
        asset_max_attempts=2,
        allowed_networks="",
        node_uploads=False,
        new_node_max_claims=4,
    ) as opened:
        yield opened


def urls(host: str, count: int) -> list[str]:
    return [f"https://{host}.example/{number}.csv" for number in range(count)]


def given(workplace: Workplace, name: str, limit: int = 20) -> list[Allocation]:
    return allocate_work(workplace, node(workplace, name), Wishes(100 * GB, limit=limit))


def reports(workplace: Workplace, name: str, item: Allocation, **said: object) -> str:
    raw = {"asset_id": item.asset_id, "token": item.token} | said
    [outcome] = settle_reports(workplace, node(workplace, name), [read_report(raw)])
    return outcome.outcome


def everything_is_due(workplace: Workplace) -> None:
    run(workplace.catalog, "UPDATE asset SET next_attempt_at = now()")
    refresh_queue(workplace)


def of_network(workplace: Workplace, network: str, *names: str) -> None:
    for name in names:
        node(workplace, name)
        run(
            workplace.catalog,
            "UPDATE node SET network = CAST(:network AS bytea) WHERE name = :name",
            network=network,
            name=name,
        )


def places(workplace: Workplace) -> list[str]:
    with workplace.catalog.begin() as connection:
        return list(
            connection.exec_driver_sql("SELECT holder FROM host_slot ORDER BY host, number").scalars()
        )


def test_heartbeats_alone_keep_no_file_and_no_place_at_a_host_for_ever(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 2))
    first, second = given(workplace, "silent", limit=2)
    tokens = [first.token, second.token]
    run(workplace.catalog, "UPDATE asset SET expected_size = 20000000000 WHERE id = :id", id=second.asset_id)
    run(workplace.catalog, "UPDATE claim SET claimed_at = now() - interval '23 hours'")
    assert beat(workplace, node(workplace, "silent"), tokens, begun=tokens).lost == set()

    run(workplace.catalog, "UPDATE claim SET begun_at = now() - interval '25 hours'")
    found = beat(workplace, node(workplace, "silent"), tokens, begun=tokens)

    assert (found.renewed, found.lost) == ({second.token}, {first.token})  # 20 GB take longer
    run(workplace.catalog, "UPDATE claim SET begun_at = now() - interval '9 days'")
    assert beat(workplace, node(workplace, "silent"), tokens).renewed == set()
    let_leases_run_out(workplace.catalog)
    housekeep(workplace)
    assert places(workplace) == []
    assert len(given(workplace, "busy")) == 2


def test_a_place_at_a_host_is_free_once_what_it_was_for_is_reported(workplace: Workplace) -> None:
    waiting(workplace, [*urls("done", 1), *urls("next", 1)])
    items = given(workplace, "a")
    done = next(item for item in items if item.host == "done.example:443")
    assert len(places(workplace)) == 2

    reports(workplace, "a", done, verdict="transient", reason="server-error")

    assert scalar(workplace.catalog, "SELECT string_agg(host, ',') FROM host_slot") == "next.example:443"


def test_a_place_of_which_nothing_is_fetched_any_more_is_not_renewed(workplace: Workplace) -> None:
    waiting(workplace, [*urls("done", 1), *urls("next", 1)])
    items = given(workplace, "a")
    run(
        workplace.catalog,
        "UPDATE claim SET state = 'released', ended_at = now() WHERE asset_id = (SELECT id FROM asset"
        " WHERE host = 'done.example:443')",
    )
    run(workplace.catalog, "UPDATE host_slot SET lease_until = now() + interval '1 second'")

    beat(workplace, node(workplace, "a"), [item.token for item in items])

    live = "SELECT string_agg(host, ',') FROM host_slot WHERE lease_until > now() + interval '1 minute'"
    assert scalar(workplace.catalog, live) == "next.example:443"


def test_who_only_takes_and_gives_back_gets_nothing_for_a_while_and_others_do(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 8))
    for _ in range(10):
        assert len(given(workplace, "grabber")) == 4
        release_work(workplace, node(workplace, "grabber"))

    assert given(workplace, "grabber") == []
    assert len(given(workplace, "honest")) == 4
    run(workplace.catalog, "UPDATE claim SET ended_at = now() - interval '2 hours' WHERE state = 'released'")
    assert len(given(workplace, "grabber")) == 4


def test_what_a_node_reported_is_for_others_however_good_it_is(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 3))
    told, gone, failed = given(workplace, "a", limit=3)
    assert reports(workplace, "a", told, **stored(csv(1))) == "settled"
    assert reports(workplace, "a", gone, verdict="permanent", reason="not-found") == "settled"
    assert reports(workplace, "a", failed, verdict="transient", reason="server-error") == "settled"

    everything_is_due(workplace)

    assert [item.asset_id for item in given(workplace, "a")] == [failed.asset_id]
    assert {item.asset_id for item in given(workplace, "b")} == {told.asset_id, gone.asset_id}
    release_work(workplace, node(workplace, "b"))
    run(workplace.catalog, "UPDATE capture SET finished_at = finished_at - interval '8 days'")
    assert {item.asset_id for item in given(workplace, "a")} == {told.asset_id, gone.asset_id}


def test_files_that_are_not_for_a_node_do_not_hide_those_behind_them(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 60))
    seen: set[int] = set()
    while items := given(workplace, "a"):
        for item in items:
            reports(workplace, "a", item, verdict="permanent", reason="not-found")
        seen |= {item.asset_id for item in items}
        everything_is_due(workplace)

    assert len(seen) == 60


def test_independent_fetches_are_those_of_several_networks(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 1))
    of_network(workplace, "home", "a", "a2")
    of_network(workplace, "away", "b")
    several = Workplace.of(
        workplace.settings.model_copy(update={"independent_fetches": 2}),
        workplace.catalog,
        workplace.politeness,
        workplace.robots,
    )

    (item,) = given(several, "a")
    assert given(several, "a2") == []
    assert len(given(several, "b")) == 1

    reports(several, "a", item, verdict="transient", reason="server-error")
    everything_is_due(several)
    assert given(several, "a2") == []


def test_many_nodes_of_one_network_that_vanish_give_up_no_file(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 1))
    of_network(workplace, "home", "a", "b", "c")
    of_network(workplace, "away", "d")
    for name in ("a", "b", "c"):
        (item,) = given(workplace, name)
        beat(workplace, node(workplace, name), [item.token], begun=[item.token])
        let_leases_run_out(workplace.catalog)
        housekeep(workplace)
    state = "SELECT state || '/' || attempts FROM asset"
    assert scalar(workplace.catalog, state) == "pending/1"

    (item,) = given(workplace, "d")
    beat(workplace, node(workplace, "d"), [item.token], begun=[item.token])
    let_leases_run_out(workplace.catalog)
    housekeep(workplace)

    assert scalar(workplace.catalog, state) == "dead/2"


def test_a_node_that_is_blocked_or_leaves_between_question_and_answer_keeps_nothing(
    workplace: Workplace,
) -> None:
    waiting(workplace, urls("h", 8))
    known = node(workplace, "a")  # as the request found it: not blocked
    allocate_work(workplace, known, Wishes(100 * GB, limit=2))
    assert block(workplace, "a", why="it lies", who="me") == 2

    assert allocate_work(workplace, known, Wishes(100 * GB)) == []

    other = node(workplace, "b")
    given(workplace, "b")
    sign_off(workplace, other)
    left = find_node(workplace.catalog, "b")
    assert left
    assert left.signed_off_at
    assert scalar(workplace.catalog, "SELECT count(*) FROM claim WHERE state = 'held'") == 0


def test_what_is_set_or_excluded_is_given_or_kept_at_once(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 3))
    *others, last = given(workplace, "a", limit=3)
    release_work(workplace, node(workplace, "a"))
    set_priorities(workplace, [(other.asset_id, 1) for other in others], "me")

    assert [item.asset_id for item in given(workplace, "b", limit=1)] == [last.asset_id]

    release_work(workplace, node(workplace, "b"))
    override(workplace, "exclude", last.url, who="me", why="not ours")
    assert last.asset_id not in {item.asset_id for item in given(workplace, "c")}
