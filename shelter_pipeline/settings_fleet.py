"""The settings of a fleet: the broker, the machines that take runs from it, and Dagster's parts run apart.

A part of `Settings`, which is what the package reads.
"""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from shelter_pipeline.domain.fleet import QUEUES
from shelter_pipeline.settings_sharing import Count, Seconds

_NAME = re.compile(r"[\w.-]{1,100}")
_BROKERS = ("redis://", "rediss://", "amqp://", "amqps://", "sentinel://")


class FleetSettings(BaseSettings):
    """What an operator can set of many machines. Without a broker there is one machine."""

    broker_url: SecretStr | None = Field(
        None, description="Broker of the fleet, redis:// or amqp://; unset, runs stay on this machine."
    )
    code_server_host: str = Field(
        "127.0.0.1", description="Where webserver and daemon find the code server, if it is served apart."
    )
    run_start_timeout_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0,
        description="How long a run may wait to begin once it was launched; 0 means 180, and 3600 with a broker.",
    )
    run_retention_days: Count = Field(
        90, description="Days that ended runs and their logs are kept; those that rescued a batch stay."
    )
    worker_name: str = Field("", description="Name of this machine's worker; empty means host and process.")
    worker_slots: Annotated[int, Field(ge=0, le=256)] = Field(
        0, description="Runs that this machine takes at once; 0 means one a core."
    )
    worker_queues: Annotated[tuple[str, ...], NoDecode] = Field(
        QUEUES, description="Kinds of work that this machine takes."
    )
    worker_grace_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        60, description="How long runs may go on when a worker is asked to end, before they give back."
    )
    worker_silent_seconds: Seconds = Field(
        600,
        description="Silence of a run's worker after which the run is lost and its work is given to others.",
    )

    @field_validator("broker_url", mode="before")
    @classmethod
    def _unset_broker(cls, value: Any) -> Any:
        return value or None

    @field_validator("broker_url")
    @classmethod
    def _is_a_broker(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_a_broker_url(value.get_secret_value()):
            raise ValueError(
                "it must be a URL like redis://:password@host:6379/0 or amqp://user:password@host//"
            )
        return value

    @field_validator("worker_name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if value and not _NAME.fullmatch(value):
            raise ValueError("it must be letters, digits, '.', '_' and '-', a hundred at most")
        return value

    @field_validator("worker_queues", mode="before")
    @classmethod
    def _split_queues(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip()) or QUEUES
        return value

    @field_validator("worker_queues")
    @classmethod
    def _are_queues(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in QUEUES]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no kind of work; there are {', '.join(QUEUES)}")
        return value

    @property
    def start_timeout_of_runs(self) -> float:
        """Seconds that a launched run may wait to begin; a fleet may be busy, one machine starts it at once."""
        return self.run_start_timeout_seconds or (3600 if self.broker_url else 180)


def _is_a_broker_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Several sentinels are named side by side, which no reader of URLs understands.
        return url.startswith(_BROKERS) and (
            parts.scheme == "sentinel" or (bool(parts.hostname) and parts.port != 0)
        )
    except ValueError:
        return False
