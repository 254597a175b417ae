"""The `shelter` command: parse, call one operation, print.

Every error that a person can mend is one sentence on standard error and exit code 2;
with `--json` standard output holds the result and nothing else.
"""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import suppress
from typing import Annotated

import typer
from rich.markup import escape

from shelter_pipeline.commands.alerts import alerts_app
from shelter_pipeline.commands.api import api
from shelter_pipeline.commands.backup import backup, restore
from shelter_pipeline.commands.classify import classify
from shelter_pipeline.commands.dead_letters import dead_letters_app
from shelter_pipeline.commands.discovery import discover, explore, trail
from shelter_pipeline.commands.doctor import doctor
from shelter_pipeline.commands.harvested import print_harvest
from shelter_pipeline.commands.holdings import holdings_app
from shelter_pipeline.commands.host import host_app
from shelter_pipeline.commands.losses import losses_app
from shelter_pipeline.commands.node import node_app
from shelter_pipeline.commands.overrule import overrule_app
from shelter_pipeline.commands.portal import portal_app
from shelter_pipeline.commands.printing import (
    AsJson,
    announce,
    bars,
    bytes_bar,
    counted,
    err,
    named,
    out,
    print_result,
    printable,
    say,
    tell_of_others,
)
from shelter_pipeline.commands.priorities import explain as explain_score
from shelter_pipeline.commands.priorities import priorities_app
from shelter_pipeline.commands.probe import probe
from shelter_pipeline.commands.rankings import rankings_app
from shelter_pipeline.commands.rebuild import rebuild
from shelter_pipeline.commands.report import report as write_report
from shelter_pipeline.commands.token import token_app
from shelter_pipeline.commands.worker import automate, fleet, serve, worker
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.logs import logs_as_json, set_up_logging
from shelter_pipeline.settings import load_settings, misspelt_settings

