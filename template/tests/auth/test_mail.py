import logging
from email.message import EmailMessage
from typing import Any, Self

import pytest
from pydantic import SecretStr

from app.auth.mail import mail_token
from app.settings import Settings, load_settings

SMTP_URL = "smtp+starttls://ann:s%40cret@mail.example:2525"


class FakeServer:
    """Notes what a client of an SMTP server does."""

    calls: list[Any]

    def __init__(self, host: str, port: int, timeout: float) -> None:
        type(self).calls = [host, port, timeout]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.calls.append("quit")

    def starttls(self) -> None:
        self.calls.append("starttls")

    def login(self, user: str, password: str) -> None:
        self.calls.append((user, password))

    def send_message(self, message: EmailMessage) -> None:
        self.calls.append(message)


def test_mail_is_sent_by_smtp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smtplib.SMTP", FakeServer)
    settings = Settings(smtp_url=SecretStr(SMTP_URL), mail_link="https://example.com/set")
    mail_token(settings, "ada@example.com", "mailed_x")
    host, port, _, starttls, user, message, last = FakeServer.calls
    assert (host, port, starttls, user) == ("mail.example", 2525, "starttls", ("ann", "s@cret"))
    assert "\nhttps://example.com/set#token=mailed_x\n" in message.get_content()
    assert last == "quit"


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


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
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
