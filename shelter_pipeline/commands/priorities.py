"""`shelter priorities` and `shelter explain`: what comes first, why, and an operator's word on it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from shelter_pipeline.commands.operator import account
from shelter_pipeline.commands.printing import AsJson, out, print_result, print_rows, rows_table, say
from shelter_pipeline.settings import load_settings

priorities_app = typer.Typer(
    name="priorities", no_args_is_help=True, help="See what comes first, and change it for a reason."
)

_WORTH_TELLING = 0.005  # of a part; less is shown as nothing

What = Annotated[
    str,
    typer.Argument(
        metavar="TARGET", help="URL or id of a file, slug of a dataset or organization, or a host."
    ),
]
Why = Annotated[str, typer.Option(help="The reason; it is kept with your name.")]
Who = Annotated[str | None, typer.Option(help="Who decides. Default: the account that runs this.")]
Until = Annotated[
    str | None,
    typer.Option(help="The last day it holds, 2026-12-31, or from today: 30d, 6w. Default: no end."),
]


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="URL or id of a file; slug or identifier of a dataset, or dataset:ID.",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Say why a file or dataset comes when it does: every part of the score, with the facts behind it."""
    from shelter_pipeline.operations.explain import explain as explain_score
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = explain_score(workplace, what)
    if as_json:
        print_result(result, as_json)
    elif "assets" in result:
        _show_dataset(result)
    else:
        _show_asset(result)


