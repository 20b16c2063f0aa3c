"""The settings of the identity provider stop the start where they are wrong."""

import pytest

from app.settings import Settings, find_risks, load_settings


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("OIDC_ISSUER", "", "expected the URL of an identity provider"),
        ("OIDC_ISSUER", "login.example.com", "expected the URL of an identity provider"),
        ("OIDC_ISSUER", "ftp://login.example.com", "expected the URL of an identity provider"),
        ("OIDC_ISSUER", "https://", "expected the URL of an identity provider"),
        ("OIDC_ISSUER", "https://login.example.com:abc", "expected the URL"),
        ("OIDC_ISSUER", "https://login.example.com?realm=1", "expected the URL"),
        ("OIDC_ISSUER", "https://login.example.com/ ", "expected the URL"),
        ("OIDC_ALGORITHMS", "", "expected some of RS256, "),
        ("OIDC_ALGORITHMS", "none", "expected some of RS256, "),
        ("OIDC_ALGORITHMS", "RS256,HS256", "expected some of RS256, "),
        ("OIDC_AUDIENCE", "", "String should have at least 1 character"),
        ("OIDC_ROLE_CLAIM", "", "String should have at least 1 character"),
    ],
)
def test_wrong_setting_stops_the_start_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=rf"^{name}: {message}[^\n]*$"):
        load_settings()


def test_algorithms_are_named_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ALGORITHMS", "PS256, ES384")
    assert load_settings().oidc_algorithms == ("PS256", "ES384")


@pytest.mark.parametrize("issuer", ["http://login.example.com", "http://localhost:9000"])
def test_production_needs_a_provider_with_tls(issuer: str) -> None:
    settings = Settings(environment="production", oidc_issuer=issuer)
    assert [risk for risk in find_risks(settings) if risk.startswith("OIDC_ISSUER: use https://")]
