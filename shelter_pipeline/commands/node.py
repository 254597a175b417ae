"""`shelter node`: a volunteer's machine that helps, and an operator's view of those that do."""

from __future__ import annotations

import typer

from shelter_pipeline.commands.node_run import run, sign_off, status

node_app = typer.Typer(
    name="node", no_args_is_help=True, help="Help as a volunteer's node, or look after those that help."
)
node_app.command("run")(run)
node_app.command("sign-off")(sign_off)
node_app.command("status")(status)
