"""What holds for a host whoever asks it: real processes, one real database, and the host's own log as the witness."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shelter_pipeline.catalog import tables_rescue as tables
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.host_ledger import HostLedger
from shelter_pipeline.domain.host_sharing import Grants, Slot, SlotWish, SpanWish, Wishes
from shelter_pipeline.domain.politeness import Observation
from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.fetching import host_sharing, host_state
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.fetching.politeness import Politeness, Turn
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site, open_door
from shelter_pipeline_tests.support.ports import free_ports
from shelter_pipeline_tests.support.request_log import manners
from shelter_pipeline_tests.support.wide_web import WideWeb, running_wide_web


class Log:
    """When each request came and went, by one clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0
        self.starts: list[float] = []

    def answer(self, _asked: Asked) -> Answered:
        with self._lock:
            self.starts.append(time.monotonic())
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self._seconds)
        with self._lock:
            self._now -= 1
        return Answered(b"body")

    @property
    def gaps(self) -> list[float]:
        return [later - sooner for sooner, later in pairwise(sorted(self.starts))]


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@contextmanager
def askers(
    database_url: str,
    url: str,
    *,
    processes: int,
    threads: int,
    times: int,
    lease_seconds: float = 30,
    ledger_pause_seconds: float = 0,
) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have begun to ask; they are killed at the end if they are still there.

    Their ledger answers `ledger_pause_seconds` late, and they hear of it as late again.
    """
    command = [sys.executable, "-m", "shelter_pipeline_tests.support.run_polite", database_url]
    command += [str(threads), str(lease_seconds), str(ledger_pause_seconds), str(times), url]
    with ExitStack() as started:
        running = [
            started.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(processes)
        ]
        try:
            for process in running:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in running:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            yield running
        finally:
            for process in running:
                process.kill()


def set_host(catalog: Catalog, host: str, **values: float) -> None:
    with catalog.begin() as connection:
        connection.execute(
            insert(tables.host)
            .values(name=host, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values)
        )


def standing(catalog: Catalog, host: str) -> dict[str, Any]:
    rows = catalog.rows("host_standings", names=[host])
    return dict(rows[0]) if rows else {"strikes": None}


def live_slots(catalog: Catalog) -> int:
    with catalog.begin() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(tables.host_slot)) or 0)


def wait_until(happened: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def sharing(
    catalog: Catalog, *, connections: int = 2, lease_seconds: float = 30, ledger: HostLedger | None = None
) -> Iterator[Politeness]:
    """The politeness of one more holder; for itself it is a process like any other."""
    with Politeness(
        connections=connections,
        delay_seconds=0.0,
        allowed_networks=[ip_network("127.0.0.0/8")],
        ledger=ledger or HostLedger(catalog, lease_seconds=lease_seconds),
    ) as politeness:
        yield politeness


def taken(politeness: Politeness, url: Url, count: int) -> list[Turn]:
    turns: list[Turn] = []

    def try_once_more() -> bool:
        turn = politeness.try_turn(url)
        if isinstance(turn, Turn):
            turns.append(turn)
        return len(turns) == count

    wait_until(try_once_more)
    return turns


def test_three_processes_with_many_threads_never_ask_a_host_more_than_twice_at_once(
    catalog: Catalog, catalog_url: str, site: LocalSite
) -> None:
    log = Log(seconds=0.02)
    url = site.answers("/file", log.answer)

    with askers(catalog_url, url, processes=3, threads=24, times=167) as running:
        done = [process.wait(120) for process in running]

    assert done == [0, 0, 0]
    assert len(log.starts) == 501
    assert log.most == 2


def test_the_starts_of_all_processes_lie_a_delay_apart(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    # A server of its own, which what else this process does cannot keep from noting when a request came.
    web = WideWeb(files=1, hosts=1, latency_seconds=0.02, port=free_ports(1)[0])
    set_host(catalog, parse_url(web.url(0)).host, delay_seconds=0.1)

    with running_wide_web(tmp_path, web) as served:
        with askers(catalog_url, web.url(0), processes=3, threads=8, times=30) as running:
            done = [process.wait(120) for process in running]
        seen = manners(served.requests())

    assert done == [0, 0, 0]
    assert len(seen.gaps) == 89
    assert seen.share_of_gaps_below(0.1) <= 0.001
    # Nor is a start given away that nobody uses: the host is kept as busy as it may be.
    assert seen.seconds < 89 * 0.1 * 3


def test_starts_lie_a_delay_apart_although_processes_are_stopped_and_go_on(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    web = WideWeb(files=1, hosts=1, latency_seconds=0.01, port=free_ports(1)[0])
    set_host(catalog, parse_url(web.url(0)).host, delay_seconds=0.2, connections=8)

    with running_wide_web(tmp_path, web) as served:
        with askers(catalog_url, web.url(0), processes=3, threads=6, times=10) as running:
            while any(process.poll() is None for process in running):
                for process in running:
                    process.send_signal(signal.SIGSTOP)
                    time.sleep(0.7)
                    process.send_signal(signal.SIGCONT)
            done = [process.wait(120) for process in running]
        seen = manners(served.requests())

    assert done == [0, 0, 0]
    assert len(seen.gaps) == 29
    # A process may be stopped just as it has looked at the time for the last time and is about to send.
    assert sum(gap < 0.2 for gap in seen.gaps) <= 1


def test_starts_lie_a_delay_apart_although_the_database_is_slow(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    web = WideWeb(files=1, hosts=1, latency_seconds=0, port=free_ports(1)[0])
    set_host(catalog, parse_url(web.url(0)).host, delay_seconds=0.1, connections=8)

    with running_wide_web(tmp_path, web) as served:
        with askers(
            catalog_url, web.url(0), processes=2, threads=4, times=20, ledger_pause_seconds=0.3
        ) as running:
            done = [process.wait(120) for process in running]
        seen = manners(served.requests())

    assert done == [0, 0]
    assert len(seen.gaps) == 39
    assert seen.least_gap_seconds >= 0.1


def test_a_process_that_dies_with_a_span_costs_the_others_a_few_seconds(
    catalog: Catalog, catalog_url: str, site: LocalSite
) -> None:
    dying, log = Log(seconds=0.01), Log(seconds=0)
    first, url = site.answers("/dying", dying.answer), site.answers("/file", log.answer)
    set_host(catalog, parse_url(url).host, delay_seconds=0.1, connections=8)

    with askers(catalog_url, first, processes=1, threads=4, times=1000) as (process,):
        wait_until(lambda: len(dying.starts) > 25)  # it has as long a span as it may have
        process.kill()
    killed = time.monotonic()
    with sharing(catalog, connections=8) as politeness:
        PoliteDoor(open_door(), politeness).read(url)

    assert log.starts[0] - killed < 6
    assert log.starts[0] - dying.starts[-1] >= 0.1


def test_one_process_alone_never_waits_for_the_database_between_two_starts(
    catalog: Catalog, site: LocalSite
) -> None:
    log = Log(seconds=0)
    url = site.answers("/file", log.answer)
    set_host(catalog, parse_url(url).host, delay_seconds=0.1)
    rounds = []

    class CountingLedger(HostLedger):
        def settle(self, wishes: Wishes) -> Grants:
            rounds.extend(wishes.spans)
            time.sleep(0.1)
            return super().settle(wishes)

    with sharing(catalog, ledger=CountingLedger(catalog)) as politeness, ThreadPoolExecutor(2) as pool:
        reader = PoliteDoor(open_door(), politeness)
        list(pool.map(lambda _: reader.read(url), range(80)))

    # Once it has shown how many starts it uses, there is always one left while it asks for more.
    assert len(rounds) < 25
    assert statistics.median(log.gaps[-40:]) < 0.14


def test_slots_of_a_killed_process_come_back_when_their_lease_is_over(
    catalog: Catalog, catalog_url: str, site: LocalSite
) -> None:
    slow, log = Log(seconds=60), Log(seconds=0)
    held, url = site.answers("/slow", slow.answer), site.answers("/file", log.answer)
    with askers(catalog_url, held, processes=1, threads=2, times=1, lease_seconds=2) as (process,):
        wait_until(lambda: slow.most == 1)
        set_host(catalog, parse_url(url).host, connections=1)
        process.kill()
    killed = time.monotonic()

    with askers(catalog_url, url, processes=1, threads=1, times=1) as (process,):
        assert process.wait(30) == 0

    assert 0 < log.starts[0] - killed < 10
    assert log.most == 1


def test_a_process_that_has_had_its_slots_for_a_while_gives_them_up_to_one_that_waits(
    catalog: Catalog, catalog_url: str, monkeypatch: pytest.MonkeyPatch, site: LocalSite
) -> None:
    monkeypatch.setattr(host_sharing, "QUANTUM_SECONDS", 0.5)
    first, second = Log(seconds=0.02), Log(seconds=0.02)
    url = site.answers("/first", first.answer)
    over = threading.Event()

    def keep_asking(politeness: Politeness) -> None:
        while not over.is_set():
            with politeness.turn(parse_url(url)):
                first.answer(Asked("", {}, {}))

    with sharing(catalog) as one, sharing(catalog) as other, ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(keep_asking, one)
        wait_until(lambda: first.most == 2)
        began = time.monotonic()
        with other.turn(parse_url(url)):
            second.answer(Asked("", {}, {}))
        over.set()

    assert second.starts[0] - began < 8


def test_what_a_host_taught_outlives_the_process_and_holds_for_all_others(catalog: Catalog) -> None:
    url = parse_url("https://data.example.org/file")
    with sharing(catalog) as one:
        with one.turn(url) as turn:
            turn.end(Observation(status=429, retry_after_seconds=100))
        wait_until(lambda: standing(catalog, url.host)["strikes"] == 1)
        with sharing(catalog) as other:
            wait_until(
                lambda: not isinstance(other.try_turn(url), Turn) and other.rest_seconds(url.host) > 90
            )

    with sharing(catalog) as later:
        wait_until(lambda: not isinstance(later.try_turn(url), Turn) and later.rest_seconds(url.host) > 90)
        assert later.try_turn(url) == pytest.approx(100, abs=10)


def test_a_host_that_says_too_much_is_left_alone_by_all_processes_and_the_others_are_not(
    catalog: Catalog, site: LocalSite
) -> None:
    log = Log(seconds=0)
    busy = parse_url(site.answers("/busy", lambda asked: replace(log.answer(asked), status=429)))
    other = parse_url("http://127.0.0.1:8000/file")
    door = open_door()
    visits = 0

    with sharing(catalog) as one, sharing(catalog) as two:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            for politeness in (one, two):
                turn = politeness.try_turn(busy)
                if isinstance(turn, Turn):
                    turn.end(Observation(status=door.read(busy.text).head.status))
                visits += isinstance(tried(politeness, other), Turn)
            time.sleep(0.005)
        rest = two.rest_seconds(busy.host)

    # Half a minute after the first strike: whoever knew of no rest has asked once more at most.
    assert 1 <= len(log.starts) <= 2
    assert 20 < rest <= 30 * 1.25
    assert visits > 50


def test_no_process_undoes_what_another_has_learned(catalog: Catalog) -> None:
    url = parse_url("http://127.0.0.1:8000/file")
    with sharing(catalog, connections=8) as one, sharing(catalog, connections=8) as other:
        turns = [turn for politeness in (one, other) for turn in taken(politeness, url, 2)]
        turns[0].end(Observation(status=200, first_byte_seconds=0.1))
        turns[2].end(Observation(connect_failed=True))
        turns[1].end(Observation(connect_failed=True))
        turns[3].end(Observation(connect_failed=True))

    assert standing(catalog, url.host)["connect_failures"] == 3


def test_slots_are_given_back_when_nobody_wants_the_host_any_more(catalog: Catalog) -> None:
    url = parse_url("http://127.0.0.1:8000/file")
    with sharing(catalog, connections=1) as politeness:  # or who asks twice before there is one gets two
        (turn,) = taken(politeness, url, 1)
        turn.end(None)
        assert live_slots(catalog) == 1

        wait_until(lambda: live_slots(catalog) == 0)


def test_a_host_that_nobody_wants_is_forgotten_here_and_known_there(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_state, "FORGET_AFTER_SECONDS", 0.1)
    url = parse_url("http://127.0.0.1:8000/file")
    with sharing(catalog) as politeness:
        with politeness.turn(url) as turn:
            turn.end(Observation(status=429, retry_after_seconds=100))

        wait_until(lambda: not politeness._hosts)

        assert politeness.rest_seconds(url.host) == 0
        wait_until(
            lambda: not isinstance(politeness.try_turn(url), Turn) and politeness.rest_seconds(url.host) > 80
        )


def test_closing_gives_back_even_the_slots_in_use(catalog: Catalog) -> None:
    with sharing(catalog) as politeness:
        taken(politeness, parse_url("http://127.0.0.1:8000/file"), 2)

    assert live_slots(catalog) == 0


def test_no_more_slots_are_given_than_the_host_may_have_whoever_asks(catalog: Catalog) -> None:
    hosts = [f"h{number}.example:80" for number in range(20)]
    ledgers = [HostLedger(catalog, holder=f"holder {number}") for number in range(8)]
    ledgers[0].settle(Wishes(meet=hosts))

    def take(ledger: HostLedger) -> list[Slot]:
        wishes = Wishes(slots=[SlotWish(host, 3, 5, starving=True) for host in hosts])
        return [slot for _ in range(5) for slot in ledger.settle(wishes).slots]

    with ThreadPoolExecutor(8) as pool:
        taken_slots = [slot for slots in pool.map(take, ledgers) for slot in slots]

    assert len(taken_slots) == len(set(taken_slots)) == 20 * 5


def test_a_host_whose_limit_fell_gets_no_slot_while_it_has_as_many_live_ones(catalog: Catalog) -> None:
    ledger = HostLedger(catalog)
    ledger.settle(Wishes(meet=["h.example:80"]))
    ledger.settle(Wishes(slots=[SlotWish("h.example:80", 2, 2, starving=True)]))
    ledger.settle(Wishes(give_back=[("h.example:80", 1)]))

    grants = HostLedger(catalog).settle(Wishes(slots=[SlotWish("h.example:80", 1, 1, starving=True)]))

    assert grants.slots == []


def test_a_slot_that_came_to_somebody_else_is_not_renewed(catalog: Catalog) -> None:
    late, other = HostLedger(catalog, lease_seconds=0.05), HostLedger(catalog)
    wish = Wishes(slots=[SlotWish("h.example:80", 1, 1, starving=True)])
    late.settle(Wishes(meet=["h.example:80"]))
    assert late.settle(wish).slots == [("h.example:80", 1)]
    time.sleep(0.1)
    assert other.settle(wish).slots == [("h.example:80", 1)]

    assert late.settle(Wishes(renew=[("h.example:80", 1)])).renewed == frozenset()
    late.settle(Wishes(give_back=[("h.example:80", 1)]))

    assert live_slots(catalog) == 1


def test_spans_of_a_host_never_overlap_whoever_asks_and_makes_them_longer(catalog: Catalog) -> None:
    ledgers = [HostLedger(catalog) for _ in range(4)]
    ledgers[0].settle(Wishes(meet=["h.example:80"]))

    def reserve(number: int) -> list[tuple[float, float, int]]:
        mark, begins, found = None, 0.0, []
        for turn in range(20):
            wish = SpanWish("h.example:80", 0.02, mark, only_longer=turn % 5 == 4)
            span = ledgers[number].settle(Wishes(spans=[wish])).spans.get("h.example:80")
            if span is not None:
                mark = span.mark
                begins = max(begins, mark.timestamp() - (span.ends - span.begins))
                found.append((begins, mark.timestamp(), number))
        return found

    with ThreadPoolExecutor(4) as pool:
        spans = sorted(span for found in pool.map(reserve, range(4)) for span in found)

    assert len(spans) > 60
    for (_, ends, one), (begins, _, other) in pairwise(spans):
        assert one == other or begins >= ends - 1e-5


def test_a_span_is_made_longer_by_its_holder_and_only_while_nobody_has_the_time_after_it(
    catalog: Catalog,
) -> None:
    one, other = HostLedger(catalog), HostLedger(catalog)
    host = "h.example:80"
    one.settle(Wishes(meet=[host]))
    first = one.settle(Wishes(spans=[SpanWish(host, 5.0)])).spans[host]

    longer = one.settle(Wishes(spans=[SpanWish(host, 8.0, first.mark, only_longer=True)])).spans[host]
    next_one = other.settle(Wishes(spans=[SpanWish(host, 3.0)])).spans[host]
    followed = one.settle(Wishes(spans=[SpanWish(host, 20.0, longer.mark, only_longer=True)])).spans
    last = one.settle(Wishes(spans=[SpanWish(host, 2.0, longer.mark)])).spans[host]

    assert longer.ends == pytest.approx(8.0, abs=0.01)
    assert (next_one.mark - longer.mark).total_seconds() == 3.0
    assert next_one.begins == pytest.approx(longer.ends, abs=2)
    assert followed == {}
    assert (last.mark - next_one.mark).total_seconds() == 2.0


def test_of_a_span_that_is_over_the_holder_waits_for_nothing(catalog: Catalog) -> None:
    ledger, host = HostLedger(catalog), "h.example:80"
    ledger.settle(Wishes(meet=[host]))
    first = ledger.settle(Wishes(spans=[SpanWish(host, 0.01)])).spans[host]
    time.sleep(0.05)

    again = ledger.settle(Wishes(spans=[SpanWish(host, 5.0, first.mark)])).spans[host]

    assert -0.01 < again.begins < 0.01
    assert again.ends == pytest.approx(5.0, abs=0.01)


def test_while_the_database_is_away_no_turn_is_given_and_nothing_raises() -> None:
    away = Catalog("postgresql://127.0.0.1:1/nothing")
    with sharing(away) as politeness:
        began = time.monotonic()
        while time.monotonic() - began < 1:
            assert not isinstance(politeness.try_turn(parse_url("http://127.0.0.1:8000/file")), Turn)
            time.sleep(0.05)


def test_a_slot_whose_lease_could_not_be_renewed_is_not_used_any_more(catalog: Catalog) -> None:
    url = parse_url("http://127.0.0.1:8000/file")
    with sharing(catalog, lease_seconds=0.5) as politeness:
        (turn,) = taken(politeness, url, 1)
        turn.end(None)
        good, politeness._sharing._ledger._catalog = catalog, Catalog("postgresql://127.0.0.1:1/nothing")
        wait_until(lambda: not isinstance(tried(politeness, url), Turn))

        politeness._sharing._ledger._catalog = good
        wait_until(lambda: isinstance(tried(politeness, url), Turn))


def tried(politeness: Politeness, url: Url) -> Turn | float:
    turn = politeness.try_turn(url)
    if isinstance(turn, Turn):
        turn.end(None)
    return turn
