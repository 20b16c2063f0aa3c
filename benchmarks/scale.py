"""Measures what a million rows cost: pages at any depth, searches, and the statements of a request.

Run alone as `python -m benchmarks.scale`; `--rows` makes it shorter.
"""

import argparse
import base64
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.pool import QueuePool

from benchmarks.client import Client
from tests.harness.demo import say
from tests.harness.rendering import render_variant, snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.servers import Server, engine, new_database, running
from tests.harness.service import wait_until_ready
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

SERVICES = [("sqlite", "core"), ("postgresql", "core"), ("postgresql", "orm"), ("mysql", "core")]
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "orm": "ORM", "core": "Core"}
ROWS, USERS, TAGS, BATCH = 1_000_000, 1_000, 50, 10_000
FEW, MANY = 10, 10_000
REQUESTS, PAGE = 15, 20
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
MIXINS = ("timestamps", "full_text_search")
SERVE, PLAN = (Path(__file__).with_name(name) for name in ("serve.py", "plan.py"))

MOMENT = {
    "sqlite": "datetime('2020-01-01', n || ' seconds') || '.000000'",
    "postgresql": "TIMESTAMPTZ '2020-01-01 00:00:00+00' + n * INTERVAL '1 second'",
    "mysql": "TIMESTAMP '2020-01-01 00:00:00' + INTERVAL n SECOND",
}
# Keys that are known to be right aren't looked up, and indexes of words are made at the end.
FAST = {
    "sqlite": (),
    "postgresql": ("session_replication_role = replica", "maintenance_work_mem = '512MB'"),
    "mysql": ("sql_mode = 'PIPES_AS_CONCAT'", "foreign_key_checks = 0", "unique_checks = 0"),
}
ANALYZE = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE", "mysql": "ANALYZE TABLE"}
NUMBERS = """
    WITH digits (d) AS (
        SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
    ), numbers (n) AS (
        SELECT :first + a.d * 1000 + b.d * 100 + c.d * 10 + e.d FROM digits a, digits b, digits c, digits e
    )"""
WORDS = {"rare": "quartz", "middle": "lantern", "frequent": "harbour"}
INSERTS = {
    "users": "(id, email, name, role, is_active, preferences)"
    " {numbers} SELECT n, 'user' || n || '@example.com', 'User ' || n, 'reader', true, '{{}}'",
    "tags": "(id, name) {numbers} SELECT n, 'tag' || n",
    "posts": "(id, author_id, title, content, published, created_at, updated_at)"
    " {numbers} SELECT n, 1 + n % :users, 'Post ' || n || ' on word' || (n % 997),"
    " 'word' || (n * 31 % 5003) || ' word' || (n * 37 % 4999) || ' word' || (n * 41 % 3001)"
    " || ' word' || (n * 43 % 2003)"
    " || CASE WHEN n % :rare = 0 THEN ' quartz' ELSE '' END"
    " || CASE WHEN n % 1000 = 1 THEN ' lantern' ELSE '' END"
    " || CASE WHEN n % 100 = 0 THEN ' harbour' ELSE '' END,"
    " true, {moment}, {moment}",
    "post_tags": "(post_id, tag_id) {numbers} SELECT n, 1 + n % :tags",
}

KEYSET = """
    SELECT id, title FROM posts WHERE created_at <= :moment AND (created_at < :moment OR id < :id)
    ORDER BY created_at DESC, id DESC LIMIT 20"""
OFFSET = "SELECT id, title FROM posts ORDER BY created_at DESC, id DESC LIMIT 20 OFFSET :depth"

INDEX = re.compile(r"\bix_posts\w+|\bposts_search\b")


@dataclass(frozen=True)
class Times:
    """The milliseconds that something took."""

    minimum: float
    median: float

    def __str__(self) -> str:
        return f"{self.minimum:.2f} · {self.median:.2f}"


