"""The frontier: hosts take turns, and none of them keeps another waiting."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.fetching.frontier import (
    LONGEST_HOST_REST_SECONDS,
    LONGEST_SLEEP_SECONDS,
    Frontier,
)
from shelter_pipeline.fetching.politeness import Turn

HOSTS = ("a", "b", "c")


class Granted(Turn):
    """A turn that nobody has to end."""

    def __init__(self) -> None: ...


class Hosts:
    """Who may be asked now: every host that does not sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleep: dict[str, float] = {}
        self.rest: dict[str, float] = {}
        self.asked: Counter[str] = Counter()

    def try_turn(self, url: Url) -> Turn | float:
        name = url.host[0]
        self.asked[name] += 1
        return self.sleep[name] if self.sleep.get(name, 0.0) > 0 else Granted()

    def frontier(self) -> Frontier[str]:
        return Frontier(self.try_turn, lambda host: self.rest.get(host[0], 0.0), clock=lambda: self.now)


def at(host: str) -> Url:
    return parse_url(f"http://{host}.example/")


def taken(frontier: Frontier[str]) -> list[str]:
    """All that may be taken now."""
    items = []
    while (found := frontier.take()) is not None:
        items.append(found[0])
    return items


def test_a_host_is_asked_in_the_order_of_its_queue() -> None:
    frontier = Hosts().frontier()
    for item in ("first", "second", "third"):
        frontier.queue(at("a"), item)

    assert taken(frontier) == ["first", "second", "third"]


def test_what_is_in_the_middle_of_something_goes_first() -> None:
    frontier = Hosts().frontier()
    frontier.queue(at("a"), "new")
    frontier.queue(at("a"), "redirected", first=True)

    assert taken(frontier) == ["redirected", "new"]


def test_hosts_take_turns_however_much_waits_for_one_of_them() -> None:
    frontier = Hosts().frontier()
    for number in range(100):
        frontier.queue(at("a"), f"a{number}")
    frontier.queue(at("b"), "b0")
    frontier.queue(at("c"), "c0")

    order = taken(frontier)

    assert {order.index("b0"), order.index("c0")} == {1, 2}
    assert len(order) == 102


def test_a_host_that_sleeps_holds_nobody_and_is_not_asked_again_at_once() -> None:
    hosts = Hosts()
    hosts.sleep["a"] = 100.0
    frontier = hosts.frontier()
    for number in range(5):
        frontier.queue(at("a"), f"a{number}")
        frontier.queue(at("b"), f"b{number}")

    first, second = taken(frontier), taken(frontier)

    assert (first, second) == ([f"b{number}" for number in range(5)], [])
    assert hosts.asked["a"] == 1
    assert 0 < frontier.pause() <= LONGEST_SLEEP_SECONDS


def test_a_sleeping_host_is_asked_again_when_its_sleep_is_over() -> None:
    hosts = Hosts()
    hosts.sleep["a"] = 0.2
    frontier = hosts.frontier()
    frontier.queue(at("a"), "item")
    assert frontier.take() is None
    assert frontier.pause() == 0.2

    hosts.now, hosts.sleep["a"] = 0.2, 0.0

    assert taken(frontier) == ["item"]


def test_a_host_that_is_woken_is_asked_again_at_once_and_once() -> None:
    hosts = Hosts()
    hosts.sleep["a"] = 0.4
    frontier = hosts.frontier()
    frontier.queue(at("a"), "one")
    frontier.queue(at("a"), "two")
    assert frontier.take() is None

    hosts.sleep["a"] = 0.0
    frontier.wake(at("a").host)
    frontier.wake(at("a").host)
    frontier.wake("nobody:80")
    now = taken(frontier)
    hosts.now = 1.0

    assert now == ["one", "two"]
    assert taken(frontier) == []


def test_what_rests_comes_back_in_the_order_of_its_time() -> None:
    hosts = Hosts()
    frontier = hosts.frontier()
    for seconds in (0.3, 0.1, 0.2, 9.0):
        frontier.rest(seconds, f"{seconds}")

    early = frontier.take_rested()
    hosts.now = 0.3

    assert early == []
    assert frontier.take_rested() == ["0.1", "0.2", "0.3"]
    assert len(frontier) == 1


