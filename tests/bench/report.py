"""What was measured, held against the budget: as a table, as JSON, as pictures and as a page."""

import json
import os
import pathlib
import platform
import re
import statistics
import subprocess

import picture

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
BEGIN, END = "<!-- measured: written by ./dev bench --publish -->", "<!-- end of what was measured -->"
REGISTRY_BEGIN = "<!-- measured: written by ./dev bench registry --publish -->"
REGISTRY_END = "<!-- end of what was measured of the registry -->"
RESIDENT_MIB_MAX = 512  # tests/integration/test_bounds.py holds every build to it

median = statistics.median


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values), "runs": values}


def machine():
    cpu = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "librdkafka1", "libcurl4"],
                              capture_output=True, text=True).stdout
    found = dict(line.split() for line in versions.splitlines())
    kernel = re.match(r"[0-9.]+", platform.release()).group(0)
    return {"cpu": cpu.group(1) if cpu else platform.machine(), "cores": os.cpu_count(), "memory_gib": round(memory),
            "kernel": f"{platform.system()} {kernel}", "librdkafka": found.get("librdkafka1", "unknown"),
            "libcurl": found.get("libcurl4", "unknown")}


def between(values, digits):
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}…{max(values):.{digits}f})"


class Results:
    """Rows of the table, and the raw numbers behind them."""

    def __init__(self):
        self.rows = []
        self.raw = {}

    def row(self, figure, value, beside, budget, met, aim="", aim_met=None):
        self.rows.append({"figure": figure, "value": value, "beside": beside, "budget": budget, "met": met, "aim": aim,
                          "aim_met": aim_met})

    def cpu(self, name, floors, routers):
        titles = {"saturated": "CPU per streamed chunk, saturated, 64 streams, a line a packet",
                  "saturated_bulk": "the same, many lines a packet",
                  "paced": "CPU per streamed chunk, paced, 500 streams with a chunk each 50 ms"}
        pairs = [r / f for f, r in zip(floors, routers)]
        ratio = median(routers) / median(floors)
        # Where the machine is noisy the two ways to take a ratio differ; the worse one decides.
        decisive = max(ratio, median(pairs))
        self.raw[name] = {"floor_us": spread(floors), "router_us": spread(routers), "ratio": ratio, "pairs": spread(pairs)}
        self.row(titles[name], f"{between(routers, 1)} µs; {ratio:.2f} × floor, pair by pair {between(pairs, 2)}",
                 f"floor {between(floors, 1)} µs", "≤ 1.3 × floor", decisive <= 1.3, "below the floor", decisive < 1)

    def adapters(self, costs):
        """The whole router with each adapter beside itself with Ollama's, round by round."""
        beside = costs["ollama"]
        self.raw["adapters_us"] = {adapter: spread(values) for adapter, values in costs.items()}
        for adapter, values in sorted(costs.items()):
            if adapter == "ollama":
                continue
            ratios = [value / base for value, base in zip(values, beside)]
            self.row(f"CPU per streamed chunk, saturated, 64 streams, adapter {adapter}",
                     f"{median(values):.2f} µs; {between(ratios, 2)} × Ollama's", f"ollama {median(beside):.2f} µs",
                     "≤ 1.5 ×", median(ratios) <= 1.5, "≤ 1.0 ×", median(ratios) <= 1.0)

    def tls(self, costs, streams, idle, handshakes):
        """Streams over TLS beside streams without."""
        self.raw["tls"] = {"chunk_us": {name: spread(values) for name, values in costs.items()},
                           "streams": streams, "idle_bytes": idle, "handshakes": handshakes}
        ratios = [over / without for over, without in zip(costs["tls"], costs["plain"])]
        self.row("CPU per streamed chunk over TLS, saturated, 64 streams",
                 f"{median(costs['tls']):.2f} µs; {between(ratios, 2)} × without TLS", f"without {median(costs['plain']):.2f} µs",
                 "", None)
        self.row(f"resident memory per idle stream over TLS, {streams:,} of them", f"{idle / 1024:.1f} KiB", "", "", None)
        self.row(f"TLS handshakes of these {streams:,} streams that resume a session", f"{handshakes['resumed']:,}",
                 f"of {handshakes['handshakes']:,}", "", None)

    def decoders(self, costs):
        """Each adapter's decoder beside Ollama's, round by round: a part of the chunk's cost, for information."""
        beside = costs["ollama"]
        self.raw["decoders_ns"] = {adapter: spread(values) for adapter, values in costs.items()}
        for adapter, values in sorted(costs.items()):
            if adapter == "ollama":
                continue
            ratios = [value / base for value, base in zip(values, beside)]
            self.row(f"CPU to decode a chunk of text, adapter {adapter}",
                     f"{median(values):.0f} ns; {between(ratios, 2)} × Ollama's", f"ollama {median(beside):.0f} ns",
                     "", None)

    def resolve(self, costs):
        """Resolution of one request among 10,000 models and 1,000 organisations."""
        self.raw["resolve_ns"] = {way: spread(values) for way, values in costs.items()}
        way, values = max(costs.items(), key=lambda entry: median(entry[1]))
        self.row("CPU to resolve a request, 10,000 models, 1,000 organisations",
                 f"{median(costs['named']) / 1000:.1f} µs by name; {median(values) / 1000:.1f} µs at most ({way})", "none",
                 "≤ 20 µs", median(values) <= 20_000, "≤ 5 µs", median(values) <= 5_000)

    def growth(self, points):
        for point in points:
            point["ratio"] = median([r / f for f, r in zip(point["floor"], point["router"])])
        self.raw["growth"] = points
        few = next(p for p in points if p["streams"] == 500)
        last = points[-1]
        grown = median(last["router"]) / median(few["router"])
        floor_grown = median(last["floor"]) / median(few["floor"])
        self.row(f"growth: CPU per chunk at {last['streams']:,} streams over that at 500, the same chunks a second",
                 f"{grown:.2f} ×", f"floor {floor_grown:.2f} ×",
                 "≤ 1.3 ×", grown <= 1.3, "≤ 1.0 ×", grown <= 1.0)
        shown = last["streams"] >= 10_000
        self.row("concurrent streams in one process", f"{last['streams']:,} held, every answer whole",
                 "" if shown else "more only with --full", "10,000", shown or None, "50,000", None)

    def requests(self, costs):
        chunk = self.raw.get("saturated", {}).get("router_us", {}).get("median", 0)
        around = [cost - 2 * chunk for cost in costs]
        self.raw["requests"] = {"whole_us": spread(costs), "around_us": spread(around), "chunk_us": chunk}
        self.row("CPU per request around its chunks, 256 at a time", f"{between(around, 0)} µs",
                 f"whole {median(costs):.0f} µs less 2 chunks", "≤ 150 µs", median(around) <= 150, "≤ 100 µs",
                 median(around) <= 100)

    def latency(self, rate, runs):
        table = {side: {p: spread([run[side][p] / 1000 for run in runs]) for p in ("p50", "p90", "p99", "p999")}
                 for side in ("bare", "floor", "router")}
        added = {p: spread([(run["router"][p] - run["bare"][p]) / 1000 for run in runs]) for p in ("p50", "p99")}
        self.raw["latency"] = {"rate": rate, "ms": table, "added_ms": added}
        for p, budget, aim in (("p50", 0.2, 0.05), ("p99", 1.0, None)):
            # Nothing is faster for going through a router: where every run says so, the machine was disturbed.
            nonsense = added[p]["max"] < 0
            self.row(f"latency added to a chunk, {p}, {rate:,} chunks a second", f"{between(added[p]['runs'], 2)} ms",
                     f"router {table['router'][p]['median']:.2f}, floor {table['floor'][p]['median']:.2f}, bare "
                     f"{table['bare'][p]['median']:.2f} ms", f"≤ {budget:g} ms",
                     None if nonsense else added[p]["median"] <= budget,
                     f"≤ {aim} ms" if aim else "", added[p]["median"] <= aim if aim and not nonsense else None)

    def account(self, requests, read):
        """What the owner reads of its audit log to know that it is still the owner, in quiet times."""
        self.raw["account"] = {"requests": requests, "records_read": read}
        self.row("records of its own logs that an owner reads back, undisturbed", f"{read:.0f}",
                 f"over {requests:,} requests, all of them answered", "0", read == 0)

    def calls(self, rate, runs, replicated):
        p50, p99 = [r["p50"] / 1000 for r in runs], [r["p99"] / 1000 for r in runs]
        three = {p: [r[p] / 1000 for r in replicated] for p in ("p50", "p99")}
        self.raw["calls"] = {"rate": rate, "p50_ms": spread(p50), "p99_ms": spread(p99),
                             "three_replicas_p50_ms": spread(three["p50"]), "three_replicas_p99_ms": spread(three["p99"])}
        self.row(f"from a request's fetch to its provider call, p50, {rate} requests a second, one replica",
                 f"{between(p50, 2)} ms", f"p99 {between(p99, 1)} ms; three brokers and replicas on the same machine, "
                 f"{rate // 2} a second: p50 "
                 f"{between(three['p50'], 2)} ms, p99 {between(three['p99'], 1)} ms", "≤ 2 ms", median(p50) <= 2, "≤ 1.7 ms",
                 median(p50) <= 1.7)

    def memory(self, streams, floor, router):
        self.raw["memory"] = {"streams": streams, "floor_bytes": floor, "router_bytes": router}
        self.row(f"resident memory per idle stream, {streams:,} of them", f"{router / 1024:.1f} KiB",
                 f"floor (HTTP alone) {floor / 1024:.1f} KiB", "≤ 24 KiB", router <= 24 * 1024, "≤ 12 KiB",
                 router <= 12 * 1024)

    def start(self, few, many):
        self.raw["start"] = {"seconds_2_models": spread(few), "seconds_10000_models": spread(many)}
        self.row("start to ready with 10,000 models", f"{between(many, 2)} s", f"with two models {median(few):.2f} s",
                 "≤ 2 s", median(many) <= 2, "≤ 1 s", median(many) <= 1)

    def abuse(self, peaks):
        mib = {name: value / 2**20 for name, value in peaks.items()}
        self.raw["abuse_peak_mib"] = mib
        self.row("resident memory at its peak under abuse", f"{max(mib.values()):.0f} MiB",
                 f"ready {mib['ready']:.0f} MiB", f"≤ {RESIDENT_MIB_MAX} MiB", max(mib.values()) <= RESIDENT_MIB_MAX)

    def document(self):
        return {"rows": self.rows, "raw": self.raw}


