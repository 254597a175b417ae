"""Messages to real servers on loopback: those that take them, and those that refuse, redirect, trickle or lie."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shelter_pipeline.alerting import mail as mailing
from shelter_pipeline.alerting import webhook
from shelter_pipeline.alerting.channels import channels_of
from shelter_pipeline.alerting.mail import send_mail
from shelter_pipeline.alerting.messages import Message
from shelter_pipeline.alerting.webhook import post_json
from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.certificates import Authority
from shelter_pipeline_tests.support.hook_server import HookServer, serving_hooks
from shelter_pipeline_tests.support.mail_server import MailServer, serving_mail
from shelter_pipeline_tests.support.ports import free_ports

TO = ["a@example.org", "b@example.org"]
TEST = Message((), datetime(2026, 11, 26, tzinfo=UTC))


def send(server: MailServer, scheme: str = "smtp+plain", login: str = "", subject: str = "s") -> None:
    send_mail(
        f"{scheme}://{login}127.0.0.1:{server.port}", "shelter@example.org", TO, subject, "text\n.\nmore"
    )


def test_every_channel_that_is_set_gets_the_message_in_its_own_form() -> None:
    with serving_hooks(HookServer()) as hooks, serving_mail(MailServer()) as mail:
        settings = load_settings(
            alert_webhook_url=f"{hooks.url}/hook",
            alert_slack_url=f"{hooks.url}/slack",
            alert_email_to=",".join(TO),
            alert_email_from="shelter@example.org",
            smtp_url=f"smtp+plain://127.0.0.1:{mail.port}",
        )

        for channel in channels_of(settings):
            channel.send(TEST)

    (_, document), (path, slack) = hooks.taken
    assert document["type"] == "test"
    assert path == "/slack"
    assert slack == {"text": "*Shelter: a test message*\nThis is a test: alerts of Shelter arrive here."}
    assert mail.letters[0]["To"] == ", ".join(TO)
    assert "alerts of Shelter arrive here" in mail.letters[0].get_content()


@pytest.mark.parametrize(
    ("server", "kind", "words"),
    [
        (HookServer(status=500), TransientError, "500"),
        (HookServer(status=429), TransientError, "429"),
        (HookServer(status=404), PermanentError, "not valid any more"),
        (HookServer(status=302, location="http://127.0.0.1:1/elsewhere"), PermanentError, "redirect"),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_an_answer_that_is_no_yes_is_a_sentence_without_the_address(
    server: HookServer, kind: type[ShelterError], words: str
) -> None:
    with serving_hooks(server), pytest.raises(kind, match=words) as refused:
        post_json(f"{server.url}/T000/token", {})

    assert "token" not in str(refused.value).replace("its token", "")
    assert str(server.url) not in str(refused.value)


def test_an_answer_without_end_is_read_no_further_and_counts_by_its_head() -> None:
    with serving_hooks(HookServer(endless=True)) as server:
        post_json(server.url, {"a": 1})

    assert server.documents == [{"a": 1}]


def test_nobody_there_is_a_sentence() -> None:
    (port,) = free_ports(1)

    with pytest.raises(TransientError, match="nobody listens there"):
        post_json(f"http://127.0.0.1:{port}/", {})
    with pytest.raises(TransientError, match="does not answer"):
        send(MailServer(port=port))


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    with serving_hooks(HookServer()) as server:
        post_json(server.url, {})

    assert server.taken


def test_a_server_that_trickles_is_cut_off_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailing, "DEADLINE_SECONDS", 0.5)
    monkeypatch.setattr(webhook, "DEADLINE_SECONDS", 0.5)

    with serving_mail(MailServer(trickles=True)) as server:
        with pytest.raises(TransientError, match="the mail server"):
            send(server)
        with pytest.raises(TransientError, match=r"did not answer|cannot be spoken to"):
            post_json(f"http://127.0.0.1:{server.port}/", {})


def test_a_password_travels_over_tls_that_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    server = MailServer(tls=authority.shows("good"), login=("me", "s3cret/"))
    with serving_mail(server):
        with pytest.raises(TransientError, match="certificate"):
            send(server, "smtp", "me:s3cret%2F@")

        monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
        send(server, "smtp", "me:s3cret%2F@")
        with pytest.raises(PermanentError, match="user and password") as refused:
            send(server, "smtp", "me:wrong-word@")

    assert len(server.letters) == 1
    assert server.logins_in_the_clear == 0
    assert "wrong-word" not in str(refused.value)


def test_a_server_without_tls_gets_nothing_under_a_scheme_that_asks_for_it() -> None:
    with serving_mail(MailServer()) as server:
        with pytest.raises(PermanentError, match="STARTTLS"):
            send(server, "smtp")
        with pytest.raises(ShelterError):
            send(server, "smtps")

    assert not server.letters


def test_a_password_in_the_clear_stays_on_this_machine() -> None:
    with pytest.raises(PermanentError, match="in the clear"):
        send_mail("smtp+plain://me:secret@mail.example", "s@example.org", TO, "s", "t")


@pytest.mark.parametrize("refused", [{TO[0]}, set(TO)], ids=["one", "all"])
def test_recipients_that_are_refused_are_counted(refused: set[str]) -> None:
    server = MailServer(refused=frozenset(refused))
    with serving_mail(server), pytest.raises(PermanentError, match="refuses"):
        send(server)


def test_a_subject_cannot_add_a_header_and_a_dot_does_not_end_the_text() -> None:
    with serving_mail(MailServer()) as server:
        send(server, subject="a\r\nBcc: everybody@example.org\r\n\r\nbody")

    (letter,) = server.letters
    assert letter["Bcc"] is None
    assert letter["Subject"] == "a Bcc: everybody@example.org body"
    assert letter.get_content().replace("\r\n", "\n") == "text\n.\nmore\n"
