import pytest
from sqlalchemy import make_url

from app.db.url import DRIVER, parse_url


@pytest.mark.parametrize(
    "url",
    [
        "postgres://ann:secret@host:5432/app",
        "postgresql+other://ann:secret@host:5432/app",
        "postgresql://ann:secret@host:5432/app\n",
        '"postgresql://ann:secret@host:5432/app"',
    ],
)
def test_url_gets_the_driver_of_the_service(url: str) -> None:
    assert parse_url(url) == make_url(f"{DRIVER}://ann:secret@host:5432/app")


def test_at_sign_may_be_quoted_or_in_a_parameter() -> None:
    url = parse_url("postgresql://ann:p%40ss@host/app?application_name=a@b")
    assert (url.password, url.host) == ("p@ss", "host")


@pytest.mark.parametrize(
    "query",
    [
        "pgbouncer=true",
        "sslmode=some",
        "connect_timeout=soon",
        "connect_timeout=0",
        "sslmode=require&sslmode=disable",
    ],
)
def test_parameter_that_cannot_be_used_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="the parameter "):
        parse_url(f"postgresql://localhost/app?{query}")
