"""Writes docs/performance.md, its plots, and docs/mixins/cost.md from the saved results."""

import statistics
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from benchmarks import cpu_per_request, million_rows, mixins
from benchmarks.plot import bars
from benchmarks.results import load, measured_on
from tests.harness.variants import ROOT, choices

FILES = "https://github.com/copier-fastapi-sqlalchemy/copier-fastapi-sqlalchemy/blob/main/benchmarks"
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "orm": "ORM", "core": "Core"}
PERFORMANCE = """\
# Performance

How fast is a rendered service, compared with what else one could write? On PostgreSQL with asyncpg, one core answers
{orm} times as many requests with the ORM as a service that follows the tutorials, and {core} times as many with
Core.

![{requests_title}](performance-requests.svg)

- **limit**: Starlette and asyncpg, with SQL and JSON written by hand.
- **framework**: FastAPI and asyncpg, with SQL written by hand.
- **textbook**: FastAPI and SQLAlchemy, as their tutorials use them.
- **rendered**: what `copier copy` gives, with its default answers.

`by key` is `GET /users/{{id}}` with the profile, `page` is `GET /posts` with 20 posts and their tags, `insert` is
`POST /users` with its commit. [The code]({files}/baselines)
of what we compare with is short.

## Each database

How many requests the rendered service answers with the CPU time that its textbook takes for one, with the same
database, driver and data access:

{databases}

On SQLite the rendered service begins each transaction that writes with a statement. That costs CPU time, but writers
wait for each other instead of failing.

## A million posts

A page by cursor costs the same at any depth. With `OFFSET`, the database reads every row that it skips.

![{pages_title}](performance-million-rows.svg)

Milliseconds until the response, the shortest of {requests} requests:

{million_rows}

## How it was measured

We measure CPU time per request, because it isn't affected by other load on the machine. The service runs on one core,
the database and the client on another. The services of a comparison run side by side and get the same requests in
turn, over four connections; a figure is the median ratio of {rounds} rounds of {per_round} requests. uvicorn runs with
uvloop, httptools and no access log.

The figures are those of version {version}, measured on {machine}, with
{servers}.

## Measure it yourself

```console
make bench
make bench SECTIONS=requests
```

The second command measures one section: `requests`, `mixins` or `million-rows`. Both need Linux. They write the raw
tables and make this page from them:

- [requests.csv]({files}/results/requests.csv), with quartiles
- [million-rows.csv]({files}/results/million-rows.csv)
- [mixins.csv]({files}/results/mixins.csv), which [What the mixins cost](mixins/cost.md) sums up
"""

COST = """\
# What the mixins cost

The time until a response, as a multiple of the same service without a mixin, and the number of additional statements.
A figure is the median of four base variants: SQLite and PostgreSQL, async, ORM and Core.

{table}

`GET /posts` is a page of 20 posts with their tags; `PATCH` changes a title. The first row is a second service without a
mixin: its distance from 1 shows how exact the other figures are.

`make bench SECTIONS=mixins` sends the same requests to all services in turn. The time of a round is the shortest of
{requests} requests, and a base variant's figure is the median of {rounds} rounds. The figures are those of version
{version}, measured on {machine}, with {servers}.
[The raw table]({files}/results/mixins.csv)
has each base variant.
"""


def write() -> None:
    """Write the pages and the plots."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """Return the text of each page and plot by its path."""
    docs = ROOT / "docs"
    requests_title = "Requests per CPU time, as a multiple of the textbook with the ORM (PostgreSQL, asyncpg)"
    pages_title = "Milliseconds for a page of 20, by the posts before it (PostgreSQL, Core)"
    multiples = multiples_of_the_textbook()
    performance = PERFORMANCE.format(
        **environment("requests"),
        orm=span(multiples["rendered-orm"].values()),
        core=span(multiples["rendered-core"].values()),
        requests_title=requests_title,
        pages_title=pages_title,
        databases="\n\n".join(database_table(database) for database in choices("database")),
        million_rows=million_rows_table(),
        requests=million_rows.REQUESTS,
        rounds=cpu_per_request.ROUNDS,
        per_round=cpu_per_request.REQUESTS,
    )
    cost = COST.format(**environment("mixins"), table=mixins_table(), requests=mixins.REQUESTS, rounds=mixins.ROUNDS)
    named = {", ".join(TITLES.get(part, part) for part in name.split("-")): row for name, row in multiples.items()}
    return {
        docs / "performance.md": performance,
        docs / "performance-requests.svg": bars(requests_title, named),
        docs / "performance-million-rows.svg": bars(pages_title, times_by_depth(), " ms"),
        docs / "mixins" / "cost.md": cost,
    }


def environment(section: str) -> dict[str, str]:
    """Return what a page says of where a section was measured."""
    known = measured_on()[section]
    servers = " and ".join(known["databases"].rsplit(", ", 1))
    return {"version": known["version"], "machine": known["machine"], "servers": servers, "files": FILES}


def multiples_of_the_textbook() -> dict[str, dict[str, float]]:
    """Return each service's ratio to the textbook with the ORM by call, on PostgreSQL with asyncpg."""
    ratios: dict[str, dict[str, float]] = {}
    for row in load("requests", database="postgresql", io="async", baseline="textbook-orm"):
        ratios.setdefault(row["service"], {})[row["call"]] = float(row["ratio"])
    return ratios


def span(values: Collection[float]) -> str:
    """Return the least and the greatest of some ratios."""
    return f"{min(values):.1f} to {max(values):.1f}"


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
    return table([TITLES[database], *cpu_per_request.CALLS], rows)


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
