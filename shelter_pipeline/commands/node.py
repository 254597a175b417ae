"""`shelter node`: a volunteer's machine that helps; who helps, how far each is trusted, and a person's word on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from shelter_pipeline.commands.node_prove import prove
from shelter_pipeline.commands.node_run import run, sign_off, status
from shelter_pipeline.commands.operator import account
from shelter_pipeline.commands.printing import AsJson, out, print_result, print_rows, rows_table
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import load_settings

_MOST = 1_000_000
_TRUSTS = ("trust_before", "trust_after")

node_app = typer.Typer(
    name="node", no_args_is_help=True, help="Help as a volunteer's node, or look after those that help."
)
node_app.command("run")(run)
node_app.command("sign-off")(sign_off)
node_app.command("status")(status)
node_app.command("prove")(prove)
Name = Annotated[str, typer.Argument(help="The node's nickname.", show_default=False)]
Who = Annotated[str | None, typer.Option(help="Who decides. Default: the account that runs this.")]


@node_app.command("list")
def list_all(
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Show every node: how far it is trusted, what it holds and was proved to hold, when it was heard of."""
    from shelter_pipeline.operations.nodes import node_table
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = node_table(workplace, limit=limit)
    print_rows("nodes", rows if as_json else [_line(row) for row in rows], as_json)


@node_app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show all that is known of one node, its contact included, and what made its trust what it is."""
    from shelter_pipeline.operations.nodes import show_node
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        found = show_node(workplace, name)
    if as_json:
        print_result(found, as_json)
        return
    events = [event | {name: _trust(event[name]) for name in _TRUSTS} for event in found.pop("events")]
    print_result(found | {"trust": _trust(found["trust"])}, as_json)
    if events:
        out.print(rows_table(events, "happened_at", "kind", "trust_before", "trust_after", "detail"))


@node_app.command("block")
def block(
    name: Name,
    why: Annotated[str, typer.Option(help="Why: kept, and shown to the node and to everybody.")],
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Give a node nothing more and take back its work at once. Its copies count nothing until it is unblocked."""
    from shelter_pipeline.operations import nodes
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        released = nodes.block(workplace, name, why=why, who=who or account())
    print_result({"blocked": name, "files_taken_back": released}, as_json)


@node_app.command("unblock")
def unblock(
    name: Name,
    why: Annotated[str, typer.Option(help="Why: kept with the decision.")] = "",
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Let a node help again, with the trust that it has."""
    from shelter_pipeline.operations import nodes
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        nodes.unblock(workplace, name, why=why, who=who or account())
    print_result({"unblocked": name}, as_json)


@node_app.command("caps")
def caps(
    name: Name,
    max_claims: Annotated[
        int | None, typer.Option(min=0, max=_MOST, help="Files that it may have in work at once.")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="As the settings say, again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say how many files one node may have in work at once."""
    from shelter_pipeline.operations import nodes
    from shelter_pipeline.operations.workplace import open_workplace

    if (max_claims is None) == (not default):
        raise SetupError("say one of the two: --max-claims N, or --default")
    with open_workplace(load_settings()) as workplace:
        nodes.cap(workplace, name, max_claims)
    print_result({"node": name, "max_claims": "as the settings say" if default else max_claims}, as_json)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "node": row["name"],
        "trust": _trust(row["trust"]),
        "proved": row["copies_good"],
        "claimed": row["copies_claimed"],
        "at work": row["live_claims"],
        "last seen": row["last_seen_at"],
        "state": "blocked" if row["blocked"] else "signed off" if row["signed_off_at"] else None,
    }


def _trust(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
