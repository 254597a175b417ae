"""`shelter node run`, `sign-off`, `status`: a volunteer's side of nodes. Operators' commands stand beside them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.markup import escape

from shelter_pipeline.commands.printing import AsJson, err, print_result, printable, say
from shelter_pipeline.domain.amounts import bytes_of, rate_of
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.working_hours import WorkingHours
from shelter_pipeline.node.plan import Stops
from shelter_pipeline.release import RELEASE
from shelter_pipeline.settings import Settings, load_settings

_FAILED, _TOO_OLD, _INTERRUPTED = 1, 3, 130
_LEAST_SPACE_BYTES = 1_000_000
_RESERVE_PARTS = 20

Folder = Annotated[
    Path | None,
    typer.Option(help="Where the node lives. Default: SHELTER_NODE_FOLDER, or node in SHELTER_HOME."),
]


def run(
    api: Annotated[
        str | None, typer.Option(help="The API to help, e.g. https://shelter.example.org.")
    ] = None,
    space: Annotated[str | None, typer.Option(help="Room to give: 500MB, 50GB, 2TB.")] = None,
    folder: Folder = None,
    name: Annotated[
        str | None, typer.Option(help="A nickname, shown to everybody. Default: the API chooses.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="A token that an operator gave you; better in SHELTER_NODE_TOKEN.")
    ] = None,
    contact: Annotated[
        str | None, typer.Option(help="How operators can reach you; shown to nobody else.")
    ] = None,
    reserve: Annotated[str | None, typer.Option(help="Room left free on the disk, e.g. 10GB.")] = None,
    bandwidth: Annotated[
        str | None, typer.Option(help="Most to move, up and down together: 20Mbit, 2MB/s.")
    ] = None,
    hours: Annotated[
        str | None, typer.Option(help="When to work, local time: 22-06, or 9-12,13:30-17.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Take work once, do it, and end.")] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow plain http to a public host, token and all.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Help a rescue with room and bandwidth of this machine. Ctrl-C stops it tidily, a second one at once."""
    from shelter_pipeline.commands.node_screen import Screen
    from shelter_pipeline.node.api_client import NodeTooOld, checked_api_url
    from shelter_pipeline.node.folder import NodeFolder
    from shelter_pipeline.node.joining import Introduction
    from shelter_pipeline.node.plan import Plan
    from shelter_pipeline.node.start import run_node

    settings = load_settings()
    address = _required(api or settings.node_api, "--api", "https://shelter.example.org")
    given = bytes_of(_required(space or settings.node_space, "--space", "50GB"), "--space")
    if given < _LEAST_SPACE_BYTES:
        raise SetupError("--space: give 1MB at least, and better some GB", reason="bad-setting")
    place = NodeFolder(folder or settings.node_path)
    fast, when = bandwidth or settings.node_bandwidth, hours or settings.node_hours
    plan = Plan(
        given_bytes=given,
        reserve_bytes=_reserve_bytes(reserve or settings.node_reserve, settings, place.path),
        rate=rate_of(fast, "--bandwidth") if fast else None,
        hours=WorkingHours.of(when, "--hours"),
        once=once,
        stop_seconds=settings.fetch_stop_seconds,
    )
    secret = token or (settings.node_token.get_secret_value() if settings.node_token else None)
    introduction = Introduction(
        checked_api_url(address, insecure=insecure or settings.node_insecure),
        name or settings.node_name,
        contact or settings.node_contact,
        given,
        secret,
        RELEASE,
        settings.user_agent,
    )
    screen, stops = Screen(as_json=as_json), Stops()
    with _told_by_signals(stops) as signals:
        try:
            went_well = run_node(
                plan, introduction, place, settings, tell=screen.tell, stops=stops, watch=screen.watching
            )
        except NodeTooOld as error:
            screen.tell("too-old", message=str(error))
            err.print(f"shelter: {escape(printable(str(error)))}", highlight=False, soft_wrap=True)
            raise typer.Exit(_TOO_OLD) from error
    if signals:
        # A service manager that asks to end by SIGTERM got what it asked for.
        raise typer.Exit(_INTERRUPTED if signal.SIGINT in signals else 0)
    if not went_well:
        raise typer.Exit(_FAILED)


def sign_off(folder: Folder = None, as_json: AsJson = False) -> None:
    """Leave for good: what is in hand goes back, and your copies count less and less. Your files stay."""
    from shelter_pipeline.node.folder import NodeFolder
    from shelter_pipeline.node.start import sign_off as leave

    settings = load_settings()
    said = leave(NodeFolder(folder or settings.node_path), version=RELEASE, user_agent=settings.user_agent)
    print_result(said, as_json)
    if not as_json:
        say(f"Thank you. The files in {said['folder']} are yours to keep or to delete.")


def status(folder: Folder = None, as_json: AsJson = False) -> None:
    """Say what the node on this machine keeps, proved or not, and what it has in hand. Asks nobody."""
    from shelter_pipeline.node.folder import NodeFolder
    from shelter_pipeline.node.start import node_status

    said = node_status(NodeFolder(folder or load_settings().node_path))
    if not as_json and said["trust"] is not None:
        said["trust"] = f"{said['trust']:.2f}"
    print_result(said, as_json)


def _required(value: str, option: str, example: str) -> str:
    if not value:
        setting = f"SHELTER_NODE_{option.strip('-').upper()}"
        raise SetupError(
            f"{option} is missing: give it like {option} {example}, or set {setting}", reason="bad-setting"
        )
    return value


def _reserve_bytes(text: str, settings: Settings, folder: Path) -> int:
    """What was asked for; else the store's reserve, at most a twentieth of the disk."""
    if text:
        return bytes_of(text, "--reserve")
    disk = os.statvfs(folder)
    return min(settings.store_reserve_bytes, disk.f_blocks * disk.f_frsize // _RESERVE_PARTS)


@contextmanager
def _told_by_signals(stops: Stops) -> Iterator[list[int]]:
    """Ctrl-C and its kind ask the node to stop, and again to hurry; the signals that came."""
    came: list[int] = []

    def asked(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        stops.ask()
        if len(came) > 2:  # noqa: PLR2004 - twice was heard and nothing came of it
            raise KeyboardInterrupt

    before = {
        number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
