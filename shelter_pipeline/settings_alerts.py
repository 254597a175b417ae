"""The settings of alerts: who is told of troubles, how, and how often.

A part of `Settings`, which is what the package reads.
"""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from shelter_pipeline.settings_sharing import Seconds

CsvAddresses = Annotated[tuple[str, ...], NoDecode]
SMTP_SCHEMES = ("smtp", "smtps", "smtp+plain")
_ADDRESS = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z")


class AlertSettings(BaseSettings):
    """What an operator can set of alerts. Nobody is told anything by default."""

    alert_webhook_url: SecretStr | None = Field(
        None, description="URL that every alert is sent to as a JSON document, by POST."
    )
    alert_slack_url: SecretStr | None = Field(
        None, description="Incoming webhook of Slack, or of what understands the same (Mattermost)."
    )
    alert_email_to: CsvAddresses = Field((), description="Addresses that every alert is mailed to.")
    alert_email_from: str = Field("", description="Address that alerts are mailed from.")
    smtp_url: SecretStr | None = Field(
        None, description="Mail server: smtp://user:password@host:587, smtps://… or smtp+plain://…"
    )
    alert_every_minutes: Seconds = Field(
        30,
        description="Least minutes between two messages of a channel; what happens meanwhile is one message.",
    )
    alert_remind_hours: Seconds = Field(24, description="Hours after which an open trouble is told again.")
    alert_stuck_hours: Seconds = Field(
        6, description="Hours that due batches may wait without any progress before somebody is told."
    )
    dagster_public_url: str = Field(
        "", description="URL under which people open Dagster's pages; messages lead there."
    )

    @field_validator("alert_webhook_url", "alert_slack_url", "smtp_url", mode="before")
    @classmethod
    def _unset_when_empty(cls, value: Any) -> Any:
        return value or None

    @field_validator("alert_webhook_url", "alert_slack_url")
    @classmethod
    def _is_http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _names_host(value.get_secret_value(), ("http", "https")):
            raise ValueError("it must be an http or https URL")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _names_host(value.get_secret_value(), SMTP_SCHEMES):
            raise ValueError(
                "it must be smtp://host, smtps://host or smtp+plain://host, and may hold user:password@"
            )
        return value

    @field_validator("dagster_public_url")
    @classmethod
    def _is_page(cls, value: str) -> str:
        if value and not _names_host(value, ("http", "https")):
            raise ValueError("it must be an http or https URL, such as https://dagster.example.org")
        return value.rstrip("/")

    @field_validator("alert_email_to", mode="before")
    @classmethod
    def _split_addresses(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("alert_email_to")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            _checked_address(address)
        return value

    @field_validator("alert_email_from")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _checked_address(value) if value else value


def _checked_address(address: str) -> str:
    if not _ADDRESS.match(address):
        raise ValueError(f"{address!r} is no e-mail address, such as shelter@example.org")
    return address


def _names_host(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in schemes
        and bool(parts.hostname)
        and url.isascii()
        and url.isprintable()
        and " " not in url
    )
