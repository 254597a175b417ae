"""`shelter token`: what opens the HTTP API, made, listed, revoked."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from shelter_pipeline.commands.printing import AsJson, print_result, print_rows, say
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import load_settings

token_app = typer.Typer(
    name="token", no_args_is_help=True, help="Make and revoke the tokens that open the HTTP API."
)
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
_MOST_DAYS = 3660


@token_app.command("create")
def create(
    label: Annotated[str, typer.Option(help="Who or what it is for; shown in the list.")],
    scope: Annotated[
        str, typer.Option(help="operator: may do everything. register: may register nodes.")
    ] = "operator",
    expires: Annotated[
        str | None, typer.Option(help="How long it holds: 90d, 12h, 30m, 8w. Default: until it is revoked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it: this once, and never again. Nodes get theirs when they register."""
    from shelter_pipeline.operations.api_tokens import create_token
    from shelter_pipeline.operations.workplace import open_workplace

    if scope not in ("operator", "register"):
        raise SetupError(
            f"--scope is operator or register, not {scope!r}; nodes get their token from POST /nodes"
        )
    lasting = None if expires is None else parse_duration(expires)
    with open_workplace(load_settings()) as workplace:
        secret = create_token(workplace, scopes=[scope], label=label, expires=lasting)
    if as_json:
        print_result({"token": secret}, as_json)
        return
    say(secret)
    say("Keep it now: it is not stored and cannot be shown again. Send it as Authorization: Bearer …")


@token_app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every token, newest first: its prefix, what it is for, when it was last used. No secret is shown."""
    from shelter_pipeline.operations.api_tokens import token_table
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = token_table(workplace)
    shown = ("prefix", "scopes", "node", "label", "made_at", "expires_at", "last_used_at", "revoked_at")
    print_rows(
        "tokens",
        rows
        if as_json
        else [{name: row[name] for name in shown} | {"scopes": ", ".join(row["scopes"])} for row in rows],
        as_json,
    )


@token_app.command("revoke")
def revoke(
    token: Annotated[
        str, typer.Argument(metavar="PREFIX", help="Its prefix in the list, or the whole of it.")
    ],
    as_json: AsJson = False,
) -> None:
    """End a token for good, within a second."""
    from shelter_pipeline.operations.api_tokens import revoke_token
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        row = revoke_token(workplace, token)
    print_result({name: row[name] for name in ("prefix", "label", "node", "revoked_at")}, as_json)


def parse_duration(text: str) -> timedelta:
    """A duration as people write it. Raises SetupError saying how.

    >>> parse_duration("90d").days
    90
    """
    found = _DURATION.fullmatch(text.strip())
    lasting = timedelta(seconds=int(found[1]) * _SECONDS[found[2]]) if found else timedelta(0)
    if not timedelta(0) < lasting <= timedelta(days=_MOST_DAYS):
        raise SetupError(
            f"--expires is a duration like 90d, 12h, 30m or 8w, of ten years at most, not {text!r}"
        )
    return lasting
