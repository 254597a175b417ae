"""`shelter alerts`: what is wrong now, who has been told, and whether the messages arrive."""

from __future__ import annotations

from typing import Any

import typer

from shelter_pipeline.commands.printing import AsJson, out, print_result, rows_table, say
from shelter_pipeline.settings import load_settings

FAILED = 1

alerts_app = typer.Typer(
    name="alerts",
    invoke_without_command=True,
    help="What is wrong now, who has been told of it, and whether messages arrive.",
)


@alerts_app.callback()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the troubles that last, and how each channel does."""
    if context.invoked_subcommand is not None:
        return
    from shelter_pipeline.operations.alerts import alerts_report
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        report = alerts_report(workplace)
    if as_json:
        print_result(report, as_json)
        return
    if report["open"]:
        out.print(rows_table([_row(row) for row in report["open"]]))
    else:
        say("nothing is known to be wrong")
    for sentence in _sentences(report):
        say(sentence)


@alerts_app.command("test")
def send(as_json: AsJson = False) -> None:
    """Send a test message to each channel that is set; exit 0 if all took it."""
    from shelter_pipeline.operations.alerts import send_test

    outcomes = send_test(load_settings())
    print_result(outcomes, as_json)
    if not outcomes and not as_json:
        say(_NO_CHANNEL)
    if not outcomes or any(outcome != "sent" for outcome in outcomes.values()):
        raise typer.Exit(FAILED)


_NO_CHANNEL = (
    "nobody is told: set SHELTER_ALERT_WEBHOOK_URL, SHELTER_ALERT_SLACK_URL, or SHELTER_ALERT_EMAIL_TO with"
    " SHELTER_ALERT_EMAIL_FROM and SHELTER_SMTP_URL"
)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    told = ", ".join(row["told_by"]) or "nobody yet"
    return {
        "severity": row["severity"],
        "since": row["since"],
        "what": f"{row['title']}\n{row['thing']}: {row['detail']}\ntold by {told}",
    }


def _sentences(report: dict[str, Any]) -> list[str]:
    if report["looked_at"] is None:
        told = ["Dagster has not looked yet: its sensor alert_sensor does, every minute"]
    else:
        told = [f"Dagster last looked {report['seconds_since_look']:.0f} seconds ago"]
    if not report["channels"]:
        told.append(_NO_CHANNEL)
    for channel in report["channels"]:
        last = (
            f"last message {channel['told_at']:%Y-%m-%d %H:%M} UTC"
            if channel["told_at"]
            else "no message yet"
        )
        failing = (
            f"; fails for the {channel['failures']}. time, tried again {channel['tried_again_at']:%H:%M}:"
            f" {channel['problem']}"
            if channel["failures"]
            else ""
        )
        told.append(f"{channel['name']}: {last}{failing}")
    return told
