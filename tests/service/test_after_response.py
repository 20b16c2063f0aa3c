"""The code of docs/project.md that works after the response does, in every base variant."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.blog import Blog
from tests.harness.commands import check_code, run_tool
from tests.harness.edits import replace_text
from tests.harness.pages import blocks_of
from tests.harness.service import calling
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

pytestmark = [pytest.mark.example, pytest.mark.each_base]

PAGE = "docs/project.md"
# One more than the posts of two pages.
POSTS = 201


def code_for(variant: Variant) -> str:
    """Give the module of the page, as it is for `variant`."""
    (code,) = blocks_of(PAGE, "python", "After the response")
    if variant.io == "sync":
        code = re.sub(r"\b(async|await) ", "", code).replace("AsyncIterator", "Iterator")
    return code


@pytest.fixture
def blog(
    warm_process: WarmProcess, project: Path, variant: Variant, migrated_url: str, mypy_cache: Path, tmp_path: Path
) -> Iterator[Blog]:
    """A client of the service with the module of the page in it."""
    own = shutil.copytree(project, tmp_path / "project")
    (own / "app/posts/later.py").write_text(code_for(variant), encoding="utf-8")
    replace_text(
        own / "app/main.py",
        ("from app.posts.router", "from app.posts.later import router as later\nfrom app.posts.router"),
        ("ROUTERS = (users, posts, ", "ROUTERS = (users, later, posts, "),
    )
    run_tool(own, "ruff", "format", "--no-cache", "--quiet")
    check_code(own, mypy_cache)
    with calling(warm_process, own, {"DATABASE_URL": migrated_url}, tmp_path, path="") as client:
        yield Blog(client)


def test_work_after_the_response_is_done(blog: Blog) -> None:
    user = blog.add_user()["id"]
    posts = {blog.add_post(user)["id"] for _ in range(POSTS)}
    exported = [json.loads(line) for line in blog.api.get("/api/v1/posts/export").iter_lines()]
    assert posts <= {post["id"] for post in exported}

    post = min(posts)
    published = blog.api.post(f"/api/v1/posts/{post}/publish")
    assert (published.status_code, published.content) == (202, b"")
    assert blog.api.get("/api/v1/posts/export", params={"unknown": 1}).status_code == 422
    deadline = time.monotonic() + 30
    while not blog.item(f"/posts/{post}")["published"]:
        assert time.monotonic() < deadline, "the post isn't published"
    while any(pool["checked_out"] for pool in blog.api.get("/health/pool").json().values()):
        # The post is seen once its transaction has ended, a moment before the connection is back.
        assert time.monotonic() < deadline, "a connection isn't given back"
