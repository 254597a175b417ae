"""Work for nodes: who is given what, how much, for how long, and what becomes of it when they fall silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shelter_pipeline.catalog.batches import (
    begin_batch,
    close_batch,
    find_batch,
    plannable_assets,
    write_batches,
)
from shelter_pipeline.catalog.claims import claim_batch
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.host_ledger import HostLedger
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.dispatch.planning import BatchLimits, plan_batches
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.host_sharing import SlotWish
from shelter_pipeline.domain.host_sharing import Wishes as HostWishes
from shelter_pipeline.operations.dead_letters import dead_letters_table, revive_dead_letters
from shelter_pipeline.operations.node_work import (
    Allocation,
    Wishes,
    allocate_work,
    beat,
    housekeep,
    refresh_queue,
    release_work,
)
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.node_work import (
    hold,
    let_leases_run_out,
    node,
    report,
    run,
    scalar,
    waiting,
)
from shelter_pipeline_tests.support.workplaces import a_workplace

GB = 10**9


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(
        catalog_url, tmp_path / "store", host_connections=2, asset_max_attempts=3, allowed_networks=""
    ) as opened:
        yield opened


def urls(host: str, count: int) -> list[str]:
    return [f"https://{host}.example/{number}.csv" for number in range(count)]


def given(workplace: Workplace, name: str, limit: int = 20, **wishes: object) -> list[Allocation]:
    return allocate_work(workplace, node(workplace, name), Wishes(100 * GB, limit=limit, **wishes))  # type: ignore[arg-type]


def with_settings(workplace: Workplace, **changes: object) -> Workplace:
    return Workplace.of(
        workplace.settings.model_copy(update=changes),
        workplace.catalog,
        workplace.politeness,
        workplace.robots,
    )


def places(workplace: Workplace, host: str) -> list[str]:
    with workplace.catalog.begin() as connection:
        return list(
            connection.exec_driver_sql(
                "SELECT holder FROM host_slot WHERE host = %s ORDER BY number", (f"{host}.example:443",)
            ).scalars()
        )


def test_nodes_at_once_get_each_file_once_and_together_all(workplace: Workplace) -> None:
    waiting(workplace, [url for number in range(30) for url in urls(f"h{number}", 10)])
    free = with_settings(workplace, new_node_max_claims=300)

    def take(number: int) -> list[int]:
        taken: list[int] = []
        while more := given(free, f"n{number}", limit=7):
            taken += [one.asset_id for one in more]
        return taken

    with ThreadPoolExecutor(16) as pool:
        taken = [asset for assets in pool.map(take, range(16)) for asset in assets]
    # Who was told that there was nothing had no place at the hosts that were left.
    taken += [asset for number in range(16) for asset in take(number)]

    assert len(taken) == len(set(taken)) == 300
    assert (
        scalar(workplace.catalog, "SELECT max(n) FROM (SELECT count(*) n FROM host_slot GROUP BY host) s")
        <= 2
    )


def test_an_item_says_how_the_host_is_to_be_asked(workplace: Workplace) -> None:
    waiting(workplace, urls("slow", 3))
    run(workplace.catalog, "UPDATE host SET delay_seconds = 4")

    (item, *_) = given(workplace, "a")

    assert (item.purpose, item.connections, item.delay_seconds) == ("fetch", 1, 8.0)  # two may hold the host
    assert (item.name, item.host) == (item.url.rpartition("/")[2], "slow.example:443")
    assert (item.organization, item.dataset_title, item.sha256) == ("epa-gov", "Air quality", None)
    assert (item.size_bytes, item.estimated_bytes) == (None, 10 * 1024**2)


def test_a_host_has_only_as_many_nodes_and_runs_as_it_bears(workplace: Workplace) -> None:
    waiting(workplace, urls("busy", 60))
    ledger = HostLedger(workplace.catalog, holder="run")
    ledger.settle(HostWishes(slots=[SlotWish("busy.example:443", 1, 2, starving=True)]))

    first, second = given(workplace, "a", limit=2), given(workplace, "b")

    assert (len(first), second) == (2, [])
    assert len(given(workplace, "a", limit=2)) == 2  # its own place serves for more
    assert places(workplace, "busy") == ["run", "node:a"]
    release_work(workplace, node(workplace, "a"), asset_ids=[first[0].asset_id])
    assert given(workplace, "b") == []
    release_work(workplace, node(workplace, "a"))
    assert len(given(workplace, "b")) == 20
    assert places(workplace, "busy") == ["run", "node:b"]


def test_hosts_that_rest_are_handed_out_to_nobody(workplace: Workplace) -> None:
    waiting(workplace, [*urls("tired", 5), *urls("well", 5)])
    rest = "UPDATE host SET rest_until = now() + interval '1 hour' WHERE name = 'tired.example:443'"

    run(workplace.catalog, rest)

    assert {one.host for one in given(workplace, "a")} == {"well.example:443"}


def test_what_robots_txt_forbids_is_not_handed_out(workplace: Workplace) -> None:
    waiting(workplace, [*urls("ruled", 3), "https://ruled.example/private/x.csv", *urls("failing", 2)])
    know = "INSERT INTO host_robots (origin, host, state, body, reason, failing_since, fresh_until) VALUES "
    run(
        workplace.catalog,
        know
        + "('https://ruled.example:443', 'ruled.example:443', 'rules', E'User-agent: *\\nDisallow: /private/',"
        " NULL, NULL, now() + interval '1 day'), ('https://ruled.example', 'ruled.example:443', 'rules',"
        " E'User-agent: *\\nDisallow: /private/', NULL, NULL, now() + interval '1 day'),"
        " ('https://failing.example', 'failing.example:443', 'failing', NULL, 'server-error', now(),"
        " now() + interval '1 hour')",
    )

    found = sorted(one.url for one in given(workplace, "a"))

    assert found == urls("ruled", 3)


def test_files_fit_the_space_one_by_one_and_together(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 6))
    run(workplace.catalog, "UPDATE asset SET expected_size = 4000 * id")
    refresh_queue(workplace)
    a = node(workplace, "a")

    assert allocate_work(workplace, a, Wishes(3999)) == []
    assert allocate_work(workplace, a, Wishes(0)) == []
    assert [one.size_bytes for one in allocate_work(workplace, a, Wishes(7000))] == [4000]
    more = allocate_work(workplace, a, Wishes(10**9, bandwidth_mbps=0.08, uptime_hours=1 / 1800))
    assert sum(one.estimated_bytes for one in more) <= 20_000
    assert more


def test_what_is_wanted_most_comes_first_and_organizations_take_turns(workplace: Workplace) -> None:
    waiting(
        workplace, [url for number in range(20) for url in urls(f"big{number}", 10)], organization="big-gov"
    )
    waiting(workplace, [*urls("small", 30)], organization="small-gov")
    run(workplace.catalog, "UPDATE priority SET level = 5, score = 0.5")
    run(
        workplace.catalog,
        "UPDATE priority SET level = 9 WHERE asset_id = (SELECT id FROM asset WHERE url LIKE '%small%/7.csv')",
    )
    refresh_queue(workplace)
    a = node(workplace, "a")
    run(workplace.catalog, "UPDATE node SET trust = 1")

    (first,) = allocate_work(workplace, a, Wishes(100 * GB, limit=1))
    shares = Counter(
        str(one.organization)
        for _ in range(40)
        for one in allocate_work(workplace, a, Wishes(100 * GB, limit=1))
    )

    assert first.url == "https://small.example/7.csv"
    assert min(shares.values()) >= 15  # one host beside twenty, and as many files


def test_a_node_has_a_cap_and_a_new_one_a_smaller_one(workplace: Workplace) -> None:
    waiting(workplace, [url for number in range(4) for url in urls(f"h{number}", 20)])
    small = with_settings(workplace, new_node_max_claims=3, node_max_claims=5)

    with ThreadPoolExecutor(4) as pool:  # asked at once, too
        new = sum(len(taken) for taken in pool.map(lambda _: given(small, "new"), range(4)))
    run(workplace.catalog, "UPDATE node SET trust = 0.5")
    trusted = new + len(given(small, "new"))
    run(workplace.catalog, "UPDATE node SET max_claims = 9")
    by_word = trusted + len(given(small, "new"))

    assert (new, trusted, by_word) == (3, 5, 9)
    run(workplace.catalog, "UPDATE node SET blocked = true, blocked_why = 'lies'")
    assert given(small, "new") == []


def test_another_nodes_claim_is_neither_renewed_nor_settled_nor_given_back(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 2))
    a, b = node(workplace, "a"), node(workplace, "b")
    (item,) = given(workplace, "a", limit=1)

    assert beat(workplace, b, [item.token, 10**9]).lost == {item.token, 10**9}
    assert release_work(workplace, b, asset_ids=[item.asset_id], token=item.token) == 0
    assert not report(workplace, b, item.asset_id, item.token, "not-found")

    assert beat(workplace, a, [item.token]).renewed == {item.token}
    assert scalar(workplace.catalog, "SELECT state FROM asset WHERE id = :id", id=item.asset_id) == "pending"
    assert report(workplace, a, item.asset_id, item.token, "not-found")


def test_a_late_report_is_evidence_and_changes_nothing(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 1))
    a, b = node(workplace, "a"), node(workplace, "b")
    (late,) = given(workplace, "a")
    let_leases_run_out(workplace.catalog)
    kept = housekeep(workplace)
    (owner,) = given(workplace, "b")

    assert (kept["expired_claims"], kept["freed_places"]) == (1, 1)
    assert not report(workplace, a, late.asset_id, late.token, "not-found")
    assert report(workplace, b, owner.asset_id, owner.token, "server-error")
    captures = "SELECT array_agg(late ORDER BY token) FROM capture WHERE node_id IS NOT NULL"
    assert scalar(workplace.catalog, captures) == [True, False]
    assert owner.token > late.token


def test_a_released_file_is_there_for_others_at_once(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 1))
    (item,) = given(workplace, "a")
    assert given(workplace, "b") == []

    assert release_work(workplace, node(workplace, "a"), asset_ids=[item.asset_id], token=item.token + 1) == 0
    assert release_work(workplace, node(workplace, "a"), asset_ids=[item.asset_id], token=item.token) == 1

    assert [one.asset_id for one in given(workplace, "b")] == [item.asset_id]


def test_nodes_that_vanish_give_up_no_file_they_had_not_begun_and_each_counts_once(
    workplace: Workplace,
) -> None:
    waiting(workplace, urls("h", 1))

    def vanish(name: str, *, begun: bool) -> tuple[int, str]:
        (item,) = given(workplace, name)
        if begun:
            beat(workplace, node(workplace, name), [item.token], [item.token])
        let_leases_run_out(workplace.catalog)
        housekeep(workplace)
        with workplace.catalog.begin() as connection:
            row = connection.exec_driver_sql("SELECT attempts, state FROM asset").one()
        return row.attempts, row.state

    assert [vanish("a", begun=False) for _ in range(3)] == [(0, "pending")] * 3
    assert [vanish("a", begun=True) for _ in range(3)] == [(1, "pending")] * 3
    assert [vanish(name, begun=True) for name in ("b", "c")] == [(2, "pending"), (3, "dead")]
    assert given(workplace, "d") == []


def test_a_dead_letter_is_shown_with_who_held_it_and_comes_back_on_a_persons_word(
    workplace: Workplace,
) -> None:
    waiting(workplace, urls("h", 2))
    for name in ("a", "b", "c"):
        (item,) = given(workplace, name, limit=1)
        beat(workplace, node(workplace, name), [item.token], [item.token])
        let_leases_run_out(workplace.catalog)
        housekeep(workplace)
    (dead,) = dead_letters_table(workplace, limit=10)

    assert (dead["url"], dead["attempts"], dead["holders"]) == (item.url, 3, ["node:a", "node:b", "node:c"])
    with pytest.raises(SetupError, match="--why"):
        revive_dead_letters(workplace, [item.url], everything=False, who="me", why=" ")
    with pytest.raises(SetupError, match="or say --all"):
        revive_dead_letters(workplace, [], everything=False, who="me", why="fixed")
    other = next(url for url in urls("h", 2) if url != item.url)
    said = revive_dead_letters(workplace, [item.url, other], everything=False, who="me", why="fixed")
    assert said == {"revived": 1, "not_dead": 1}
    assert item.asset_id in {one.asset_id for one in given(workplace, "d")}
    assert scalar(workplace.catalog, "SELECT who || why || attempts FROM revival") == "mefixed3"


def planned(workplace: Workplace) -> str:
    identity = organization_id(workplace.catalog, "epa-gov")
    plan = plan_batches(plannable_assets(workplace.catalog, identity), BatchLimits(500, 10**12, 1))
    (key,) = write_batches(workplace.catalog, identity, "epa-gov", plan, urgent=False)
    return key


def test_what_a_node_takes_leaves_the_batch_it_was_planned_in(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 10))
    key = planned(workplace)

    taken = given(workplace, "a", limit=4)

    batch = find_batch(workplace.catalog, key)
    assert (len(taken), batch.files) == (4, 6)
    assert plannable_assets(workplace.catalog, organization_id(workplace.catalog, "epa-gov")) == []
    assert len(claim_batch(workplace.catalog, batch.id, holder="run", limit=99, lease_seconds=60)) == 6


def test_a_running_batch_keeps_its_files_from_nodes_and_gives_back_what_it_leaves(
    workplace: Workplace,
) -> None:
    waiting(workplace, urls("h", 5))
    batch = find_batch(workplace.catalog, planned(workplace))
    begin_batch(workplace.catalog, batch.id, "run")

    assert given(workplace, "a") == []

    close_batch(workplace.catalog, batch.id, manifest=None, max_attempts=5)
    refresh_queue(workplace)
    assert len(given(workplace, "a")) == 5


def test_as_many_nodes_as_are_wanted_fetch_one_file_and_none_of_them_twice(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 1))
    three = with_settings(workplace, independent_fetches=3, host_connections=9)

    (a,), (b,) = given(three, "a"), given(three, "b")
    assert given(three, "a") == []
    (c,) = given(three, "c")

    assert given(three, "d") == []
    slots = "SELECT array_agg(slot ORDER BY token) FROM claim"
    assert scalar(workplace.catalog, slots) == [1, 2, 3]
    assert len({a.token, b.token, c.token}) == 3
    report(three, node(three, "a"), a.asset_id, a.token, "server-error")
    run(workplace.catalog, "UPDATE asset SET next_attempt_at = now()")
    refresh_queue(three)
    assert given(three, "a") == []  # it has said already what it found
    assert len(given(three, "d")) == 1


def test_copies_are_handed_out_until_enough_are_there_and_never_to_who_has_one(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 2))
    hold(workplace, urls("h", 1))
    housekeep(workplace)

    items = given(workplace, "a")

    assert [one.purpose for one in items] == ["fetch", "copy"]  # what nobody has comes first
    copy = items[1]
    assert copy.sha256 == f"{copy.asset_id:064x}"
    assert (copy.size_bytes, copy.delay_seconds) == (5, 0.0)
    assert given(workplace, "a", purposes=("copy",)) == []
    assert [one.asset_id for one in given(workplace, "b", purposes=("copy",))] == [copy.asset_id]
    assert given(workplace, "c", purposes=("copy",)) == []  # one of ours and two on their way are three
    a = node(workplace, "a")
    assert report(workplace, a, copy.asset_id, copy.token, "stored")
    state = "SELECT state || '/' || attempts FROM asset WHERE id = :id"
    assert scalar(workplace.catalog, state, id=copy.asset_id) == "held/0"
    release_work(workplace, node(workplace, "b"))
    assert given(workplace, "a", purposes=("copy",)) == []
    assert len(given(workplace, "c", purposes=("copy",))) == 1


def test_what_lies_before_the_place_a_node_begins_at_is_looked_at_too(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(workplace, urls("h", 2))
    hold(workplace, urls("h", 1))
    housekeep(workplace)
    monkeypatch.setattr("shelter_pipeline.catalog.allocations.random.randint", lambda lowest, _: lowest)

    assert [one.purpose for one in given(workplace, "a")] == ["fetch", "copy"]


def test_a_copy_under_way_keeps_no_run_from_looking_at_the_source_again(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 1))
    key = planned(workplace)
    hold(workplace, urls("h", 1))
    housekeep(workplace)
    assert len(given(workplace, "a", purposes=("copy",))) == 1
    run(workplace.catalog, "UPDATE asset SET next_attempt_at = now()")
    batch = find_batch(workplace.catalog, key)

    claims = claim_batch(workplace.catalog, batch.id, holder="next-run", limit=9, lease_seconds=60)

    assert len(claims) == 1


def test_a_rest_that_is_over_brings_a_file_back_without_a_rebuild(workplace: Workplace) -> None:
    waiting(workplace, urls("h", 1))
    a = node(workplace, "a")
    (item,) = given(workplace, "a")
    report(workplace, a, item.asset_id, item.token, "server-error")
    housekeep(workplace)
    assert given(workplace, "a") == []

    run(workplace.catalog, "UPDATE asset SET next_attempt_at = now()")
    housekeep(workplace)

    assert len(given(workplace, "a")) == 1
    attempts = scalar(workplace.catalog, "SELECT attempts FROM asset")
    assert attempts == 0  # one node's word is none of ours
