"""The database isn't there when the service starts."""

import httpx2
import pytest

from tests.faults.conftest import SERVED_AGAIN, Stage
from tests.harness.service import NO_CERTIFICATES

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.database("postgresql", "mysql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]


@pytest.mark.slow
def test_service_starts_before_its_server(stage: Stage) -> None:
    """The service is started while its server is down, which comes up later."""
    with stage() as scene:
        assert scene.server
        scene.service.stop()
        scene.server.kill()
        scene.service.start("live")
        scene.load.wait_for("503", SERVED_AGAIN)
        assert httpx2.get(f"{scene.service.url}/health/ready", verify=NO_CERTIFICATES).status_code == 503
        scene.server.start()
        scene.recover()
