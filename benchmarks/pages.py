"""Writes docs/performance.md, its plots, docs/mixins/cost.md and a table of docs/telemetry.md from saved results."""

import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import clients, million_rows, mixins, nodes, processes, telemetry
from benchmarks.contenders import CALLS
from benchmarks.plot import bars, lines
from benchmarks.results import load, measured_on
from tests.harness.variants import ROOT, choices

FILES = "https://github.com/copier-fastapi-sqlalchemy/copier-fastapi-sqlalchemy/blob/main/benchmarks"
COMMITS = "https://github.com/copier-fastapi-sqlalchemy/copier-fastapi-sqlalchemy/commit"
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "orm": "ORM", "core": "Core"}
SERVICES = {
    "rendered-core": "rendered, Core",
    "rendered-orm": "rendered, ORM",
    "textbook-core": "textbook, Core",
    "textbook-orm": "textbook, ORM",
    "s3rius": "the shape of s3rius/FastAPI-template",
    "benavlabs": "the shape of benavlabs/FastAPI-boilerplate",
    "full-stack": "the shape of full-stack-fastapi-template",
    "framework": "FastAPI and asyncpg",
    "limit": "Starlette and asyncpg",
}
SERVERS = {"postgresql": "PostgreSQL", "mysql": "MariaDB with Galera"}
SHOWN_CLIENTS = (1, 4, 16, 64, 256)
SEEN_CLIENTS = SHOWN_CLIENTS[2:]
README_ROWS = ("rendered-orm", "rendered-core")
# Where rendered services read requests with httptools; from 1.4.0 on they do with h11.
WITH_HTTPTOOLS = {"47889ccc8", "b5cdaef73", "e620de4a5", "ea361b8ed"}
H11_MS = 0.15
PERFORMANCE = """\
# Performance

How fast is a rendered service? On PostgreSQL, one core answers {orm} times as many requests with the ORM as a service
that follows the tutorials of FastAPI and SQLAlchemy, and {core} times as many with Core. Requests for the CPU time
that the textbook with the ORM takes for one:

{requests}

{since}- **rendered**: what `copier copy` gives, with its default answers, async.
- **textbook**: FastAPI and SQLAlchemy as their tutorials use them, async.
- **the shape of …**: how that template gets a session, reads, writes and commits. We wrote each for this benchmark,
  without its login, middleware and log. That of full-stack-fastapi-template is sync, on psycopg; s3rius' commits after
  the response.
- The last two have SQL written by hand, and the very last JSON, too.

`by key` is `GET /users/{{id}}` with the profile, `page` is `GET /posts` with 20 posts and their tags, `insert` is
`POST /users` with its commit. All answer with the same rows, which the benchmark checks. [The code]({files}/baselines)
of what we compare with is short.

## From 1 to 256 clients

![{clients_title}](performance-clients.svg)

Each client sends its next request as soon as it has an answer: by key, page and insert in turn. Requests per second of
CPU time are what one core answers that has nothing else to do:

{clients}

What the clients saw, with one core for them and the database: requests per second, and the milliseconds that 99 of 100
responses didn't exceed:

{seen}

In every base variant, a request with up to {most_clients} clients takes at most {dip} times the CPU time that it takes
with fewer.

## Each database

What the first table says, for each base variant and the textbook with the same database, driver and data access:

{databases}

On SQLite the rendered service begins each transaction that writes with a statement. That costs CPU time, but writers
wait for each other instead of failing.

## Several machines

![{nodes_title}](performance-nodes.svg)

Writes go to the first server, and reads [to the others](production.md#several-machines) in turn; a commit waits for
all. Of three requests, one inserts. All ran on one machine, so this is worked out from the CPU time that a request
takes of each server: the busiest is the limit, unless the disk or the network is. With one server alone it is 1:

{nodes}

The service is outgrown first: async, with the ORM, it takes {service} times as much CPU time as PostgreSQL and MariaDB,
respectively. More workers, or copies, are the way: with {workers} of them, a request takes {workers_cpu} times the
service's CPU time that it takes with one.

## Start-up and memory

{processes}

## A million posts

A page by cursor costs the same at any depth. With `OFFSET`, the database reads every row that it skips.

![{pages_title}](performance-million-rows.svg)

Milliseconds until the response, the shortest of {million_rows_requests} requests:

{million_rows}

## How it was measured

We measure CPU time where we can, because it isn't affected by other load on the machine. The service runs on one core,
the database and the client on another. The services of a comparison run side by side and get the same requests in turn,
over a few connections; a ratio is the median of about 20 rounds of at least 24 requests. With more clients, each
service is measured for about a second in turn, several times. uvicorn runs with uvloop and httptools, and requests
aren't logged. From 1.4.0 on, a rendered service runs with h11 instead, which takes {h11} ms more for a request.
Measured before: {before}.

`make bench` measures the first table and those of each database, `make bench SECTIONS="clients process"` other
sections. Both need Linux. They write the raw tables and make this page from them:

{measured_on}
"""

