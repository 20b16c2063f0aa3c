"""The mail that an account begins with, or gets a new password by.

Change `send` where a service of your own sends mail.
"""

import logging
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import localtime, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

from anyio import CapacityLimiter, to_thread
from email_validator import validate_email

from app.settings import Settings

TIMEOUT = 10  # seconds
SUBJECT = "Set your password"
TEXT = """\
To set your password, open this link within an hour:

{link}

If you didn't ask for it, there is nothing to do.
"""

_threads = CapacityLimiter(4)
logger = logging.getLogger(__name__)


async def send_token(settings: Settings, email: str, token: str) -> None:
    """Mail the token, after the response: who asks can't tell whether there is such an account.

    A slow mail server keeps nobody else waiting: mails have a few threads of their own.
    """
    await to_thread.run_sync(mail_token, settings, email, token, limiter=_threads)


def mail_token(settings: Settings, email: str, token: str) -> None:
    message = EmailMessage()
    message["Subject"] = SUBJECT
    message["From"] = settings.mail_from
    message["To"] = with_ascii_domain(email)
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=parseaddr(settings.mail_from)[1].rpartition("@")[2])
    # A server never sees what is after the #, nor does its log have it.
    message.set_content(TEXT.format(link=f"{settings.mail_link}#token={token}"))
    try:
        send(settings, message)
    except OSError:  # smtplib's errors are of this class too
        logger.exception("A mail can't be sent")


def with_ascii_domain(email: str) -> str:
    """Return an email as every server takes it, unless what is before the @ isn't ASCII."""
    found = validate_email(email, check_deliverability=False)
    return f"{found.local_part}@{found.ascii_domain}"


def send(settings: Settings, message: EmailMessage) -> None:
    """Send a message by SMTP; without a server, log it, which is for development alone."""
    if not settings.smtp_url.get_secret_value():
        if settings.environment == "development":
            logger.info("Mail to %s:\n%s", message["To"], message.get_content())
        else:
            logger.warning("Without SMTP_URL no mail is sent")
        return
    url = urlsplit(settings.smtp_url.get_secret_value())
    host, port = url.hostname or "", url.port or 0
    tls = ssl.create_default_context()  # smtplib's own checks no certificate
    server: smtplib.SMTP
    if url.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=tls)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    with server:
        if url.scheme == "smtp+starttls":
            server.starttls(context=tls)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)
