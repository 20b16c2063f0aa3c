"""Behind a proxy that takes a prefix off the path, every link that the service makes has the prefix."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.blog import Blog
from tests.harness.service import calling
from tests.harness.warm_process import WarmProcess

pytestmark = [pytest.mark.example, pytest.mark.each_base]

PREFIX = "/api-gw"


@pytest.fixture
def prefixed(warm_process: WarmProcess, project: Path, migrated_url: str, tmp_path: Path) -> Iterator[Blog]:
    """A client in the place of the proxy."""
    with calling(warm_process, project, {"DATABASE_URL": migrated_url}, tmp_path, prefix=PREFIX, path="") as client:
        yield Blog(client)


def test_links_have_the_prefix(prefixed: Blog) -> None:
    user = prefixed.add_user()
    api = prefixed.api
    new_user = {"email": f"new-{user['email']}", "name": "Grace"}
    new_post = {"author_id": user["id"], "title": "T", "content": "C"}
    for path, body in (("/users", new_user), ("/posts", new_post)):
        response = prefixed.post(path, body)
        location = response.headers["location"]
        assert location == f"{PREFIX}/api/v1{path}/{response.json()['id']}"
        assert api.get(location.removeprefix(PREFIX)).json() == response.json()
    assert api.get("/").headers["location"] == f"{PREFIX}/docs"
    assert api.get("/openapi.json").json()["servers"] == [{"url": PREFIX}]
    assert api.get("/api/v1/users/0").json()["instance"] == f"{PREFIX}/api/v1/users/0"
