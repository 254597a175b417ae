"""`shelter demo`: a whole rescue of the sample portal through the real system, checked against what is right.

The embedded stack and the sample portal are started; harvest, discovery, scores and plan
are runs that Dagster's webserver is asked for as a person would ask it; the download
sensor starts the batches. What is held at the end is compared with what the sample portal
knows a correct rescue to end with.

The guard is opened for the loopback, where the sample portal is. So nothing else may be
rescued meanwhile: a home that holds organizations of another portal is refused before any
part of the system starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from shelter_pipeline.catalog.portals import PortalRow, portals_in_use
from shelter_pipeline.domain.errors import SetupError, ShelterError
from shelter_pipeline.embedded.stack import Stack
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.prepare import prepare_stack, settings_of
from shelter_pipeline.operations.report import report_all, report_progress
from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline.reports import organization_table
from shelter_pipeline.sample.expectations import Expected
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.settings import Settings

PORTAL = "sample"
_KIND = "datagov"
_POLL_SECONDS = 0.5
_LONGEST_PHASE_SECONDS = 300.0
_COMPARED = ("datasets", "expected_files", "held_files", "held_bytes", "failed", "not_files")


def run_demo(settings: Settings, console: Console, progress: Console) -> bool:
    """Rescue the sample portal; True if the end is exactly what is right.

    How far it is goes to `progress`, how it ended to `console`. Raises SetupError saying what to
    set when something is in the way, and when the home is in use for other portals.
    """
    settings = settings.model_copy(
        update={
            # The sample portal is on this machine; nothing else of the guard is opened.
            "allowed_networks": (*settings.allowed_networks, ip_network("127.0.0.0/8")),
            # Some of its files never come. They are not asked for again when it is gone.
            "batch_max_attempts": 1,
        }
    )
    clock = _Clock()
    with ExitStack() as opened, _bars(progress) as bars:
        with clock.phase("start PostgreSQL and Dagster"), _spinning(bars, "starting the embedded system"):
            sample = opened.enter_context(_sample_portal(settings.sample_port))
            refuse_foreign_home(settings, sample.base_url)
            stack = opened.enter_context(Stack(settings, purpose="shelter demo"))
            stack.start(_report_to(bars))
            prepare_stack(stack, settings)
        workplace = opened.enter_context(open_workplace(settings_of(stack, settings)))
        _Rescue(stack, workplace, bars, clock).run(sample.base_url)
        reports = report_all(workplace)
        with clock.phase("stop everything"):
            stack.stop()
    expected = sample.expectations.by_organization
    shown = [report for report in reports if report["organization"] in expected]
    console.print(organization_table(shown))
    differences = compare(expected, {report["organization"]: report for report in shown})
    _print_end(console, workplace.store.name, clock, differences)
    return not differences


class _Rescue:
    """The phases of the main job, each a run that Dagster is asked for."""

    def __init__(self, stack: Stack, workplace: Workplace, bars: Progress, clock: _Clock) -> None:
        self._stack = stack
        self._workplace = workplace
        self._bars = bars
        self._clock = clock

    def run(self, url: str) -> None:
        dagster = self._stack.dagster
        portal = add_portal(self._workplace, f"{_KIND}:{url}", slug=PORTAL, nightly=False)
        dagster.add_partitions("portal", [portal.slug])
        with self._clock.phase("harvest, discovery, scores"):
            run_id = dagster.launch("refresh_portal", {"dagster/partition": portal.slug})
            self._follow(run_id, self._refresh_bars())
        # Found by its name, for the harvest has changed what else the catalog says of it.
        in_use = portals_in_use(self._workplace.catalog)
        keys = next(found for row, found in in_use.items() if row.slug == portal.slug)
        whole_range = {
            "dagster/asset_partition_range_start": keys[0],
            "dagster/asset_partition_range_end": keys[-1],
        }
        with self._clock.phase("plan the batches"), _spinning(self._bars, "planning batches"):
            self._follow(dagster.launch("plan_organizations", whole_range), lambda _: None)
        with self._clock.phase("download"):
            dagster.switch_on_automation({"download_sensor"})
            self._download()
        with self._clock.phase("verdicts"), _spinning(self._bars, "verdict on each organization"):
            self._follow(dagster.launch("report_organizations", whole_range), lambda _: None)
            self._follow(dagster.launch("overview", {}), lambda _: None)

    def _refresh_bars(self) -> Callable[[Mapping[str, int]], None]:
        harvest = self._bars.add_task("harvest: datasets", total=None)
        discovery = self._bars.add_task("discovery: links", total=None)
        scores = self._bars.add_task("scores: files", total=None)

        def show(state: Mapping[str, int]) -> None:
            self._bars.update(harvest, completed=state["read"], total=state["expected"] or None)
            self._bars.update(discovery, completed=state["discovered"], total=state["resources"] or None)
            self._bars.update(scores, completed=state["scored"], total=state["files"] or None)

        return show

    def _download(self) -> None:
        files = self._bars.add_task("download: files", total=None)
        batches = self._bars.add_task("download: batches", total=None)

        def ended() -> bool:
            state = report_progress(self._workplace)
            self._bars.update(files, completed=state["settled_files"], total=state["files"])
            self._bars.update(batches, completed=state["ended_batches"], total=state["batches"])
            return state["ended_batches"] == state["batches"]

        self._wait(ended, "the batches")

    def _follow(self, run_id: str, show: Callable[[Mapping[str, int]], None]) -> None:
        def ended() -> bool:
            show(report_progress(self._workplace))
            status = self._stack.dagster.run_status(run_id)
            if status in ("FAILURE", "CANCELED"):
                raise ShelterError(
                    f"run {run_id} ended as {status}; see {self._stack.urls['dagster']}/runs/{run_id}"
                )
            return status == "SUCCESS"

        self._wait(ended, f"run {run_id}")

    def _wait(self, ended: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _LONGEST_PHASE_SECONDS
        while not ended():
            if time.monotonic() > deadline:
                raise ShelterError(f"{what} did not end within {_LONGEST_PHASE_SECONDS:.0f} seconds")
            time.sleep(_POLL_SECONDS)


def _sample_portal(port: int) -> SamplePortal:
    # Four hosts, because one host is served one batch at a time.
    return SamplePortal(port, port + 1, more_ports=(port + 2, port + 3))


def refuse_foreign_home(settings: Settings, sample_url: str) -> None:
    """Raise SetupError if this home holds organizations of any portal but the sample at `sample_url`."""
    if settings.database_url is None and not settings.home_path.exists():
        return
    with open_workplace(settings) as workplace:
        others = [
            portal
            for portal in portals_in_use(workplace.catalog)
            if (portal.kind, portal.url) != (_KIND, sample_url)
        ]
    if others:
        raise SetupError(_why_foreign(others, settings))


def _why_foreign(others: Iterable[PortalRow], settings: Settings) -> str:
    instead = "SHELTER_HOME to another folder"
    if settings.database_url is not None:
        instead += " and SHELTER_DATABASE_URL to another database"
    for portal in others:
        address = urlsplit(portal.url)
        if portal.slug == PORTAL and address.hostname == "127.0.0.1":
            return (
                f"{settings.home_path} holds a demo whose sample portal was at port {address.port}:"
                f" set SHELTER_SAMPLE_PORT={address.port} again, or set {instead}"
            )
    names = ", ".join(f"{portal.kind}:{portal.url}" for portal in others)
    return (
        f"`shelter demo` needs a home of its own: {settings.home_path} holds organizations of {names};"
        f" set {instead}"
    )


def compare(expected: Mapping[str, Expected], reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Each way in which the reports differ from what is right, in words; none when all is right."""
    differences = [f"{name}: no organization was found" for name in expected if name not in reports]
    for name, report in reports.items():
        right = expected[name]
        differences += [
            f"{name}: {field} is {report[field]}, right is {getattr(right, field)}"
            for field in _COMPARED
            if report[field] != getattr(right, field)
        ]
    return differences