# --- as a table -------------------------------------------------------------------------------------------------------

def verdict(met):
    return "not measured" if met is None else "met" if met else "not met"


def cells(row):
    return [row["figure"], row["value"], row["beside"], row["budget"], verdict(row["met"]) if row["budget"] else "", row["aim"],
            verdict(row["aim_met"]) if row["aim"] else ""]


HEAD = ["figure", "measured", "beside it", "budget", "", "aim", ""]


def print_table(document):
    print()
    print(about_line(document))
    for row in document["rows"]:
        print(f"\n{row['figure']}\n    {row['value']}" + (f"   [{row['beside']}]" if row["beside"] else ""))
        held = [f"{name} {row[name]}: {verdict(row[met])}" for name, met in (("budget", "met"), ("aim", "aim_met")) if row[name]]
        if held:
            print("    " + "; ".join(held))


def about_line(document):
    about, m = document["about"], document["about"]["machine"]
    return (f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['kernel']}; librdkafka {m['librdkafka']}, libcurl "
            f"{m['libcurl']}; {about['date']}; load average {about['load_before']:.1f} before, "
            f"{about['load_after']:.1f} after; {about['scheduling']} scheduling; {about['partitions']} partitions")


# --- as pictures ------------------------------------------------------------------------------------------------------

def write_pictures(document, folder):
    raw = document["raw"]
    written = []
    if "growth" in raw:
        series = {side: [(p["streams"], (min(p[side]), median(p[side]), max(p[side]))) for p in raw["growth"]]
                  for side in ("router", "floor")}
        rate = "about 10,000 chunks a second in all; median, and the spread of the runs"
        (folder / "performance-cpu.svg").write_text(
            picture.lines("CPU per chunk over the number of streams", rate, "streams", "µs", series))
        written.append("performance-cpu.svg")
    if "latency" in raw:
        points = ("p50", "p90", "p99", "p999")
        series = {side: [raw["latency"]["ms"][side][p]["median"] for p in points] for side in ("bare", "floor", "router")}
        (folder / "performance-latency.svg").write_text(
            picture.bars("From the provider's sending of a chunk to a consumer that has it",
                         f"{raw['latency']['rate']:,} chunks a second, linger 1 ms; median of the runs", "ms",
                         ["p50", "p90", "p99", "p99.9"], series))
        written.append("performance-latency.svg")
    return written


