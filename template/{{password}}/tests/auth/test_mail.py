import logging
import ssl
from datetime import timedelta
from email.message import EmailMessage
from typing import Any, Self

import pytest
from pydantic import SecretStr

from app.auth.mail import mail_token
from app.db.clock import utcnow
from app.settings import Settings, find_risks, load_settings

SMTP_URL = "smtp+starttls://ann:s%40cret@mail.example:2525"


class FakeServer:
    """Notes what a client of an SMTP server does."""

    calls: list[Any]

    def __init__(
        self, host: str, port: int, timeout: float, context: ssl.SSLContext | None = None
    ) -> None:
        type(self).calls = [host, port, timeout]
        if context is not None:
            self.starttls(context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.calls.append("quit")

    def starttls(self, context: ssl.SSLContext) -> None:
        self.calls.append(("tls", context.verify_mode, context.check_hostname))

    def login(self, user: str, password: str) -> None:
        self.calls.append((user, password))

    def send_message(self, message: EmailMessage) -> None:
        self.calls.append(message)


@pytest.mark.parametrize(("scheme", "name"), [("smtps", "SMTP_SSL"), ("smtp+starttls", "SMTP")])
def test_mail_is_sent_to_a_server_with_the_right_certificate(
    monkeypatch: pytest.MonkeyPatch, scheme: str, name: str
) -> None:
    monkeypatch.setattr(f"smtplib.{name}", FakeServer)
    url = SecretStr(SMTP_URL.replace("smtp+starttls", scheme))
    settings = Settings(smtp_url=url, mail_link="https://example.com/set")
    mail_token(settings, "ada@example.com", "mailed_x")
    host, port, _, tls, user, message, last = FakeServer.calls
    assert (host, port, user) == ("mail.example", 2525, ("ann", "s@cret"))
    assert tls == ("tls", ssl.CERT_REQUIRED, True)
    assert "\nhttps://example.com/set#token=mailed_x\n" in message.get_content()
    assert last == "quit"


@pytest.mark.parametrize(
    ("email", "to"), [("ada@example.com", "ada@example.com"), ("x@straße.de", "x@xn--strae-oqa.de")]
)
def test_mail_has_what_every_server_takes(
    monkeypatch: pytest.MonkeyPatch, email: str, to: str
) -> None:
    sent: list[EmailMessage] = []
    monkeypatch.setattr("app.auth.mail.send", lambda _settings, message: sent.append(message))
    mail_token(Settings(mail_from="Accounts <accounts@example.com>"), email, "mailed_x")
    [message] = sent
    assert message["To"] == to
    assert abs(message["Date"].datetime - utcnow()) < timedelta(minutes=1)
    assert message["Message-ID"].endswith("@example.com>")


def test_mail_that_fails_is_logged_without_its_token(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("smtplib.SMTP", fail)
    mail_token(Settings(smtp_url=SecretStr(SMTP_URL)), "ada@example.com", "mailed_x")
    assert "A mail can't be sent" in caplog.text
    assert "mailed_x" not in caplog.text


def test_token_is_logged_in_development_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    mail_token(Settings(environment="production"), "ada@example.com", "mailed_x")
    assert "mailed_x" not in caplog.text
    mail_token(Settings(), "ada@example.com", "mailed_x")
    assert "mailed_x" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:abc",
        "smtp://mail.example:99999",
        "smtp://[mail.example",
    ],
)
def test_url_of_no_mail_server_stops_the_start(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SMTP_URL", url)
    with pytest.raises(SystemExit, match=r"^SMTP_URL: expected the URL of a mail server"):
        load_settings()


@pytest.mark.parametrize(("url", "named"), [("", "SMTP_URL"), (SMTP_URL, "MAIL_FROM, MAIL_LINK")])
def test_production_needs_mail_to_register(
    monkeypatch: pytest.MonkeyPatch, url: str, named: str
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("SMTP_URL", url)
    with pytest.raises(SystemExit, match=rf"(?m)^{named}: "):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_URL", "smtp://ann:secret@mail.example"),
        ("MAIL_FROM", "accounts@localhost"),
        ("MAIL_LINK", "http://example.com/password"),
    ],
)
def test_production_mails_nothing_in_clear_or_from_localhost(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("SMTP_URL", SMTP_URL)
    monkeypatch.setenv("MAIL_FROM", "accounts@example.com")
    monkeypatch.setenv("MAIL_LINK", "https://example.com/password")
    monkeypatch.setenv(name, value)
    settings = Settings(environment="production")
    risks = [risk for risk in find_risks(settings) if "DATABASE" not in risk]
    assert len(risks) == 1
    assert name in risks[0].partition(": ")[0]
