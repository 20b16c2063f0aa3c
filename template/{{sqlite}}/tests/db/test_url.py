import pytest

from app.db.url import DRIVER, parse_url


@pytest.mark.parametrize(
    "url",
    ["sqlite:///folder/app.db", "sqlite+other:///folder/app.db\n", "'sqlite:///folder/app.db'"],
)
def test_url_gets_the_driver_of_the_service(url: str) -> None:
    assert str(parse_url(url)) == f"{DRIVER}:///folder/app.db"


def test_url_with_a_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="expected sqlite:///path"):
        parse_url("sqlite:///./app.db?mode=ro")