class _Clock:
    """Where the time went, phase by phase."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, float]] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.phases.append((name, time.monotonic() - started))

    @property
    def total(self) -> float:
        return sum(seconds for _, seconds in self.phases)


def _print_end(console: Console, store: str, clock: _Clock, differences: list[str]) -> None:
    times = Table(title="Where the time went", title_justify="left", show_header=False)
    for name, seconds in clock.phases:
        times.add_row(name, f"{seconds:.1f} s")
    times.add_row("[bold]in all[/]", f"[bold]{clock.total:.1f} s[/]")
    console.print(times)
    console.print("The files are in", escape(store), highlight=False, soft_wrap=True)
    console.print("`shelter up` shows this history in the Dagster UI.", highlight=False)
    if differences:
        console.print("[red]The rescue is not what the sample portal says is right:[/]")
        for difference in differences:
            console.print(" ", escape(difference), highlight=False, soft_wrap=True)
    else:
        console.print(
            "[green]Every expected file is held and verified, and every failure is the right one.[/]"
        )


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
        console=console,
    )


def _report_to(bars: Progress) -> Callable[[str], None]:
    """Show what the stack reports, but for batches that end with files left over: some of the sample's always do."""

    def report(line: str) -> None:
        if " - download - " not in line:
            bars.console.print(escape(line), highlight=False, soft_wrap=True)

    return report


@contextmanager
def _spinning(bars: Progress, name: str) -> Iterator[TaskID]:
    task = bars.add_task(name, total=None)
    yield task
    bars.update(task, total=1, completed=1)
