"""Shows a run of the matrix as one page of HTML: a heat map of the variants for each check, and what failed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from tests.harness.records import RECORDS, Record, Result
from tests.harness.variants import Variant, choices

PAGE = RECORDS.with_suffix(".html")
STEPS = 7
MINUTE = 60
STYLE = Path(__file__).with_suffix(".css")
LETTERS = {"timestamps": "T", "soft_delete": "S", "audit_log": "A", "optimistic_locking": "L", "full_text_search": "F"}


def write(record: Record, path: Path = PAGE) -> Path:
    """Write the page of `record` to `path` and give the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines_of(record)), encoding="utf-8")
    return path


def lines_of(record: Record) -> Iterator[str]:
    """Give the lines of the page."""
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>The matrix</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>"
    yield from heading(record)
    yield from failures(record)
    yield from steps(record)
    yield from maps(record)
    yield from parts(record)


def heading(record: Record) -> Iterator[str]:
    """Say what ran, where, when and for how long."""
    targets = {result.target for result in record.results if result.target}
    variants = {target.partition(":")[0] for target in targets}
    tests, failed = sum(result.tests for result in record.results), len(record.failures)
    state = f'<span class="bad">{failed} failed</span>' if failed else "none failed"
    servers = sorted({record.servers[target] for target in targets})
    yield "<h1>The matrix</h1>"
    yield f"<p>{len(variants)} variants, {tests:,} tests, {state}, in {duration(record.seconds)}</p>"
    yield f'<p class="soft">{escape(", ".join(servers))} · {escape(record.title)} · {record.started}</p>'


def failures(record: Record) -> Iterator[str]:
    """List what failed, each with the command that repeats it."""
    if not record.failures:
        return
    yield '<h2>Failures</h2>\n<table class="list">\n<tr><th>test<th>what it said<th>repeat'
    for failure in record.failures:
        cells = (failure.test, failure.says, failure.repeat)
        yield "<tr>" + "".join(f"<td><code>{escape(cell)}</code>" for cell in cells)
    yield "</table>"


def steps(record: Record) -> Iterator[str]:
    """Say how many variants went through each step."""
    if not (table := record.table_of_steps()):
        return
    yield '<h2>Every variant</h2>\n<table class="list">'
    for number, row in enumerate(table):
        tag = "td" if number else "th"
        yield "<tr>" + "".join(f"<{tag}>{escape(cell)}" for cell in row)
    yield "</table>"


def parts(record: Record) -> Iterator[str]:
    """Add up each part."""
    by_part: dict[str, list[Result]] = defaultdict(list)
    for result in record.results:
        by_part[result.part].append(result)
    totals = {part: sum(result.seconds for result in results) for part, results in by_part.items()}
    yield '<h2>Parts</h2>\n<table class="list">'
    names = ("variants", "tests", "failed", "time", "each")
    yield "<tr><th>part" + "".join(f'<th class="n">{name}' for name in names)
    for part, results in sorted(by_part.items(), key=lambda pair: -totals[pair[0]]):
        on = [result for result in results if result.target]
        cells = [
            f"{len(on):,}" if on else "",
            f"{sum(result.tests for result in results):,}",
            str(sum(result.failed for result in results)),
            duration(totals[part]),
            f"{totals[part] / len(on):.1f} s" if on else "",
        ]
        yield f"<tr><td>{escape(part)}" + "".join(f'<td class="n">{cell}' for cell in cells)
    yield "</table>"