COST = """\
# What the mixins cost

The time until a response, as a multiple of the same service without a mixin, and the number of additional statements.
A figure is the median of four base variants: SQLite and PostgreSQL, async, ORM and Core.

{table}

`GET /posts` is a page of 20 posts with their tags; `PATCH` changes a title. The first row is a second service without a
mixin: its distance from 1 shows how exact the other figures are.

`make bench SECTIONS=mixins` sends the same requests to all services in turn. The time of a round is the shortest of
{requests} requests, and a base variant's figure is the median of {rounds} rounds. The raw table has each base variant:

{measured_on}
"""


def write() -> None:
    """Write the pages and the plots."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """Return the text of each page and plot by its path."""
    docs = ROOT / "docs"
    clients_title = "Requests per second of the service's CPU time, by the number of clients (PostgreSQL, async)"
    nodes_title = "Requests that a cluster carries, as a multiple of one server, by its servers"
    pages_title = "Milliseconds for a page of 20, by the posts before it (PostgreSQL, Core)"
    measured = multiples_of_the_textbook()
    performance = PERFORMANCE.format(
        files=FILES,
        orm=span(measured["rendered-orm"]),
        core=span(measured["rendered-core"]),
        requests=requests_table(),
        since=f"{since_measured()}\n\n" if measured_with_httptools("requests") else "",
        h11=H11_MS,
        before=listed(f"{section}.csv" for section in measured_on() if measured_with_httptools(section)),
        clients_title=clients_title,
        clients=clients_table(),
        seen=seen_table(),
        most_clients=clients.VARIANTS_CLIENTS[-1],
        dip=f"{worst_dip():.2f}",
        databases="\n\n".join(database_table(database) for database in choices("database")),
        nodes_title=nodes_title,
        nodes=nodes_table(),
        service=listed(f"{cost:.0f}" for cost in service_costs()),
        workers=listed(map(str, nodes.WORKERS[1:])),
        workers_cpu=listed(dict.fromkeys(f"{cost:.1f}" for cost in workers_costs())),
        processes=processes_table(),
        pages_title=pages_title,
        million_rows=million_rows_table(),
        million_rows_requests=million_rows.REQUESTS,
        measured_on=measured_on_table(),
    )
    cost = COST.format(
        files=FILES,
        table=mixins_table(),
        requests=mixins.REQUESTS,
        rounds=mixins.ROUNDS,
        measured_on=measured_on_table(["mixins"]),
    )
    return {
        ROOT / "README.md": readme(),
        docs / "performance.md": performance,
        docs / "performance-clients.svg": lines(clients_title, [str(number) for number in clients.CLIENTS], rates()),
        docs / "performance-nodes.svg": bars(nodes_title, carried()),
        docs / "performance-million-rows.svg": bars(pages_title, times_by_depth(), " ms"),
        docs / "mixins" / "cost.md": cost,
        docs / "telemetry.md": telemetry_page(docs / "telemetry.md"),
    }


def readme() -> str:
    """Return README.md with the ratios of its table as they were measured."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    measured = multiples_of_the_textbook()
    for name in README_ROWS:
        cells = " | ".join([SERVICES[name], *(f"{ratio:.1f}" for ratio in measured[name].values())])
        text = re.sub(rf"(?m)^\| {SERVICES[name]} \|.*$", f"| {cells} |", text)
    return text


def measured_with_httptools(section: str) -> bool:
    """Return whether the services of a section read requests with httptools."""
    return measured_on()[section]["commit"] in WITH_HTTPTOOLS


