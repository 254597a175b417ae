"""`shelter dead-letters`: files that ended every worker that tried them, and how they are wanted again."""

from __future__ import annotations

from typing import Annotated

import typer

from shelter_pipeline.commands.operator import account
from shelter_pipeline.commands.printing import AsJson, print_result, print_rows
from shelter_pipeline.settings import load_settings

dead_letters_app = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    help="Files that were given up because they ended every worker: see them, want them again.",
)


@dead_letters_app.command("list")
def list_all(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the latest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what was given up: reason, failures, and who held it when it ended."""
    from shelter_pipeline.operations.dead_letters import dead_letters_table
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = dead_letters_table(workplace, limit=limit)
    print_rows("dead letters", rows, as_json)


@dead_letters_app.command("revive")
def revive(
    why: Annotated[str, typer.Option(help="Why: kept with the decision.")],
    urls: Annotated[
        list[str] | None, typer.Argument(metavar="URL...", help="The files.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that was given up.")] = False,
    who: Annotated[str | None, typer.Option(help="Who decides. Default: the account that runs this.")] = None,
    as_json: AsJson = False,
) -> None:
    """Want files again that were given up: they are due at once, as if nothing had failed."""
    from shelter_pipeline.operations.dead_letters import revive_dead_letters
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = revive_dead_letters(
            workplace, urls or [], everything=everything, who=who or account(), why=why
        )
    print_result(result, as_json)
