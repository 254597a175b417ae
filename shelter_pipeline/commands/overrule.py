"""`shelter overrule`: a person's word against the content rules, and who gave it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from shelter_pipeline.commands.operator import account
from shelter_pipeline.commands.printing import AsJson, print_result, print_rows
from shelter_pipeline.settings import load_settings

overrule_app = typer.Typer(
    name="overrule",
    no_args_is_help=True,
    help="Say that a content rule was wrong, or that it missed something.",
)
Why = Annotated[str, typer.Option(help="Why: kept with the decision.")]
Who = Annotated[str | None, typer.Option(help="Who decides. Default: the account that runs this.")]


@overrule_app.command("accept")
def accept(
    why: Why,
    url: Annotated[str | None, typer.Argument(help="The file, by its URL.", show_default=False)] = None,
    dataset: Annotated[
        str | None, typer.Option(help="All files of a dataset, by its identifier or slug.")
    ] = None,
    organization: Annotated[
        str | None, typer.Option(help="All files of an organization, by its key.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Only what was kept apart for this reason, now and later.")
    ] = None,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Hold what was kept apart, and from now on what comes there for the same reason."""
    from shelter_pipeline.operations.overrule import accept_suspects
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = accept_suspects(
            workplace,
            url=url,
            dataset=dataset,
            organization=organization,
            reason=reason,
            who=who or account(),
            why=why,
        )
    print_result(result, as_json)


@overrule_app.command("reject")
def reject(
    url: Annotated[str, typer.Argument(help="The file, by its URL.", show_default=False)],
    why: Why,
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """Say that what is held of a URL is not the file. It is not counted any more; its bytes stay."""
    from shelter_pipeline.operations.overrule import reject_held
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = reject_held(workplace, url, who=who or account(), why=why)
    print_result(result, as_json)


@overrule_app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every decision, newest first: what, of which scope, by whom and why, and whether it still stands."""
    from shelter_pipeline.operations.overrule import overrule_table
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = overrule_table(workplace)
    print_rows("overrules", rows if as_json else [_line(row) for row in rows], as_json)


@overrule_app.command("revoke")
def revoke(
    overrule_id: Annotated[int, typer.Argument(metavar="ID", help="The decision, by its id.")],
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """End a decision, and put back what it changed unless something has changed it since."""
    from shelter_pipeline.operations.overrule import revoke_overrule
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = revoke_overrule(workplace, overrule_id, who=who or account())
    print_result(result, as_json)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("id", "action", "reason", "scope", "files", "who", "why")},
        "at": row["made_at"],
        "revoked": row["revoked_at"],
    }
