"""Runs benchmarks, saves their results, and writes the pages that show them.

`make bench` measures requests, in five minutes, and `make bench SECTIONS="mixins million-rows"` other sections. What
isn't measured keeps its saved results.
"""

import argparse
import os
import time
from contextlib import ExitStack

from benchmarks import clients, cpu_per_request, million_rows, mixins, nodes, pages, processes, results, telemetry
from benchmarks.services import CLIENT_CORE, Bench
from tests.harness.demo import say
from tests.harness.rendering import snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.servers import running
from tests.harness.variants import choices

SECTIONS = {
    "requests": cpu_per_request.measure,
    "clients": clients.measure,
    "variants": clients.measure_variants,
    "process": processes.measure,
    "mixins": mixins.measure,
    "telemetry": telemetry.measure,
    "million-rows": million_rows.measure,
    "nodes": nodes.measure,
}


def main() -> None:
    """Run the sections that the command line names, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="sections to measure (default: requests)")
    parser.add_argument("--databases", nargs="+", choices=choices("database"), default=choices("database"))
    parser.add_argument("--quick", action="store_true", help="send a few requests to check that it works; save nothing")
    parser.add_argument("--pages", action="store_true", help="measure nothing, write the pages from the saved results")
    options = parser.parse_args()
    if not options.quick and set(options.databases) != set(choices("database")):
        parser.error("--databases needs --quick, as the results have all databases")
    if not options.pages:
        run(options.sections or ["requests"], options.databases, quick=options.quick)
    if not options.quick:
        pages.write()


def run(sections: list[str], databases: list[str], *, quick: bool) -> None:
    """Measure sections and save each one's results, or print them if `quick` is set."""
    busy = os.getloadavg()[0]
    if not quick:
        os.sched_setaffinity(0, {CLIENT_CORE})  # inherited by the database servers
    with scratch_folder() as folder, ExitStack() as stack:
        servers = stack.enter_context(running(databases, folder, say))
        bench = Bench(servers, snapshot(folder / "source"), folder, quick)
        for section in sections:
            start = time.monotonic()
            rows = SECTIONS[section](bench)
            if quick:
                say(results.to_csv(rows))
            else:
                results.save(section, rows, servers, busy)
            say(f"{section}: {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
