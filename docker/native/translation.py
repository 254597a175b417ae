"""From what a container sees to what a process of this machine sees: names, addresses and paths in texts.

Every service gets an address of its own on the loopback (all of 127.0.0.0/8 is, on Linux), so it listens on
the port that compose.yaml says, and texts change only where they name a host or a path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docker.native.compose_file import ComposeFile

_EVERYWHERE, _SELF = "0.0.0.0", "127.0.0.1"  # noqa: S104 - words that are replaced, not addresses to listen on


@dataclass(frozen=True, slots=True)
class Translator:
    """`addresses` of the services by name; `ports` that differ from compose.yaml; `prefix` of the network."""

    compose: ComposeFile
    prefix: str
    addresses: Mapping[str, str]
    ports: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def text(self, text: str, service: str, *, own: str, root: Path, paths: tuple[str, ...]) -> str:
        """What a process of a service, with the address `own` and its files under `root`, is told instead."""

        def itself(found: re.Match[str]) -> str:
            return own if found[1] is None else f"{own}:{self.ports.get((service, int(found[1])), found[1])}"

        for subnet in self.compose.subnets:
            text = text.replace(subnet, f"{self.prefix}.0/24")
        for address, holder in self.compose.fixed_addresses.items():
            text = re.sub(
                rf"(?<![\d.]){re.escape(address)}(?![\d.])", self.addresses.get(holder, address), text
            )
        text = re.sub(
            rf"(?<![\d.])(?:{re.escape(_EVERYWHERE)}|{re.escape(_SELF)})(?![\d.])(?::(\d+))?", itself, text
        )
        return self._paths(self._hosts(text), root, paths)

    def host(self, value: str) -> str:
        """A variable's value: the address of the service that it names, if that is all it says."""
        return self.addresses.get(value, value)

    def _hosts(self, text: str) -> str:
        names = "|".join(sorted(map(re.escape, self.addresses), key=len, reverse=True))
        return re.sub(rf"(?<![\w.-])({names}):(\d+)", self._place, text)

    def _place(self, found: re.Match[str]) -> str:
        name, port = found[1], int(found[2])
        return f"{self.addresses[name]}:{self.ports.get((name, port), port)}"

    @staticmethod
    def _paths(text: str, root: Path, paths: tuple[str, ...]) -> str:
        if not paths:
            return text
        # In one pass, because the root may itself lie below one of them; and never inside a longer path.
        either = "|".join(sorted(map(re.escape, paths), key=len, reverse=True))
        return re.sub(rf"(?<![\w./-])(?:{either})(?=$|[/\s\"':;,])", lambda found: f"{root}{found[0]}", text)
