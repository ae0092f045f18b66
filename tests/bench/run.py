"""./dev bench: measures the router beside the floor and beside bare Kafka, and holds the result against the budget.

Needs the release build, which ./dev bench makes. Starts a Kafka, a PostgreSQL and a Tokenrail of its own under
.dev/bench, and ends them. What each figure is, and what it is not: docs/reference/performance.md."""

import argparse
import datetime
import json
import os
import resource
import subprocess
import sys
import time

from installation import BIN, DEV_DIR, Installation
from measures import Measures, progress
from report import Results, machine, median, print_table, publish, write_pictures

CHUNKS_PER_SECOND = 10_000  # what all streams together say, in each step of the growth


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs: a look, not a measurement")
    parser.add_argument("--full", action="store_true", help="up to 10,000 streams instead of 2,000")
    parser.add_argument("--publish", action="store_true", help="write the result into docs/reference")
    parser.add_argument("--only", default="", help="comma-separated: cpu, adapters, tls, decoders, resolve, growth, requests, latency, calls, memory, "
                                                   "start, abuse")
    parser.add_argument("--partitions", type=int, default=4, help="of chat.requests (default 4)")
    parser.add_argument("--let-halt", action="store_true", help="let idle cores halt: more like a quiet machine, noisier")
    parser.add_argument("--preload", metavar="LIBRARY", help="loaded before the router's own libraries: another allocator to compare "
                                                             "(adapters and tls aside)")
    parser.add_argument("--keep", action="store_true", help="leave Kafka and PostgreSQL running for the next run")
    options = parser.parse_args()
    if options.publish and (options.quick or options.only or options.preload):
        parser.error("--publish wants the whole measurement, without --quick, --only and --preload")
    return options


