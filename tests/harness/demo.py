"""Shows a service of the template at work: renders it, migrates it, serves it and calls it.

Run as `python -m tests.harness.demo [VARIANT]`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import httpx2

from tests.harness.rendering import files_of, render_variant, snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.servers import new_database, running
from tests.harness.service import serving
from tests.harness.variants import select
from tests.harness.warm_process import WarmProcess


def main() -> None:
    """Run the demonstration with the variant named on the command line."""
    (variant,) = select(sys.argv[1] if sys.argv[1:] else "sqlite-async-orm-timestamps")
    with scratch_folder() as folder:
        say(f"Rendering {variant.id}")
        project = render_variant(snapshot(folder / "source"), variant, folder / "service")
        show_files(project)
        with (
            running([variant.database], folder, say) as (server, *_),
            WarmProcess(folder / "logs") as warm_process,
            new_database(server, folder) as url,
        ):
            environment = {"DATABASE_URL": url}
            say("Migrating its database: alembic upgrade head")
            warm_process.run(["-m", "alembic", "upgrade", "head"], project, environment)
            say("Serving it: uvicorn --factory app.main:create_app")
            with serving(warm_process, project, environment, folder) as address:
                call(address)


def show_files(project: Path) -> None:
    """Print how many files and lines were rendered."""
    files = files_of(project)
    lines = sum(content.count(b"\n") for name, content in files.items() if name.endswith(".py"))
    say(f"{len(files)} files, {lines} lines of Python")


def call(address: str) -> None:
    """Make a user and a post, list the posts, and ask for what isn't there."""
    with httpx2.Client(base_url=f"{address}/api/v1") as client:
        user = show(client.post("/users", json={"email": "ada@example.com", "name": "Ada"}))
        post = {"author_id": user["id"], "title": "Hello", "content": "The first post.", "tags": ["news"]}
        show(client.post("/posts", json=post))
        show(client.get("/posts", params={"limit": 1, "tag": "news"}))
        show(client.post("/users", json={"email": "ada@example.com", "name": "Another Ada"}))


def show(response: httpx2.Response) -> Any:
    """Print a request and its response; give the response's body."""
    body = response.json()
    say(f"{response.request.method} {response.request.url.raw_path.decode()} -> {response.status_code}")
    print(json.dumps(body, indent=2, ensure_ascii=False), flush=True)
    return body


def say(line: str) -> None:
    """Print a line of what is being done."""
    print(f"-- {line}", flush=True)


if __name__ == "__main__":
    main()