# --- as a page --------------------------------------------------------------------------------------------------------

def table_part(document):
    """Where and when it was measured, and the table."""
    about, m = document["about"], document["about"]["machine"]
    lines = [f"`{about['command']}` on {about['date']}: {m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, "
             f"{m['kernel']}, librdkafka {m['librdkafka']}, libcurl {m['libcurl']}. {about['partitions']} partitions, one "
             f"broker on the same machine, as everything else. Load average {about['load_before']:.1f} before and "
             f"{about['load_after']:.1f} after; {about['scheduling']} scheduling.", "",
             "Median, in brackets lowest…highest of the runs.", "",
             "| " + " | ".join(HEAD) + " |", "|" + " --- |" * len(HEAD)]
    return lines + ["| " + " | ".join(cells(row)) + " |" for row in document["rows"]]


def measured_part(document):
    lines = [BEGIN, ""] + table_part(document)
    lines += ["", "![CPU per chunk over the number of streams](performance-cpu.svg)", "",
              "![Latency of a chunk](performance-latency.svg)", "",
              "Peak of resident memory, one router, one thing after the other:", "", "| after | MiB |", "| --- | --- |"]
    lines += [f"| {name} | {mib:.0f} |" for name, mib in document["raw"]["abuse_peak_mib"].items()]
    return "\n".join(lines + ["", END])


def write_page(begin, end, part):
    """Puts `part`, which begins and ends with these lines, in the place of the last one."""
    page = REFERENCE / "performance.md"
    text = page.read_text()
    before, rest = text.split(begin)
    page.write_text(before + part + rest.split(end)[1])


def publish(document):
    write_page(BEGIN, END, measured_part(document))
    (REFERENCE / "performance.json").write_text(json.dumps(document, indent=2) + "\n")
    write_pictures(document, REFERENCE)


def publish_registry(document):
    write_page(REGISTRY_BEGIN, REGISTRY_END, "\n".join([REGISTRY_BEGIN, ""] + table_part(document) + ["", REGISTRY_END]))
    (REFERENCE / "performance-registry.json").write_text(json.dumps(document, indent=2) + "\n")