def test_what_waits_for_a_host_that_rests_long_is_given_back_and_nothing_else_is() -> None:
    hosts = Hosts()
    frontier = hosts.frontier()
    too_long = LONGEST_HOST_REST_SECONDS + 1
    hosts.sleep = {"a": too_long, "b": LONGEST_HOST_REST_SECONDS, "c": too_long}
    hosts.rest = {"a": too_long, "b": LONGEST_HOST_REST_SECONDS}  # `c` rests not, it is only asked seldom
    for host in HOSTS:
        frontier.queue(at(host), f"{host}1")
        frontier.queue(at(host), f"{host}2")

    now = taken(frontier)

    assert now == []
    assert len(frontier) == 6
    assert frontier.take_stranded() == [("a1", too_long), ("a2", too_long)]
    assert frontier.take_stranded() == []
    assert len(frontier) == 4


def test_what_is_removed_is_asked_about_once_and_comes_out_once() -> None:
    frontier = Hosts().frontier()
    for item in ("x", "y", "z"):
        frontier.queue(at("a"), item)
    frontier.rest(1.0, "resting")
    answers = iter([False, True, False, True])

    removed = frontier.remove(lambda _item: next(answers))

    assert removed == ["y", "resting"]
    assert taken(frontier) == ["x", "z"]
    assert len(frontier) == 0


class AgainstLists(RuleBasedStateMachine):
    """Whatever is done, everything that went in comes out once, in its host's order, and hosts stay fair."""

    def __init__(self) -> None:
        super().__init__()
        self.hosts = Hosts()
        self.frontier = self.hosts.frontier()
        self.waiting: dict[str, list[str]] = {host: [] for host in HOSTS}
        self.resting: dict[str, float] = {}
        self.number = 0

    def name(self, host: str) -> str:
        self.number += 1
        return f"{host}{self.number}"

    @rule(host=st.sampled_from(HOSTS), first=st.booleans())
    def queue(self, host: str, first: bool) -> None:
        item = self.name(host)
        self.frontier.queue(at(host), item, first=first)
        self.waiting[host].insert(0 if first else len(self.waiting[host]), item)

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0]))
    def rest(self, seconds: float) -> None:
        item = self.name("r")
        self.frontier.rest(seconds, item)
        self.resting[item] = self.hosts.now + seconds

    @rule(host=st.sampled_from(HOSTS), seconds=st.sampled_from([0.0, 0.2, 5.0]))
    def sleep(self, host: str, seconds: float) -> None:
        self.hosts.sleep[host] = seconds

    @rule(seconds=st.sampled_from([0.05, LONGEST_SLEEP_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.hosts.now += seconds

    @rule(host=st.sampled_from(HOSTS))
    def wake(self, host: str) -> None:
        self.frontier.wake(at(host).host)

    @rule()
    def take(self) -> None:
        found = self.frontier.take()
        if found is not None:
            host = found[0][0]
            assert not self.hosts.sleep.get(host)
            assert found[0] == self.waiting[host].pop(0)

    @rule()
    def take_rested(self) -> None:
        due = {item for item, moment in self.resting.items() if moment <= self.hosts.now}
        assert set(self.frontier.take_rested()) == due
        for item in due:
            del self.resting[item]

    @rule(host=st.sampled_from(HOSTS))
    def remove(self, host: str) -> None:
        assert self.frontier.remove(lambda item: item.startswith(host)) == self.waiting[host]
        self.waiting[host] = []

    @rule()
    def take_all(self) -> None:
        """After the longest sleep, all that may be taken is taken, host by host in turn."""
        self.hosts.now += LONGEST_SLEEP_SECONDS
        awake = [host for host in HOSTS if not self.hosts.sleep.get(host)]
        items = taken(self.frontier)
        for host in awake:
            assert [item for item in items if item[0] == host] == self.waiting[host]
            self.waiting[host] = []

    @invariant()
    def all_are_counted(self) -> None:
        assert len(self.frontier) == sum(map(len, self.waiting.values())) + len(self.resting)


AgainstLists.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgainstLists = AgainstLists.TestCase