@priorities_app.command()
def top(
    organization: Annotated[str | None, typer.Option(help="Only this organization's, by its key.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many files to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the files that would be fetched first, as the last scoring has them."""
    from shelter_pipeline.catalog.portals import organization_id
    from shelter_pipeline.catalog.priorities import top_assets
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        owner = None if organization is None else organization_id(workplace.catalog, organization)
        rows = top_assets(workplace.catalog, limit, organization_id=owner)
    if as_json or not rows:
        print_rows("files", rows, as_json)
        return
    for row in rows:
        say(f"{row['level']:>2}  {row['score']:.3f}  {row['url']}")
        say(f"           {row['organization']}: {_greatest(row['reasons'])}")


@priorities_app.command()
def score(as_json: AsJson = False) -> None:
    """Score every file now, instead of at the next hour."""
    from shelter_pipeline.operations.score_assets import score_all
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = score_all(workplace)
    print_result(result if as_json else {"changed": result["changed"]}, as_json)
    if not as_json and result["levels"]:
        out.print(rows_table(result["levels"]))


@priorities_app.command("what-if")
def what_if(
    weights: Annotated[Path, typer.Option(help="Another weights file; nothing is written.")],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many files and organizations.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show what would move if this weights file were used."""
    from shelter_pipeline.operations.score_assets import what_if as try_weights
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = try_weights(workplace, weights, limit=limit)
    if as_json:
        print_result(result, as_json)
        return
    say(f"{result['moved']:,} files would move to another level; nothing has been written.")
    for title, rows in (
        ("From level to level:", result["levels"]),
        ("Organizations, the most moved first:", result["organizations"]),
        ("What would rise most:", [_moved(row) for row in result["rising"]]),
        ("What would fall most:", [_moved(row) for row in result["falling"]]),
    ):
        if rows:
            say(title)
            out.print(rows_table(rows))


@priorities_app.command()
def boost(
    target: What,
    why: Why,
    by: Annotated[
        float, typer.Option(min=-1, max=1, help="What is added to the score, -1 to 1.", show_default=True)
    ] = 0.2,
    who: Who = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Let what is named come earlier, or later with a negative boost."""
    _override("boost", target, why, who, until, by, as_json)


@priorities_app.command()
def pin(target: What, why: Why, who: Who = None, until: Until = None, as_json: AsJson = False) -> None:
    """Let what is named come before everything else."""
    _override("pin", target, why, who, until, None, as_json)


@priorities_app.command()
def exclude(target: What, why: Why, who: Who = None, until: Until = None, as_json: AsJson = False) -> None:
    """Do not fetch what is named, as long as this holds. What is held already stays."""
    _override("exclude", target, why, who, until, None, as_json)


@priorities_app.command("set")
def set_level(
    target: What,
    level: Annotated[int, typer.Argument(min=1, max=10, help="1 to 10, ten first.")],
    why: Why,
    who: Who = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Set the level of what is named, whatever its signals say."""
    _override("set", target, why, who, until, level, as_json)


@priorities_app.command("list")
def list_all(
    ended: Annotated[bool, typer.Option("--all", help="Also those that have ended or were revoked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show operators' words on what comes first, newest first."""
    from shelter_pipeline.operations.overrides import override_table
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        rows = override_table(workplace, standing=not ended)
    print_rows("overrides", rows if as_json else [_line(row, ended) for row in rows], as_json)


@priorities_app.command()
def revoke(
    override_id: Annotated[int, typer.Argument(metavar="ID", min=1, help="The word, by its id in the list.")],
    who: Who = None,
    as_json: AsJson = False,
) -> None:
    """End a word; it stays in the history."""
    from shelter_pipeline.operations.overrides import revoke as end
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = end(workplace, override_id, who=who or account())
    print_result(result, as_json)


def _override(
    action: Literal["boost", "pin", "exclude", "set"],
    target: str,
    why: str,
    who: str | None,
    until: str | None,
    amount: float | None,
    as_json: bool,
) -> None:
    from shelter_pipeline.operations.overrides import override
    from shelter_pipeline.operations.workplace import open_workplace

    with open_workplace(load_settings()) as workplace:
        result = override(
            workplace, action, target, who=who or account(), why=why, until=until, amount=amount
        )
    print_result(result, as_json)


def _line(row: dict[str, Any], ended: bool) -> dict[str, Any]:
    amount = "" if row["amount"] is None else f" {row['amount']:g}"
    last = f"{row['until'] - timedelta(microseconds=1):%Y-%m-%d}" if row["until"] else None
    line = {"id": row["id"], "target": row["target"], "word": f"{row['action']}{amount}", "last_day": last}
    if ended:
        line["revoked"] = row["revoked_at"]
    return {**line, "because": f"{row['why']} ({row['who']}, {row['made_at']:%Y-%m-%d})"}


def _show_dataset(result: dict[str, Any]) -> None:
    say(f"{result['title']} ({result['slug']}, {result['organization']})")
    say(f"{result['held']} of {result['files']} files held.")
    if result["assets"]:
        columns = ("level", "score", "state", "url")
        out.print(
            rows_table([{**row, "score": _rounded(row["score"])} for row in result["assets"]], *columns)
        )
        say("The file that comes first:")
        _show_asset(result["first"])


def _show_asset(result: dict[str, Any]) -> None:
    say(result["url"])
    if not result["scored"]:
        say("It has no score yet: scores are made every hour, and by `shelter priorities score`.")
        return
    where = f"level {result['level']} of 10, score {result['score']:.3f}"
    say(f"{where} ({result['state']}, scored {result['scored_at']:%Y-%m-%d %H:%M} UTC)")
    out.print(
        rows_table(
            [
                {
                    "signal": part["signal"],
                    "part": f"{part['part']:.3f}",
                    "of": f"{part['weight']:.3f}",
                    "because": part["because"],
                }
                for part in result["parts"]
            ]
        )
    )
    for word in result["overrides"]:
        amount = "" if word["amount"] is None else f" {word['amount']:g}"
        until = f" until {word['until']:%Y-%m-%d %H:%M} UTC" if word["until"] else ""
        said = f"{word['action']}{amount} of {word['target']} by {word['who']}{until}: {word['why']}"
        say(f"override {word['id']}: {said}")
    if result["excluded"]:
        say("It is excluded: it will not be fetched.")


def _greatest(reasons: dict[str, Any]) -> str:
    parts = [(name, value) for name, value in reasons.items() if isinstance(value, float) and value]
    return ", ".join(f"{name} {value:.2f}" for name, value in sorted(parts, key=lambda one: -one[1])[:4])


def _moved(row: dict[str, Any]) -> dict[str, Any]:
    changes = sorted(row["changes"].items(), key=lambda one: -abs(one[1]))
    told = ", ".join(f"{name} {value:+.2f}" for name, value in changes[:3] if abs(value) >= _WORTH_TELLING)
    return {
        "url": row["url"],
        "level": f"{row['level_before']} → {row['level_after']}",
        "score": f"{row['before']:.3f} → {row['after']:.3f}",
        "because": told,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
