import pytest
from sqlalchemy import make_url

from app.db.url import DRIVER, parse_url


@pytest.mark.parametrize(
    "url",
    [
        "mariadb://ann:secret@host:3306/app",
        "mysql+other://ann:secret@host:3306/app",
        "mysql://ann:secret@host:3306/app\n",
        '"mysql://ann:secret@host:3306/app"',
    ],
)
def test_url_gets_the_driver_of_the_service(url: str) -> None:
    assert parse_url(url) == make_url(f"{DRIVER}://ann:secret@host:3306/app")


def test_at_sign_may_be_quoted_or_in_a_parameter() -> None:
    url = parse_url("mysql://ann:p%40ss@host/app?ssl-ca=a@b.pem")
    assert (url.password, url.host) == ("p@ss", "host")


@pytest.mark.parametrize(
    "query",
    [
        "pool_size=5",
        "ssl-mode=some",
        "charset=latin1",
        "connect_timeout=soon",
        "connect_timeout=0",
        "ssl_ca=a.pem&ssl_ca=b.pem",
        "ssl_ca=a.pem&ssl_mode=PREFERRED",
        "ssl_cert=a.pem&ssl_mode=DISABLED",
    ],
)
def test_parameter_that_cannot_be_used_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="the parameter "):
        parse_url(f"mysql://root@localhost/app?{query}")


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("ssl_ca=a.pem", "VERIFY_CA"),
        ("ssl_ca=a.pem&ssl-mode=verify_identity", "VERIFY_IDENTITY"),
        ("ssl_cert=a.pem&ssl_key=b.pem", "REQUIRED"),
        ("charset=utf8mb4", None),
    ],
)
def test_certificates_of_a_url_are_used(query: str, mode: str | None) -> None:
    assert parse_url(f"mysql://root@localhost/app?{query}").query.get("ssl_mode") == mode
