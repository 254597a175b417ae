"""`python -m docker.native`: the topology of compose.yaml on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from docker.native.keeping import keep_environment
from docker.native.topology import Topology
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.interrupts import Interrupts

_PAUSE_SECONDS = 3600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Start, say where everything is, wait, stop. Exit code 2 and one sentence when it cannot be."""
    asked = _parser().parse_args(arguments)
    interrupts = Interrupts()
    interrupts.install()
    try:
        with Topology(asked.folder, scale=dict(asked.scale), settings=dict(asked.set), say=_say) as topology:
            try:
                topology.start(asked.timeout)
                _say_where(topology)
                _wait()
            except KeyboardInterrupt:
                _say("stopping")
            with interrupts.counted():
                topology.stop()
    except SetupError as error:
        print(f"docker.native: {error}", file=sys.stderr)
        return 2
    finally:
        interrupts.restore()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m docker.native",
        description="Start the services of docker/compose.yaml as processes of this machine.",
    )
    parser.add_argument("--folder", type=Path, default=Path(".shelter-native"), help="where all state is")
    parser.add_argument(
        "--scale", type=_scale, action="append", default=[], metavar="SERVICE=N", help="replicas, as worker=3"
    )
    parser.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="SHELTER_X=VALUE",
        help="a setting of ours",
    )
    parser.add_argument(
        "--timeout", type=float, default=180, metavar="SECONDS", help="longest wait for health"
    )
    return parser


def _scale(text: str) -> tuple[str, int]:
    name, separator, count = text.partition("=")
    if not separator or not count.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not SERVICE=N, as worker=3")
    return name, int(count)


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.startswith("SHELTER_"):
        raise argparse.ArgumentTypeError(f"{text!r} is not SHELTER_NAME=VALUE")
    return name, value


def _say(line: str) -> None:
    print(line, flush=True)


def _say_where(topology: Topology) -> None:
    beside = topology.folder / "shelter.env"
    keep_environment(
        beside,
        topology.environment("webserver") | {"SHELTER_HOME": str(topology.folder.resolve() / "beside")},
    )
    _say(f"the HTTP API is at {topology.urls['api']}")
    _say(f"Dagster is at {topology.urls['dagster']}, for the user {topology.login[0]!r}")
    _say(f"its password is SHELTER_UI_PASSWORD in {topology.folder / 'secrets.env'}")
    _say(f"for commands beside it: `. {beside}`, then `shelter fleet`, `shelter status`, …")
    _say(f"logs are in {topology.folder / 'logs'}; Ctrl-C stops everything")


def _wait() -> None:
    import threading

    while not threading.Event().wait(_PAUSE_SECONDS):
        pass


if __name__ == "__main__":
    sys.exit(main())