class Bench:
    def __init__(self, options):
        self.options = options
        self.runs = 2 if options.quick else 3
        self.streams_max = 10_000 if options.full else 2_000
        self.results = Results()
        self.at = Installation(options.partitions, self.streams_max, preload=options.preload)
        self.measure = Measures(self.at, options.quick)

    def wanted(self, part):
        return not self.options.only or part in self.options.only.split(",")

    def everything(self):
        parts = {"cpu": self.cpu, "adapters": self.adapters, "tls": self.tls, "decoders": self.decoders, "resolve": self.resolve, "growth": self.growth, "requests": self.requests, "latency": self.latency,
                 "calls": self.calls, "memory": self.memory, "start": self.start, "abuse": self.abuse}
        begin = time.monotonic()
        for name, part in parts.items():
            if self.wanted(name):
                print(f"[{time.monotonic() - begin:3.0f} s] {name}", flush=True)
                part()

    def pairs(self, runs, floor, router):
        """In turns, so that both sides meet the same machine."""
        floors, routers = [], []
        for _ in range(runs):
            floors.append(floor())
            routers.append(router())
            progress(f"floor {floors[-1]:7.2f}   router {routers[-1]:7.2f}   ratio {routers[-1] / floors[-1]:.2f}")
        return floors, routers

    def cpu(self):
        tokens = 1_000 if self.options.quick else 3_000
        runs = 2 if self.options.quick else 5
        m = self.measure
        for name, shape in (("saturated", " split=65536"), ("saturated_bulk", "")):
            count = tokens if shape else tokens * 3
            floors, routers = self.pairs(runs, lambda: m.saturated_floor(64, f"{count}{shape}"),
                                         lambda: m.saturated_router(64, f"{count}{shape}"))
            self.results.cpu(name, floors, routers)
        floors, routers = self.pairs(runs, lambda: m.paced_floor(500, 50)[0], lambda: m.paced_router(500, 50)[0])
        self.results.cpu("paced", floors, routers)

    def adapters(self):
        costs = self.measure.adapters(2 if self.options.quick else 5, 64, 500 if self.options.quick else 3_000)
        for adapter, values in costs.items():
            progress(f"{adapter:18} {median(values):6.2f} µs a chunk")
        self.results.adapters(costs)

    def tls(self):
        streams = 2_000 if self.options.full else 500
        costs, idle, shaken = self.measure.tls(2 if self.options.quick else 5, 64, 500 if self.options.quick else 3_000, streams)
        progress(f"{median(costs['tls']):.2f} µs a chunk over TLS, {median(costs['plain']):.2f} without; "
                 f"{idle / 1024:.1f} KiB an idle stream; {shaken['resumed']} of {shaken['handshakes']} handshakes resumed")
        self.results.tls(costs, streams, idle, shaken)

    def decoders(self):
        costs = self.measure.decoders()
        for adapter, values in costs.items():
            progress(f"{adapter:18} {median(values):6.0f} ns a chunk")
        self.results.decoders(costs)

    def resolve(self):
        costs = self.measure.resolve()
        for way, values in costs.items():
            progress(f"{way:26} {median(values):6.0f} ns a request")
        self.results.resolve(costs)

    def growth(self):
        steps = [64, 500, 2_000] + ([10_000] if self.options.full else [])
        points = []
        for streams in steps:
            pace = max(1, streams * 1000 // CHUNKS_PER_SECOND)
            progress(f"{streams} streams, a chunk each {pace} ms")
            floors, routers = self.pairs(2 if self.options.quick else 3, lambda: self.measure.paced_floor(streams, pace)[0],
                                         lambda: self.measure.paced_router(streams, pace)[0])
            points.append({"streams": streams, "pace_ms": pace, "floor": floors, "router": routers})
        self.results.growth(points)

    def requests(self):
        count = 2_000 if self.options.quick else 6_000
        read = self.at.router_metric('kafka_records_read_total{client="reader"}')
        costs = []
        # Of all the figures this one differs most from run to run.
        runs = 2 if self.options.quick else 9
        for _ in range(runs):
            cost, wall = self.measure.request_cost(count, 256)
            costs.append(cost)
            progress(f"{cost:.1f} µs of CPU a request, {1e6 / wall:.0f} requests a second")
        self.results.requests(costs)
        read = self.at.router_metric('kafka_records_read_total{client="reader"}') - read
        self.results.account(count * runs, read)

    def latency(self):
        rate, streams, pace = 2_000, 100, 50
        runs = []
        for _ in range(self.runs):
            runs.append({"bare": self.measure.bare_latency(rate),
                         "floor": self.measure.paced_floor(streams, pace, listen=True)[1],
                         "router": self.measure.paced_router(streams, pace, listen=True)[1]})
            progress("   ".join(f"{side} p50 {us['p50'] / 1000:.2f} p99 {us['p99'] / 1000:.2f} ms"
                                for side, us in runs[-1].items()))
        self.results.latency(rate, runs)

    def calls(self):
        rate = 100

        def measured(measure, rate):
            runs = []
            for _ in range(self.runs):
                runs.append(measure.call_latency(rate))
                progress(f"p50 {runs[-1]['p50'] / 1000:.2f} ms, p99 {runs[-1]['p99'] / 1000:.2f} ms")
            return runs

        one = measured(self.measure, rate)
        progress("the same with three brokers and three replicas, half as many")
        before = os.sched_getscheduler(0)
        # Real-time threads take turns of 100 ms where there are more of them than cores, and three brokers have many.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        three = Installation(self.options.partitions, self.streams_max, brokers=3, dev_dir=DEV_DIR / "replicas")
        try:
            # Until their Java is compiled three brokers fill this machine.
            for _ in range(6 if self.options.quick else 16):
                Measures(three, True).call_latency(rate // 2)
            self.results.calls(rate, one, measured(Measures(three, self.options.quick), rate // 2))
        finally:
            three.close()
            os.sched_setscheduler(0, before, os.sched_param(1 if before == os.SCHED_RR else 0))

    def memory(self):
        floor, router = self.measure.idle_floor(self.streams_max), self.measure.idle_router(self.streams_max)
        progress(f"{self.streams_max} idle streams: {router / 1024:.1f} KiB each, "
                 f"{floor / 1024:.1f} KiB in the floor (HTTP alone)")
        self.results.memory(self.streams_max, floor, router)

    def start(self):
        few = [self.at.restart_router() for _ in range(self.runs)]
        many = self.measure.start_to_ready(10_000, self.runs)
        progress(f"{median(many):.2f} s with 10,000 models, {median(few):.2f} s with two")
        self.results.start(few, many)

    def abuse(self):
        self.results.abuse(self.measure.abuse())


class Spinners:
    """A loop a core, at the lowest priority. A core that has nothing to do halts, and waking a halted core of a
    virtual machine costs whoever wakes it more than a whole chunk: what is measured would be how busy the machine
    happens to be. With these no core ever halts, and they give way to anything else at once."""

    def __init__(self, wanted):
        loop = "import os\nos.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nwhile os.getppid() != 1: pass"
        self.processes = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(os.cpu_count() if wanted else 0)]

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


def be_first():
    """Ahead of whatever else the machine does, where that is allowed; children inherit it. A nice value would not do:
    the kernel weighs sessions against each other, and the broker has one of its own."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        return "real-time"
    except OSError:
        return "ordinary"


def main():
    options = arguments()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.full and hard < 10_500:
        sys.exit(f"--full needs 10,500 open files, and the limit here is {hard}. Raise it: ulimit -Hn 20000")
    for name in ("tokenrail-router", "tokenrail-bench-floor"):
        if not (BIN / name).exists():
            sys.exit(f"{name} is not built. Run ./dev bench, or ./dev build release")
    spinners = Spinners(not options.let_halt)
    scheduling = be_first()
    about = {"command": "./dev bench" + "".join(" --" + name for name in ("quick", "full", "let-halt") if getattr(options, name.replace("-", "_"))),
             "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
             "machine": machine(), "scheduling": scheduling, "load_before": os.getloadavg()[0],
             "partitions": options.partitions}
    bench = None
    try:
        bench = Bench(options)
        bench.everything()
    finally:
        spinners.end()
        if bench:
            bench.at.close(options.keep)
    about["load_after"] = os.getloadavg()[0]
    document = {"about": about, "streams_max": bench.streams_max, **bench.results.document()}
    DEV_DIR.mkdir(parents=True, exist_ok=True)
    (DEV_DIR / "results.json").write_text(json.dumps(document, indent=2) + "\n")
    write_pictures(document, DEV_DIR)
    print_table(document)
    print(f"\nAll numbers: {(DEV_DIR / 'results.json').relative_to(DEV_DIR.parents[1])}")
    if options.publish:
        publish(document)
        print("Written: docs/reference/performance.md, performance.json and the pictures")


if __name__ == "__main__":
    main()
