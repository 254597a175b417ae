"""The ways in which this operator wants to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shelter_pipeline.alerting.mail import DEADLINE_SECONDS as MAIL_SECONDS
from shelter_pipeline.alerting.mail import send_mail
from shelter_pipeline.alerting.messages import Message
from shelter_pipeline.alerting.webhook import DEADLINE_SECONDS as POST_SECONDS
from shelter_pipeline.alerting.webhook import post_json, slack_text
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings_alerts import AlertSettings

LONGEST_SECONDS = max(MAIL_SECONDS, POST_SECONDS)


@dataclass(frozen=True, slots=True)
class Channel:
    """`send` returns when the message was taken, and raises a ShelterError that says why it was not."""

    name: str
    send: Callable[[Message], None]


def channels_of(settings: AlertSettings) -> list[Channel]:
    """Every channel that is set, by name. Raises SetupError for one that is set by half."""
    channels = []
    if settings.alert_webhook_url is not None:
        url = settings.alert_webhook_url.get_secret_value()
        channels.append(Channel("webhook", lambda message: post_json(url, message.document)))
    if settings.alert_slack_url is not None:
        slack = settings.alert_slack_url.get_secret_value()
        channels.append(
            Channel(
                "slack",
                lambda message: post_json(slack, {"text": slack_text(message.subject, message.text)}),
            )
        )
    if settings.alert_email_to:
        channels.append(_mail(settings))
    return channels


def _mail(settings: AlertSettings) -> Channel:
    if settings.smtp_url is None or not settings.alert_email_from:
        missing = "SHELTER_SMTP_URL" if settings.smtp_url is None else "SHELTER_ALERT_EMAIL_FROM"
        raise SetupError(f"SHELTER_ALERT_EMAIL_TO is set and {missing} is not", reason="bad-setting")
    url, sender, recipients = (
        settings.smtp_url.get_secret_value(),
        settings.alert_email_from,
        settings.alert_email_to,
    )
    return Channel("email", lambda message: send_mail(url, sender, recipients, message.subject, message.text))