def maps(record: Record) -> Iterator[str]:
    """Draw a map for each part that ran on variants, in the order in which they run."""
    by_part: dict[str, dict[str, Result]] = defaultdict(dict)
    for result in record.results:
        if result.target:
            by_part[result.part][result.target] = result
    if not by_part:
        return
    rows = ", ".join(f"{letter_of(mixin)} {mixin}" for mixin in choices("mixins"))
    columns = ", ".join(f"{initials(column)} {column}" for column in columns_of_each())
    yield "<h2>Variants</h2>"
    yield f'<p class="soft">A row for each set of mixins: {rows}. A column for each base variant: {columns}.</p>'
    scale = "".join(f'<i class="c{step}"></i>' for step in range(STEPS))
    yield f'<p class="soft key">Seconds from the least to the most: {scale}. Failed: <i class="f"></i>.</p>'
    yield '<div class="maps">'
    for part, results in by_part.items():
        yield from heat_map(part, results, record.servers)
    yield "</div>"


def heat_map(part: str, results: dict[str, Result], servers: dict[str, str]) -> Iterator[str]:
    """Draw the map of one part: a row for each set of mixins, a column for each base variant and server."""
    cells: dict[tuple[bool, tuple[str, ...]], dict[tuple[str, str], Result]] = defaultdict(dict)
    for target, result in results.items():
        variant = Variant.parse(target.partition(":")[0])
        cells[variant.example, variant.mixins][servers[target], f"{variant.io} {variant.data_access}"] = result
    groups = [
        server
        for server in dict.fromkeys(servers.values())
        if any(server == key[0] for row in cells.values() for key in row)
    ]
    seconds = sorted(result.seconds for result in results.values())
    low, high = seconds[0], seconds[-1]
    yield f'<table class="map">\n<caption>{escape(part)} <small>{low:.1f} to {high:.1f} s</small></caption>\n<thead>'
    each = columns_of_each()
    yield "<tr><th>" + "".join(f'<th colspan="{len(each)}">{escape(server)}' for server in groups)
    yield '<tr class="s"><th>' + "".join(f"<th>{initials(column)}" for _ in groups for column in each) + "\n<tbody>"
    for example in (True, False):
        sets = [mixins for with_it, mixins in cells if with_it == example]
        if sets and not example:
            yield f'<tr class="rest"><th colspan="{1 + len(each) * len(groups)}">without the example'
        for mixins in sorted(sets, key=order_of):
            row = cells[example, mixins]
            drawn = (
                cell(row.get((server, column)), low, high, gap=column == each[0] and server != groups[0])
                for server in groups
                for column in each
            )
            yield f"<tr><th>{row_label(mixins)}" + "".join(drawn)
    yield "</table>"


def cell(result: Result | None, low: float, high: float, *, gap: bool) -> str:
    """Draw the cell of a result: its colour tells its time, its title the figures."""
    edge = " g" if gap else ""
    if result is None:
        return f'<td class="{edge.strip()}">' if gap else "<td>"
    if result.failed:
        return f'<td class="f{edge}" title="{result.failed} of {result.tests} failed">!'
    step = min(STEPS - 1, int((result.seconds - low) / (high - low or 1) * STEPS))
    kind = f'"c{step}{edge}"' if edge else f"c{step}"
    return f'<td class={kind} title="{result.seconds:.1f} s, {result.tests}">'


def columns_of_each() -> list[str]:
    """Name the columns that each server has."""
    return [f"{io} {data_access}" for io in choices("io") for data_access in choices("data_access")]


def initials(column: str) -> str:
    """Shorten the name of a column to the first letters of its words."""
    return "".join(word[0] for word in column.split())


def order_of(mixins: tuple[str, ...]) -> tuple[int, list[int]]:
    """Put small sets before large ones, in copier.yml's order."""
    return len(mixins), [choices("mixins").index(name) for name in mixins]


def letter_of(mixin: str) -> str:
    """Give the letter that stands for a mixin."""
    return LETTERS.get(mixin, mixin[:1].upper())


def row_label(mixins: Iterable[str]) -> str:
    """Write a set of mixins as letters in columns."""
    chosen = set(mixins)
    return "".join(letter_of(name) if name in chosen else "·" for name in choices("mixins"))


def duration(seconds: float) -> str:
    """Write a time as one says it."""
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
