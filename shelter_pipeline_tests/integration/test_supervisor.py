"""What the supervisor promises of each part it keeps alive; the parts are real, small programs."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.processes import SessionRecord, members, remember, remembered, stop_sessions
from shelter_pipeline.embedded.supervisor import ChildPart, Keeper, RestartBudget, Supervisor

SLEEPS = "import time; time.sleep(60)"
ENDS = "import sys; sys.exit('ValueError: the disk is on fire')"
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
HAS_CHILD = (
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    " print('two', flush=True); time.sleep(60)"
)
PATIENCE_SECONDS = 20


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., ChildPart]]:
    """Makes parts that are stopped after the test."""
    made: list[ChildPart] = []

    def _make(code: str, probe: Callable[[], bool] = lambda: True) -> ChildPart:
        command = (sys.executable, "-S", "-c", code)
        made.append(ChildPart(f"part{len(made)}", command, tmp_path / f"{len(made)}.log", tmp_path, probe))
        return made[-1]

    yield _make
    for part in made:
        part.stop(0, lambda: True)


def eventually(question: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not question():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def ready(part: ChildPart, said: list[str], budget: RestartBudget | None = None) -> Keeper:
    """A keeper whose part has answered."""
    keeper = Keeper(part, said.append, budget)
    keeper.step(0)
    keeper.step(0)
    assert keeper.ready
    return keeper


def kill(part: ChildPart) -> None:
    psutil.Process(part.sessions[-1].leader).kill()
    eventually(lambda: not part.is_alive())


def test_each_restart_waits_twice_as_long_as_the_one_before() -> None:
    budget = RestartBudget(limit=4, first_pause_seconds=0.5)

    assert [budget.next_pause(now=0) for _ in range(5)] == [0.5, 1.0, 2.0, 4.0, None]


def test_restarts_of_long_ago_do_not_count() -> None:
    budget = RestartBudget(limit=1, window_seconds=300)
    budget.next_pause(now=0)

    assert budget.next_pause(now=299) is None
    assert budget.next_pause(now=301) == 0.5


def test_a_part_that_is_killed_is_started_again_after_its_pause(make) -> None:
    said: list[str] = []
    part = make(SLEEPS)
    keeper = ready(part, said)
    kill(part)

    keeper.step(10)
    keeper.step(10.4)

    assert not part.is_alive()

    keeper.step(10.5)
    keeper.step(10.6)

    assert part.is_alive()
    assert said == ["part0 stopped: it said nothing (starting it again in 0.5 s)", "part0 answers again"]


def test_a_part_that_ends_before_it_ever_answered_is_not_tried_again_and_its_last_words_are_told(
    make,
) -> None:
    part = make(ENDS, probe=lambda: False)
    keeper = Keeper(part, lambda _: None)
    keeper.step(0)
    eventually(lambda: not part.is_alive())

    keeper.step(1)

    assert "part0 stopped: ValueError: the disk is on fire" in str(keeper.failure)
    assert str(part.log) in str(keeper.failure)


def test_a_part_that_ends_too_often_is_given_up_with_a_reason(make) -> None:
    said: list[str] = []
    part = make(SLEEPS)
    keeper = ready(part, said, RestartBudget(limit=2, first_pause_seconds=0))
    for now in (1, 2, 3):
        kill(part)
        keeper.step(now)
        keeper.step(now)

    keeper.step(4)

    assert "too often: 2 restarts within 5 minutes" in str(keeper.failure)
    assert not part.is_alive()


def test_a_problem_in_a_log_is_told_at_once(make) -> None:
    said: list[str] = []
    part = make("import time; print('all well'); print('ERROR: no', flush=True); time.sleep(60)")
    keeper = ready(part, said)
    eventually(lambda: part.log.read_text().endswith("no\n"))

    keeper.step(1)

    assert said == ["part0: ERROR: no"]


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    part = ChildPart("ghost", ("/no/such/program",), tmp_path / "log", tmp_path, lambda: True)

    with pytest.raises(SetupError, match="ghost cannot be started"):
        part.start()


def test_a_supervisor_returns_when_all_answer_and_raises_the_failure_of_any(make) -> None:
    supervisor = Supervisor(lambda _: None)
    good, bad = make(SLEEPS), make(ENDS, probe=lambda: False)
    supervisor.add(good)
    supervisor.await_answers(PATIENCE_SECONDS)
    supervisor.check()
    supervisor.add(bad)

    with pytest.raises(SetupError, match="the disk is on fire"):
        supervisor.await_answers(PATIENCE_SECONDS)

    supervisor.let_go()

    assert good.is_alive()


def test_a_part_that_never_answers_is_named_with_the_setting_of_the_limit(make) -> None:
    supervisor = Supervisor(lambda _: None)
    supervisor.add(make(SLEEPS, probe=lambda: False))

    with pytest.raises(
        SetupError, match=r"part0 did not answer within 0.1 s \(SHELTER_START_TIMEOUT_SECONDS\)"
    ):
        supervisor.await_answers(0.1)

    supervisor.let_go()


def test_a_fault_in_the_supervisor_itself_is_not_lost(make) -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    supervisor = Supervisor(lambda _: None)
    supervisor.add(make(SLEEPS, probe=broken))

    with pytest.raises(ZeroDivisionError):
        supervisor.await_answers(PATIENCE_SECONDS)

    supervisor.let_go()


def test_stopping_ends_what_a_part_started_even_after_its_own_death(make) -> None:
    part = make(HAS_CHILD)
    part.start()
    eventually(lambda: "two" in part.log.read_text())
    (record,) = part.sessions
    child = next(process for process in members(record) if process.pid != record.leader)
    kill(part)

    part.stop(PATIENCE_SECONDS, lambda: False)

    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert not record.path.exists()


def test_a_child_of_a_dead_part_is_not_forgotten_at_its_restart(make) -> None:
    part = make(HAS_CHILD)
    part.start()
    eventually(lambda: "two" in part.log.read_text())
    former = part.sessions[0]
    kill(part)

    part.start()

    assert former in part.sessions
    assert former.path.exists()


def test_a_part_deaf_to_sigterm_is_ended_by_force(make) -> None:
    part = make(DEAF)
    part.start()
    eventually(lambda: "deaf" in part.log.read_text())

    part.stop(0.1, lambda: False)

    assert not part.is_alive()


def test_a_second_signal_cuts_the_grace_short(make) -> None:
    part = make(DEAF)
    part.start()
    eventually(lambda: "deaf" in part.log.read_text())

    part.stop(3600, lambda: True)

    assert not part.is_alive()


def test_leftovers_of_a_killed_supervisor_are_found_by_their_records(make, tmp_path: Path) -> None:
    part = make(SLEEPS)
    part.start()

    found = remembered(tmp_path)
    stop_sessions(found, PATIENCE_SECONDS)

    assert found == part.sessions
    assert not part.is_alive()
    assert remembered(tmp_path) == []


def test_a_stranger_with_the_number_of_a_former_part_is_left_alone(make, tmp_path: Path) -> None:
    stranger = make(SLEEPS)
    stranger.start()
    (record,) = stranger.sessions
    stale = SessionRecord(tmp_path / "stale.json", "part", record.leader, record.started - 3600)

    stop_sessions([stale], 0)

    assert stranger.is_alive()


def test_a_record_that_cannot_be_read_is_removed(tmp_path: Path) -> None:
    (tmp_path / "torn-1.json").write_text('{"part": "daem')

    assert remembered(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_ended_at_once_is_still_written_down(tmp_path: Path) -> None:
    record = remember(tmp_path, "part", leader=2**22 + 1)  # a number above every process

    assert remembered(tmp_path) == [record]
    assert members(record) == []


def test_no_part_hears_the_ctrl_c_of_its_terminal(make) -> None:
    ours = signal.getsignal(signal.SIGINT)
    part = make("import os, time; print(os.getsid(0) == os.getpid(), flush=True); time.sleep(60)")
    part.start()

    eventually(lambda: part.log.read_text() == "True\n")
    assert signal.getsignal(signal.SIGINT) is ours
