import pytest

from app.db.driver_errors import is_unavailable
from tests.database import driver_error


@pytest.mark.parametrize(
    "code",
    [
        "08006",  # connection lost
        "0A000",  # a plan that doesn't fit its tables any more
        "25006",  # a server that turned read-only
        "28P01",  # wrong password
        "3D000",  # no such database
        "40001",  # serialization failure
        "40003",  # a commit that nobody knows of
        "53100",  # disk full
        "55P03",  # a lock that isn't free
        "57014",  # canceled
        "57P01",  # shut down
    ],
)
def test_error_that_passes_is_unavailable(code: str) -> None:
    assert is_unavailable(driver_error(code))


@pytest.mark.parametrize("code", ["42P01", "42501", "22001", "23514"])
def test_error_of_the_service_is_not_unavailable(code: str) -> None:
    assert not is_unavailable(driver_error(code))