def fill(url: str, rows: int, users: int) -> None:
    """Write users, tags and posts: with the rare word in ten, the middle one in 0.1 % and the frequent one in 1 %."""
    made = engine(url)
    name = made.dialect.name
    constants = {"users": users, "tags": TAGS, "rare": max(1, rows // FEW)}
    with made.begin() as connection:
        for setting in FAST[name]:
            connection.execute(text(f"SET {setting}"))
        posts = Table("posts", MetaData(), autoload_with=connection, resolve_fks=False)
        of_search = [index for index in posts.indexes if any(index.dialect_kwargs.values())]
        for index in of_search:
            index.drop(connection)
        for table, count in {"users": users, "tags": TAGS, "posts": rows, "post_tags": rows}.items():
            select = INSERTS[table].format(numbers=NUMBERS, moment=MOMENT[name])
            statement = text(f"INSERT INTO {table} {select} FROM numbers WHERE n <= :last ORDER BY n")
            used = {key: value for key, value in constants.items() if f":{key}" in select}
            for first in range(1, count + 1, BATCH):
                connection.execute(statement, {"first": first, "last": count, **used})
        for index in of_search:
            index.create(connection)
        if name == "postgresql":
            for table in ("users", "tags", "posts"):
                sequence = f"SELECT setval('{table}_id_seq', max(id)) FROM {table}"  # noqa: S608 - of our own
                connection.execute(text(sequence))
    with made.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for table in INSERTS:
            connection.execute(text(f"{ANALYZE[name]} {table}"))


def cursor(number: int) -> str:
    """Give the cursor of the page that comes after the post of that number."""
    moment = BEGINNING + timedelta(seconds=number)
    values = json.dumps([moment.isoformat().replace("+00:00", "Z"), number]).encode()
    return base64.urlsafe_b64encode(values).decode().rstrip("=")


def timed(calls: Mapping[str, Callable[[], float]], warm: int = 3) -> dict[str, Times]:
    """Call each in turn, again and again, and say how long they took: each gives its seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REQUESTS + warm):
        for name, call in calls.items():
            seconds[name].append(call())
    return {
        name: Times(min(values[warm:]) * 1000, statistics.median(values[warm:]) * 1000)
        for name, values in seconds.items()
    }


def selecting(connection: Connection, statement: str, **parameters: Any) -> Callable[[], float]:
    """Give a call that executes a statement and reads its rows."""
    prepared = text(statement)

    def select() -> float:
        start = time.perf_counter()
        connection.execute(prepared, parameters).all()
        return time.perf_counter() - start

    return select


def getting(client: Client, path: str) -> Callable[[], float]:
    """Give a call that asks the service for a path."""
    return lambda: client.send("GET", f"/api/v1{path}")[0]


@contextmanager
def serving(warm_process: WarmProcess, project: Path, url: str) -> Iterator[Client]:
    """Serve a project and give a client of it."""
    port = project / "port"
    port.unlink(missing_ok=True)
    child = warm_process.start([str(SERVE), str(port)], project, {"DATABASE_URL": url})
    with ExitStack() as stack:
        stack.callback(warm_process.stop, child)
        wait_until_ready(warm_process, child, port)
        client = Client(int(port.read_text()))
        stack.callback(client.close)
        yield client


def pages(client: Client, connection: Connection, rows: int) -> list[str]:
    """Give the lines of a table: a page at each depth, from the service and as SQL alone."""
    lines = [
        "| rows before the page | `GET /posts` | to the first | keyset, SQL | `OFFSET`, SQL |",
        "| --- | --- | --- | --- | --- |",
    ]
    depths = [0, FEW, rows // 100, rows - 100]
    calls: dict[str, Callable[[], float]] = {}
    for depth in depths:
        last = rows - depth + 1
        after = f"&cursor={cursor(last)}" if depth else ""
        moment = connection.scalar(text("SELECT created_at FROM posts WHERE id = :id"), {"id": min(last, rows)})
        calls[f"http {depth}"] = getting(client, f"/posts?limit={PAGE}{after}")
        calls[f"keyset {depth}"] = selecting(connection, KEYSET, moment=moment, id=last)
        calls[f"offset {depth}"] = selecting(connection, OFFSET, depth=depth)
    times = timed(calls)
    for depth in depths:
        ratio = times[f"http {depth}"].minimum / times["http 0"].minimum
        cells = [f"{depth:,}", times[f"http {depth}"], f"{ratio:.2f}"]
        lines.append(f"| {' | '.join(map(str, [*cells, times[f'keyset {depth}'], times[f'offset {depth}']]))} |")
    return lines


def searches(client: Client, connection: Connection, explain: Callable[[str], str]) -> list[str]:
    """Give the lines of a table: searches for words that few and many posts hold."""
    lines = ["| word | posts | `GET /posts/search` | its index |", "| --- | --- | --- | --- |"]
    times = timed({name: getting(client, f"/posts/search?q={word}") for name, word in WORDS.items()})
    for name, word in WORDS.items():
        statement = text("SELECT count(*) FROM posts WHERE content LIKE :pattern")
        hits = connection.scalar(statement, {"pattern": f"%{word}%"})
        lines.append(f"| {name} | {hits:,} | {times[name]} | {explain(word)} |")
    return lines


def index(plan: str) -> str:
    """Name the indexes that a plan uses, else show the plan."""
    return ", ".join(f"`{found}`" for found in dict.fromkeys(INDEX.findall(plan))) or plan.replace("\n", "; ")


def statements(client: Client) -> dict[str, int]:
    """Count the statements of each call of a service; the first time, which may be another number, doesn't count."""
    counts = {}
    for number in (1, 2):
        user = {"email": f"new{number}@example.com", "name": "New"}
        post = {"author_id": number, "title": "A title", "content": "Some words", "tags": ["tag1", "tag2"]}
        calls: dict[str, tuple[str, str, Any]] = {
            "GET /users/{id}": ("GET", f"/users/{number}", None),
            "GET /users": ("GET", "/users", None),
            "GET /posts": ("GET", "/posts", None),
            "GET /posts/{id}": ("GET", f"/posts/{number}", None),
            "GET /tags": ("GET", "/tags", None),
            "POST /users": ("POST", "/users", user),
            "POST /posts": ("POST", "/posts", post),
            "PATCH /posts/{id}": ("PATCH", f"/posts/{number}", {"title": f"Title {number}", "tags": ["tag3", "tag4"]}),
            "DELETE /posts/{id}": ("DELETE", f"/posts/{number}", None),
        }
        for name, (method, path, body) in calls.items():
            _, response, _ = client.send(method, f"/api/v1{path}", body)
            counts[name] = int(response.headers["Statements"])
    return counts


def counts_table(counts: Mapping[str, Mapping[int, Mapping[str, int]]]) -> list[str]:
    """Give the lines of a table: the statements of each call of each service, with few rows and with many."""
    lines = [f"| statements | {' | '.join(counts)} |", "| --- |" + " --- |" * len(counts)]
    first = next(iter(counts.values()))
    for call in first[FEW]:
        cells = [" · ".join(str(of_rows[call]) for of_rows in of_service.values()) for of_service in counts.values()]
        lines.append(f"| `{call}` | {' | '.join(cells)} |")
    return lines


def section(servers: Sequence[Server], warm_process: WarmProcess, folder: Path, rows: int = ROWS) -> list[str]:
    """Measure, and give the lines of the section; `folder` has the template in `source`."""
    lines = [f"## A database of {rows:,} posts", ""]
    counts: dict[str, dict[int, dict[str, int]]] = {}
    for server in servers:
        projects = {
            access: render_variant(
                folder / "source",
                Variant(server.database, "async", access, MIXINS),
                folder / f"scale-{server.database}-{access}",
            )
            for database, access in SERVICES
            if database == server.database
        }
        any_project = next(iter(projects.values()))
        migrate = ["-m", "alembic", "upgrade", "head"]
        with new_database(server, folder) as url:
            warm_process.run(migrate, any_project, {"DATABASE_URL": url})
            start = time.monotonic()
            fill(url, rows, USERS)
            say(f"{server}: {rows:,} posts, after {time.monotonic() - start:.0f} s")
            database = engine(url, QueuePool).execution_options(isolation_level="AUTOCOMMIT")
            for access, project in projects.items():

                def explain(word: str, project: Path = project, url: str = url) -> str:
                    return index(warm_process.run([str(PLAN), word], project, {"DATABASE_URL": url}).output)

                with serving(warm_process, project, url) as client, database.connect() as connection:
                    lines += [f"### {server}, {TITLES[access]}", "", *pages(client, connection, rows), ""]
                    lines += [*searches(client, connection, explain), ""]
            database.dispose()
        for access, project in projects.items():
            for number in (FEW, MANY):
                with new_database(server, folder) as url:
                    warm_process.run(migrate, project, {"DATABASE_URL": url})
                    fill(url, number, number)
                    with serving(warm_process, project, url) as client:
                        of_service = counts.setdefault(f"{TITLES[server.database]}, {TITLES[access]}", {})
                        of_service[number] = statements(client)
    return [*lines, f"With {FEW} users and as many posts · with {MANY:,}:", "", *counts_table(counts), ""]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--on", default="sqlite,postgresql,mysql", help="databases, joined with commas")
    options = parser.parse_args()
    with scratch_folder() as folder, ExitStack() as stack:
        snapshot(folder / "source")
        servers = stack.enter_context(running(options.on.split(","), folder, say))
        warm_process = stack.enter_context(WarmProcess(folder / "logs"))
        say("\n".join(section(servers, warm_process, folder, options.rows)))


if __name__ == "__main__":
    main()
