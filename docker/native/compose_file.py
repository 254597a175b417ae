"""The part of the Compose specification that compose.yaml uses, read into values.

https://github.com/compose-spec/compose-spec, sections interpolation, services, healthcheck, depends_on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from shelter_pipeline.domain.errors import SetupError

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<rule>:?[-?])(?P<rest>[^}]*))?\}|(?P<bare>[A-Za-z_]\w*))"
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DEFAULT_GRACE = "10s"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a service is asked whether it does its work; `test` begins with CMD or CMD-SHELL."""

    test: tuple[str, ...]
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Mount:
    """A place in a service's files: a named volume, a file beside compose.yaml, or (no source) its own."""

    target: str
    source: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a file or folder of the machine rather than a volume."""
        return self.source.startswith((".", "/"))


@dataclass(frozen=True, slots=True)
class Service:
    """One service, its variables filled in. `depends_on` maps a service to the condition awaited of it."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    depends_on: Mapping[str, str]
    mounts: tuple[Mount, ...]
    health: HealthCheck | None
    restarts: bool
    grace_seconds: float


@dataclass(frozen=True, slots=True)
class ComposeFile:
    """The services by name, and the addresses that are written out in the file."""

    folder: Path
    services: dict[str, Service]
    subnets: tuple[str, ...]
    fixed_addresses: Mapping[str, str]

    def levels(self) -> list[set[str]]:
        """The services in groups, each after all that it depends on; those of one group are independent."""
        depth: dict[str, int] = {}
        for name, service in self.services.items():
            depth[name] = max((depth[other] + 1 for other in service.depends_on), default=0)
        return [{name for name in depth if depth[name] == level} for level in range(max(depth.values()) + 1)]

    def only(self, names: Collection[str]) -> ComposeFile:
        """The same with these services and all that they depend on. Raises SetupError for an unknown name."""
        wanted = set(names)
        if unknown := wanted - self.services.keys():
            raise SetupError(f"compose.yaml has no service {', '.join(sorted(unknown))}")
        for name in reversed(self.services):
            if name in wanted:
                wanted |= self.services[name].depends_on.keys()
        return replace(self, services={name: each for name, each in self.services.items() if name in wanted})


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """The text with `${NAME}`, `${NAME:-default}`, `${NAME:?what is missing}` and `$$` resolved. Raises SetupError.

    >>> interpolate("redis://:${PASSWORD:?none}@redis:${PORT:-6379}/$$", {"PASSWORD": "x"})
    'redis://:x@redis:6379/$'
    """

    def value(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        name, rule, rest = found["name"] or found["bare"], found["rule"] or "", found["rest"] or ""
        given = variables.get(name)
        if given or (given is not None and not rule.startswith(":")):
            return given
        if rule.endswith("?"):
            raise SetupError(f"compose.yaml: {name} is missing: {rest}")
        return rest

    return _VARIABLE.sub(value, text)


def required_variables(text: str) -> list[str]:
    """The variables that compose.yaml refuses to do without, which are its secrets."""
    found = {match["name"]: None for match in _VARIABLE.finditer(text) if match["rule"] in {":?", "?"}}
    return list(found)


def read_compose(path: Path, variables: Mapping[str, str]) -> ComposeFile:
    """Read the file. Raises SetupError when it is missing or says something that is not understood here."""
    try:
        content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
    content = _each_text(content, lambda text: interpolate(text, variables))
    services = {name: _service(name, raw) for name, raw in content["services"].items()}
    return ComposeFile(
        folder=path.parent,
        services=_in_order(services),
        subnets=tuple(
            each["subnet"]
            for network in content.get("networks", {}).values()
            for each in (network or {}).get("ipam", {}).get("config", ())
        ),
        fixed_addresses={
            settings["ipv4_address"]: name
            for name, raw in content["services"].items()
            if isinstance(raw.get("networks"), dict)
            for settings in raw["networks"].values()
            if settings and "ipv4_address" in settings
        },
    )


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _each_text(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [_each_text(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


def _service(name: str, raw: Mapping[str, Any]) -> Service:
    return Service(
        name=name,
        image=raw["image"],
        command=(*_words(name, raw.get("entrypoint")), *_words(name, raw.get("command"))),
        environment={
            key: "" if value is None else str(value) for key, value in raw.get("environment", {}).items()
        },
        depends_on={other: wanted["condition"] for other, wanted in raw.get("depends_on", {}).items()},
        mounts=(
            *map(_mount, raw.get("volumes", ())),
            *(Mount(each.partition(":")[0]) for each in raw.get("tmpfs", ())),
        ),
        health=_health(raw.get("healthcheck", {})),
        restarts=raw.get("restart", "no") != "no",
        grace_seconds=seconds(raw.get("stop_grace_period", _DEFAULT_GRACE)),
    )


def _words(name: str, command: Any) -> tuple[str, ...]:
    if command is None:
        return ()
    if isinstance(command, list):
        return tuple(map(str, command))
    raise SetupError(f"compose.yaml: the command of {name} must be a list of words")


def _mount(text: str) -> Mount:
    source, separator, rest = text.partition(":")
    return Mount(rest.partition(":")[0], source) if separator else Mount(source)


def _health(raw: Mapping[str, Any]) -> HealthCheck | None:
    if not raw or raw.get("disable"):
        return None
    return HealthCheck(tuple(raw["test"]), seconds(raw.get("timeout", "30s")))


def seconds(text: str) -> float:
    """A duration of the specification in seconds.

    >>> seconds("1m30s")
    90.0
    """
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))


def _in_order(services: Mapping[str, Service]) -> dict[str, Service]:
    """The services, each after those it depends on. Raises SetupError for a circle or an unknown name."""
    ordered: dict[str, Service] = {}
    waiting = dict(services)
    while waiting:
        free = [name for name, service in waiting.items() if service.depends_on.keys() <= ordered.keys()]
        if not free:
            raise SetupError(f"compose.yaml: these depend on each other or on nobody: {', '.join(waiting)}")
        ordered |= {name: waiting.pop(name) for name in free}
    return ordered