def since_measured() -> str:
    """Return what a request takes more since README's table was measured."""
    shares = sorted(
        H11_MS / float(row["least_cpu_ms"])
        for name in README_ROWS
        for row in load("requests", database="postgresql", io="async", service=name, baseline="textbook-orm")
    )
    share = f"{shares[0] * 100:.0f} to {shares[-1] * 100:.0f} %"
    more = f"{H11_MS} ms more CPU time"
    return f"Measured before 1.4.0. Since then a rendered service takes {more} for each of these: {share}."


def telemetry_page(path: Path) -> str:
    """Return the page with the ratios of its table as they were measured: the median of the ORM and Core."""
    text = path.read_text(encoding="utf-8")
    for name in telemetry.SERVICES:
        found = [[float(row["cpu_ratio"]) for row in load("telemetry", service=name, call=call)] for call in CALLS]
        cells = " | ".join([name, *(f"{statistics.median(ratios):.2f}" for ratios in found)])
        text = re.sub(rf"(?m)^\| {name} \|.*$", f"| {cells} |", text)
    return text


def measured_on_table(sections: Sequence[str] = ()) -> str:
    """Return which raw tables there are, and which commit was measured on what."""
    rows = []
    for section, known in measured_on().items():
        if not sections or section in sections:
            file, commit = f"{section}.csv", known["commit"]
            link = f"[`{commit}`]({COMMITS}/{commit.rstrip('+')})"
            rows.append([f"[{file}]({FILES}/results/{file})", link, known["databases"], known["machine"]])
    return table(["table", "commit", "databases", "machine"], rows)


def multiples_of_the_textbook() -> dict[str, dict[str, float]]:
    """Return each service's ratio to the textbook with the ORM by call, on PostgreSQL with asyncpg."""
    ratios: dict[str, dict[str, float]] = {}
    for row in load("requests", database="postgresql", io="async", baseline="textbook-orm"):
        ratios.setdefault(row["service"], {})[row["call"]] = float(row["ratio"])
    return ratios


def span(ratios: Mapping[str, float]) -> str:
    """Return the least and the greatest of some ratios."""
    return f"{min(ratios.values()):.1f} to {max(ratios.values()):.1f}"


def requests_table() -> str:
    """Return the ratios of all services to the textbook with the ORM, on PostgreSQL, async."""
    measured = multiples_of_the_textbook()
    rows = [[title, *(f"{ratio:.2f}" for ratio in measured[name].values())] for name, title in SERVICES.items()]
    return table(["", *CALLS], rows)


def clients_table() -> str:
    """Return the requests per CPU second of each service, by the number of clients."""
    places = [clients.CLIENTS.index(number) for number in SHOWN_CLIENTS]
    rows = [[name, *(f"{values[place]:,.0f}" for place in places)] for name, values in rates().items()]
    return table(["clients", *map(str, SHOWN_CLIENTS)], rows)


def seen_table() -> str:
    """Return the requests per second and the 99th percentile of the time until a response, by the number of clients."""
    head = [f"{number} clients" for number in SEEN_CLIENTS]
    rows = []
    for name, title in SERVICES.items():
        found = {int(row["clients"]): row for row in load("clients", service=name)}
        if found:
            seen = [found[number] for number in SEEN_CLIENTS]
            rows.append([title, *(f"{row['requests_per_second']}/s, {float(row['p99_ms']):,.0f} ms" for row in seen)])
    return table(["", *head], rows)


def rates(section: str = "clients", **wanted: str) -> dict[str, list[float]]:
    """Return the requests per CPU second of each service, by the number of clients."""
    found = {
        title: [float(row["requests_per_cpu_second"]) for row in load(section, service=name, **wanted)]
        for name, title in SERVICES.items()
    }
    return {title: values for title, values in found.items() if values}


def worst_dip() -> float:
    """Return the greatest ratio of a base variant's CPU time per request to that with fewer clients."""
    measured = [
        values
        for database in choices("database")
        for io in choices("io")
        for values in rates("variants", database=database, io=io).values()
    ]
    return max(max(values[: index + 1]) / value for values in measured for index, value in enumerate(values))


def nodes_costs() -> Iterator[tuple[str, int, float, float, float]]:
    """Yield each product and number of servers, with what a request costs the service, the first and the busiest other.

    It is a multiple of what it costs a server alone.
    """
    for database, product in SERVERS.items():
        rows = load("nodes", database=database, workers="1")
        for row in rows:
            costs = [float(row[key]) for key in ("service_ms", "first_ms", "others_ms")]
            service, first, others = (cost / float(rows[0]["first_ms"]) for cost in costs)
            yield product, int(row["nodes"]), service, first, others