HELP = "Rescue public science data: find it, decide what comes first, fetch it, keep it, prove it."
app = typer.Typer(
    name="shelter",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in (
    portal_app,
    host_app,
    losses_app,
    rankings_app,
    holdings_app,
    overrule_app,
    node_app,
    token_app,
    dead_letters_app,
    priorities_app,
    alerts_app,
):
    app.add_typer(group)
for command in (
    api,
    serve,
    worker,
    fleet,
    automate,
    backup,
    restore,
    doctor,
    rebuild,
    classify,
    discover,
    explore,
    probe,
    trail,
):
    app.command()(command)
app.command("explain")(explain_score)
app.command("report")(write_report)
FAILED, MISUSED, INTERRUPTED = 1, 2, 130


@app.callback(help=HELP)
def prepare() -> None:
    """Log as the settings say, and say what in the environment looks like a setting and is none."""
    with suppress(ShelterError):  # the command says so, unless only its help is asked for
        set_up_logging(load_settings(), quiet=True)
    for sentence in misspelt_settings():
        announce(f"shelter: {sentence}")


@app.command()
def up() -> None:
    """Start the whole embedded system: PostgreSQL, Dagster, the HTTP API. Ctrl-C stops all of it."""
    from shelter_pipeline.embedded.stack import ALL_PARTS, Stack
    from shelter_pipeline.operations.prepare import prepare_stack

    settings = load_settings()
    with Stack(settings, ALL_PARTS) as stack:
        stack.start(say)
        prepare_stack(stack, settings)
        started = stack.switch_on_automation()
        if started:
            say(f"switched on: {', '.join(sorted(started))}")
        say(f"Ctrl-C stops everything; the state stays in {settings.home_path}")
        stack.wait()


@app.command()
def demo() -> None:
    """Rescue the bundled sample portal, start to verdicts; exit 0 only if every expected file is held."""
    from shelter_pipeline.demo import run_demo

    raise typer.Exit(0 if run_demo(load_settings(), out, err) else FAILED)


@app.command()
def harvest(
    portal: Annotated[
        str | None, typer.Option(help="KIND:URL; KIND is datagov, ckan or dcat_us. Default: SHELTER_PORTAL.")
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            help="full reads everything, increment what changed since the last harvest, auto decides."
        ),
    ] = "full",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over instead of continuing a harvest that was broken off.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read a portal into the catalog: every dataset, its resources, what is new, changed, gone."""
    from shelter_pipeline.operations.harvest_portal import harvest_portal
    from shelter_pipeline.operations.ledger import add_portal
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.portals.registry import parse_portal

    settings = load_settings()
    chosen = portal or settings.portal
    parse_portal(chosen)  # refuse a typing error before anything is started
    with open_workplace(settings) as workplace:
        slug = add_portal(workplace, chosen).slug
        if as_json:
            report = harvest_portal(workplace, slug, mode=mode, fresh=fresh)
        else:
            with bars() as shown:
                report = harvest_portal(
                    workplace, slug, mode=mode, fresh=fresh, progress=counted(shown, f"reading {slug}")
                )
    print_harvest(report, as_json)
    if report["message"] and not as_json:
        err.print(escape(printable(report["message"])), highlight=False, soft_wrap=True)
    if report["verdict"] in ("unreachable", "interrupted"):
        raise typer.Exit(FAILED)


@app.command()
def rescue(
    organization: Annotated[str, typer.Option(help="The organization's slug, e.g. epa-gov.")],
    as_json: AsJson = False,
) -> None:
    """Score, plan, fetch and report one organization, in this process and without a daemon.

    Beside a running fleet it does what nobody else does, and waits for what others have in hand.
    """
    from shelter_pipeline.operations.rescue_organization import rescue_organization
    from shelter_pipeline.operations.workplace import open_workplace

    waiting = tell_of_others()
    with open_workplace(load_settings()) as workplace:
        if as_json:
            report = rescue_organization(workplace, organization, waiting=waiting)
        else:
            with bars() as shown:
                report = rescue_organization(workplace, organization, progress=named(shown), waiting=waiting)
    print_result(report, as_json)


@app.command()
def fetch(
    url: Annotated[str, typer.Argument(help="What to fetch: http, https or ftp.")],
    store: Annotated[str, typer.Option(help="The blob store: a folder, or s3://bucket/folder.")],
    as_json: AsJson = False,
) -> None:
    """Make one capture through the real engine; exit 0 whenever a verdict was reached."""
    from shelter_pipeline.operations.fetch_url import fetch_url

    settings = load_settings()
    if as_json:
        print_result(fetch_url(url, settings=settings, store=store), as_json)
        return
    with bytes_bar() as shown:
        show = counted(shown, "fetching")
        result = fetch_url(url, settings=settings, store=store, progress=lambda size: show(size, None))
    print_result(result, as_json)


@app.command()
def scrub(
    store: Annotated[
        str | None,
        typer.Option(help="The blob store: a folder, or s3://bucket/folder. Default: the settings' store."),
    ] = None,
    mend: Annotated[
        bool,
        typer.Option("--mend", help="Tell the catalog, so that what is damaged or missing is fetched again."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every blob again and compare it with its name; damaged ones go to quarantine, nothing is deleted."""
    from shelter_pipeline.operations.mend_store import mend_store
    from shelter_pipeline.operations.scrub_store import note_if_known, scrub_store
    from shelter_pipeline.operations.workplace import open_workplace

    settings = load_settings()
    if mend:
        with open_workplace(settings) as workplace:
            result = mend_store(workplace, store)
    else:
        result = scrub_store(store, settings)
        if store is None:
            for sentence in note_if_known(settings, result):
                announce(f"shelter: {sentence}")
    print_result(result, as_json)
    if result["damaged"] or result["missing"]:
        raise typer.Exit(FAILED)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say what is held, what waits and what failed, in all and by organization."""
    from shelter_pipeline.operations.report import report_all, report_status
    from shelter_pipeline.operations.workplace import open_workplace
    from shelter_pipeline.reports import organization_table

    with open_workplace(load_settings()) as workplace:
        totals, organizations = report_status(workplace), report_all(workplace)
    if as_json:
        print_result({**totals, "by_organization": organizations}, as_json)
        return
    print_result(totals, as_json)
    if organizations:
        out.print(organization_table(organizations))


@app.command()
def migrate() -> None:
    """Bring the catalog's schema up to date; safe to run at any time, by any number of machines."""
    from shelter_pipeline.embedded.database import open_database
    from shelter_pipeline.operations.workplace import open_workplace, prepare_catalog

    settings = load_settings()
    # Dagster's own database is made too, where that is missing and allowed.
    with open_database(settings), open_workplace(settings, migrated=False) as workplace:
        before, after = prepare_catalog(workplace.catalog, settings, asked=True)
    out.print(f"schema {before or 'none'} → {after}" if before != after else f"schema {after} is up to date")


def main() -> None:
    """The entry point: one sentence for what a person can mend, a traceback for what is our fault.

    Asked to end by SIGTERM or SIGHUP, a command ends as it does at Ctrl-C: it gives back what it holds.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ShelterError as error:
        if logs_as_json():
            logging.getLogger(__name__).critical("%s", error)
            sys.exit(MISUSED)
        err.print(f"shelter: {escape(printable(str(error)))}", highlight=False, soft_wrap=True)
        sys.exit(MISUSED)


if __name__ == "__main__":
    main()
