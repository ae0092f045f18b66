"""./dev bench registry: measures the registry as a service with 100,000 models: changes until they are in force in a
router, the start of a router, lists and reads of the API, resolution, and the API under load.

Needs the release build, which ./dev bench registry makes. Starts a Kafka, a PostgreSQL and a Tokenrail of its own under
.dev/bench, and ends them. What each figure is, and what it is not: docs/reference/performance.md."""

import argparse
import datetime
import json
import os
import resource
import statistics
import sys

from installation import BIN, DEV_DIR, dev
from registry_measures import Registry, progress
from report import Results, machine, print_table, publish_registry

median = statistics.median


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench registry", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer models and shorter runs: a look, not a measurement")
    parser.add_argument("--publish", action="store_true", help="write the result into docs/reference")
    parser.add_argument("--only", default="", help="comma-separated: start, changes, reads, resolve, load")
    parser.add_argument("--keep", action="store_true", help="leave Kafka and PostgreSQL running for the next run")
    options = parser.parse_args()
    if options.publish and (options.quick or options.only):
        parser.error("--publish wants the whole measurement, without --quick and --only")
    return options


class RegistryResults(Results):
    """Rows of the table of the registry."""

    def start(self, models, few, many, memory):
        self.raw["start"] = {"models": models, "seconds_few": few, "seconds": many, **memory}
        self.row(f"start of a router to ready, {models:,} models", f"{median(many):.2f} s; at most {max(many):.2f} s",
                 f"with {memory['few_models']} models {median(few):.2f} s", "≤ 5 s", max(many) <= 5)
        self.row("resident memory of a router, for each model", f"{memory['router_bytes_a_model'] / 1024:.1f} KiB",
                 f"its record on the topic {memory['record_bytes'] / 1024:.1f} KiB; in the API "
                 f"{memory['api_bytes_a_model'] / 1024:.1f} KiB", "", None)

    def changes(self, models, times):
        force, answered, round_trip = times["in_force_ms"], times["answered_ms"], times["round_trip_ms"]
        self.raw["changes"] = times
        self.row(f"a change by API until a router acts by it, {len(force)} changes, {models:,} models",
                 f"median {median(force):.0f} ms, at most {max(force):.0f} ms",
                 f"until the API has answered {median(answered):.0f} ms; a request through the router without a change "
                 f"{median(round_trip):.0f} ms", "each ≤ 1 s", max(force) <= 1000, "median ≤ 250 ms", median(force) <= 250)

    def reads(self, models, names):
        self.raw["reads_us"] = names
        for name, us in names.items():
            if name in ("page", "capability", "one"):
                titles = {"page": "API: a page of 50 models, in any part of the list",
                          "capability": "API: a page of 50 models that have a capability",
                          "one": "API: one model"}
                self.row(f"{titles[name]}, {models:,} models", f"p50 {us['p50'] / 1000:.1f} ms, p99 {us['p99'] / 1000:.1f} ms",
                         f"an answer without the database p50 {names['livez']['p50'] / 1000:.2f} ms", "", None,
                         "p99 ≤ 100 ms", us["p99"] <= 100_000)
        others = "; ".join(f"{name.replace('_', ' ')} {us['p50'] / 1000:.0f} and {us['p99'] / 1000:.0f} ms"
                           for name, us in names.items() if name not in ("page", "capability", "one", "livez"))
        self.row(f"API: other lists, {models:,} models, p50 and p99", others, "none", "", None)

    def load(self, readers, writers, runs):
        self.raw["load"] = runs
        alone, whole, bare = runs["alone"], runs["beside_slow_clients"], runs["without_the_database"]
        failed = sum(count for status, count in whole["statuses"].items() if status[0] == "5")
        ms = lambda us: f"p50 {us['p50'] / 1000:.0f} ms, p99 {us['p99'] / 1000:.0f} ms"  # noqa: E731
        # Nobody is harmed: what a run differs from the next one by itself is less than half.
        unharmed = whole["reads_us"]["p99"] <= 1.5 * alone["reads_us"]["p99"]
        seconds = whole["wall_us"] / 1e6
        self.row(f"API: {readers} readers and {writers} writers for {seconds:.0f} s, two slow clients beside them: reads",
                 f"{ms(whole['reads_us'])}; {whole['reads_us']['count'] / seconds:,.0f} a second",
                 f"without the slow clients {ms(alone['reads_us'])}; answers without the database "
                 f"{ms(bare['reads_us'])}, {bare['reads_us']['count'] / bare['wall_us'] * 1e6:,.0f} a second",
                 "as without slow clients", unharmed)
        self.row("the same: writes", f"{ms(whole['writes_us'])}; {whole['writes_us']['count'] / seconds:,.0f} a second",
                 f"without the slow clients {ms(alone['writes_us'])}", "", None)
        self.row("the same: answers with a status of 5xx", f"{failed} of {sum(whole['statuses'].values()):,}", "none", "0",
                 failed == 0)
        self.row("the same: resident memory of the API at its peak", f"{runs['peak_bytes'] / 2**20:.0f} MiB",
                 f"before it {runs['before_bytes'] / 2**20:.0f} MiB", "", None)
        cut = runs["cut_off_s"]
        self.row("the same: until a slow client is cut off",
                 f"{cut['byte_a_second']:.0f} s where it sends a byte a second, {cut['slow_reader']:.0f} s where it takes no answer",
                 "TOKENRAIL_API_REQUEST_TIMEOUT and _WRITE_TIMEOUT are 30 s", "≤ 40 s", max(cut.values()) <= 40)


def main():
    options = arguments()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name in ("tokenrail-registry-api", "tokenrail-bench-api"):
        if not (BIN / name).exists():
            sys.exit(f"{name} is not built. Run ./dev bench registry, or ./dev build release")
    about = {"command": "./dev bench registry" + (" --quick" if options.quick else ""),
             "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
             "machine": machine(), "scheduling": "ordinary", "load_before": os.getloadavg()[0], "partitions": 4}
    results = RegistryResults()
    registry = None
    try:
        registry = Registry(options.quick)
        measure(registry, results, options.only.split(",") if options.only else ["start", "changes", "reads", "resolve", "load"])
    finally:
        if registry:
            registry.close()
        if not options.keep:
            for part in ("kafka", "postgres"):
                dev(part, "stop", "--wipe")
    about["load_after"] = os.getloadavg()[0]
    document = {"about": about, **results.document()}
    DEV_DIR.mkdir(parents=True, exist_ok=True)
    (DEV_DIR / "registry.json").write_text(json.dumps(document, indent=2) + "\n")
    print_table(document)
    print(f"\nAll numbers: {(DEV_DIR / 'registry.json').relative_to(DEV_DIR.parents[1])}")
    if options.publish:
        publish_registry(document)
        print("Written: docs/reference/performance.md and performance-registry.json")


def measure(registry, results, parts):
    few, few_memory = registry.start_routers()
    filled = registry.fill()
    progress(f"{registry.models:,} models published in {filled:.1f} s")
    many, memory = registry.start_routers()
    progress(f"router ready in {median(many):.2f} s with {registry.models:,} models, {median(few):.2f} s with few")
    if "start" in parts:
        results.start(registry.models, few, many, registry.memory(few_memory, memory))
    if "changes" in parts:
        results.changes(registry.models, registry.changes())
    if "reads" in parts:
        results.reads(registry.models, registry.reads())
    if "resolve" in parts:
        results.resolve(registry.resolution())
    if "load" in parts:
        results.load(registry.readers, registry.writers, registry.load())


if __name__ == "__main__":
    main()