def nodes_table() -> str:
    """Return the CPU time of a request in each server, by the number of servers."""
    rows = []
    for product, number, _, first, others in nodes_costs():
        if number > 1:
            rows.append([f"{product}, {number} servers", f"{first:.2f}", f"{others:.2f}"])
    return table(["", "first server", "busiest of the others"], rows)


def carried() -> dict[str, dict[str, float]]:
    """Return how many requests the busiest server leaves room for, by the number of servers."""
    found: dict[str, dict[str, float]] = {}
    for product, number, _, first, others in nodes_costs():
        found.setdefault(str(number), {})[product] = 1 / max(first, others)
    return found


def service_costs() -> list[float]:
    """Return how many times as much CPU time a request takes of the service as of one server, for each product."""
    return [service for _, number, service, _, _ in nodes_costs() if number == 1]


def workers_costs() -> list[float]:
    """Return the CPU time of a request with several workers, for that with one."""
    one, *several = [float(row["service_ms"]) for row in load("nodes", database="postgresql", nodes="1")]
    return [cost / one for cost in several]


def listed(texts: Iterable[str]) -> str:
    """Return texts as a sentence lists them: "1, 2 and 4"."""
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def processes_table() -> str:
    """Return the start-up time and the memory of the rendered services and the textbooks."""
    rows = []
    for row in load("process"):
        sizes = [f"{float(row[key]):.0f} MB" for key in ("memory_mb", "memory_mb_later")]
        rows.append([SERVICES[row["service"]], f"{float(row['start_cpu_seconds']):.2f} s", *sizes])
    head = ["PostgreSQL, async", "CPU time until the first answer", "memory then"]
    return table([*head, f"memory after {processes.REQUESTS:,} requests"], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def database_table(database: str) -> str:
    """Return the ratios of each base variant of a database to its textbook."""
    rows = []
    for io in choices("io"):
        for access in choices("data_access"):
            services = {"service": f"rendered-{access}", "baseline": f"textbook-{access}"}
            found = load("requests", database=database, io=io, **services)
            rows.append([f"{io}, {TITLES[access]}", *(row["ratio"] for row in found)])
    return table([TITLES[database], *CALLS], rows)


def million_rows_table() -> str:
    """Return the times of the first page, the last one, and of searches."""
    head, rows = [], []
    for database, accesses in million_rows.ACCESSES.items():
        for access in accesses:
            found = load("million-rows", database=database, data_access=access)
            pages = [row for row in found if row["call"] == "GET /posts"]
            searches = [row for row in found if row["call"] == "GET /posts/search"]
            head = ["", "first page", f"page after {int(pages[-1]['rows']):,} posts"]
            head += [f"search that finds {int(row['rows']):,}" for row in searches]
            times = [row["least_ms"] for row in (pages[0], pages[-1], *searches)]
            rows.append([f"{TITLES[database]}, {TITLES[access]}", *(f"{float(time):.1f}" for time in times)])
    return table(head, rows)


def times_by_depth() -> dict[str, dict[str, float]]:
    """Return the times of pages on PostgreSQL, by the rows before them."""
    times: dict[str, dict[str, float]] = {}
    for call in ("GET /posts", "SQL with OFFSET"):
        for row in load("million-rows", database="postgresql", data_access="core", call=call):
            times.setdefault(f"{int(row['rows']):,}", {})[call] = float(row["least_ms"])
    return times


def mixins_table() -> str:
    """Return the median costs of each set of mixins."""
    rows = []
    for name in list(mixins.SETS)[1:]:
        shown = f"`{name}`" if name in choices("mixins") else name
        rows.append([shown, *(cost(name, call) for call in mixins.calls(0))])
    return table(["mixins", *(f"`{call}`" for call in mixins.calls(0))], rows)


def cost(name: str, call: str) -> str:
    """Return the time of a call with these mixins, and how many statements it takes more."""
    own, plain = (load("mixins", mixins=chosen, call=call) for chosen in (name, mixins.NONE))
    time = statistics.median(float(row["time_ratio"]) for row in own)
    more = sorted({int(a["statements"]) - int(b["statements"]) for a, b in zip(own, plain, strict=True)})
    return f"{time:.2f}" + (f", +{' or '.join(map(str, more))}" if any(more) else "")
