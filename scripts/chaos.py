"""./dev chaos: a real cluster under load while its parts are killed, stopped, cut off and restarted by a seeded schedule;
at the end everything heals, and the promises are judged from what the topics contain.

Three brokers, a PostgreSQL, three routers, two registry-syncs and the provider simulator, all its own, under
.dev/chaos. Ends with 0 if every promise held, 1 if not, 2 if it could not be run."""

import argparse
import datetime
import gzip
import json
import os
import pathlib
import random
import secrets
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "chaos"), str(ROOT / "tests" / "integration")]

import confluent_kafka.admin  # noqa: E402
from brokers import Brokers  # noqa: E402
from conductor import GROUP, Conductor, dev_command  # noqa: E402
from figures import Findings, judged_from  # noqa: E402
from fleet import Fleet  # noqa: E402
from load import Load  # noqa: E402
from names import NAME, NameServer  # noqa: E402
from records import read_all  # noqa: E402
from schedule import schedule  # noqa: E402
from stack import Stack  # noqa: E402
from topics import make_audit  # noqa: E402

END_SECONDS = 420  # for all requests to end once everything is well; more means that some never will
ROUTERS_END_SECONDS = 180  # for routers that have nothing left to do
VERIFY_SECONDS = 180  # to get a verdict at all
PROBLEMS_SHOWN = 30


def arguments():
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10, help="how long things go wrong (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="of the schedule and of the load (default 1)")
    parser.add_argument("--rate", type=float, default=30, help="requests a second (default 30)")
    parser.add_argument("--partitions", type=int, default=12, help="of chat.requests (default 12)")
    parser.add_argument("--session", type=float, default=15, metavar="SECONDS",
                        help="how long the group waits for a silent member (default 15)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a setting for all programs, by its environment name; may be repeated")
    parser.add_argument("--topics", action="store_true", help="also faults that hit one topic or partition: refused, stalled, recreated; from 3 minutes on also logs that "
                             "are recreated, of which only what comes later is judged")
    parser.add_argument("--plan", action="store_true", help="only print the schedule")
    return parser.parse_args()


class Chaos:
    def __init__(self, options):
        self.options = options
        self.begin = time.monotonic()
        dev_dir = pathlib.Path(os.environ.get("TOKENRAIL_DEV_DIR", ROOT / ".dev")).resolve() / "chaos"
        self.bin = pathlib.Path(os.environ.get("TOKENRAIL_DEV_BIN", ROOT / "build" / "release" / "bin"))
        self.folder = dev_dir / "logs" / f"seed-{options.seed}"
        for file in self.folder.glob("*"):
            file.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dev_dir = dev_dir
        self.begin_dev = dev_command(ROOT, dev_dir)
        self.parts = []  # what has to be closed, last first

    def say(self, text):
        line = f"{datetime.datetime.now(datetime.timezone.utc):%H:%M:%S} [{time.monotonic() - self.begin:6.1f} s] {text}"
        print(line, file=sys.stderr, flush=True)
        with open(self.folder / "deeds", "a", encoding="utf-8") as deeds:
            deeds.write(line + "\n")

    def dev(self, *words):
        """A command of ./dev; the last line of what it prints."""
        done = subprocess.run([ROOT / "dev", *words], stdout=subprocess.PIPE, text=True, check=True, timeout=300,
                              env={**os.environ, "TOKENRAIL_DEV_DIR": str(self.dev_dir)})
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    def start(self):
        options = self.options
        self.parts.append(lambda: self.dev("kafka", "stop", "--wipe"))
        brokers = Brokers(self.dev, self.dev_dir)
        self.parts.append(brokers.close)
        self.parts.append(lambda: self.dev("postgres", "stop", "--wipe"))
        database = self.dev("postgres", "start")
        name = "c" + secrets.token_hex(4)
        if options.topics:
            make_audit(confluent_kafka.admin.AdminClient({"bootstrap.servers": brokers.bootstrap, "log_level": 2}),
                       f"{name}.llm.audit", options.partitions)
        self.names = NameServer()
        self.parts.append(self.names.close)
        self.stack = Stack(self.folder, brokers.bootstrap, database, self.bin, partitions=options.partitions, name=name, settings={
            "TOKENRAIL_KAFKA_SESSION_TIMEOUT_MS": str(int(options.session * 1000)),
            "TOKENRAIL_ROUTER_GROUP_ID": GROUP,
            "TOKENRAIL_ROUTER_LEASE": f"{int(options.session)}s",
            "TOKENRAIL_ROUTER_FIRST_TOKEN_TIMEOUT": "20s", "TOKENRAIL_ROUTER_IDLE_TIMEOUT": "10s",
            "TOKENRAIL_SYNC_INTERVAL": "20s", "TOKENRAIL_LOG_LEVEL": "debug",
            **dict(setting.split("=", 1) for setting in options.set)})
        self.parts.append(self.end_workers)
        self.ask_name_server()
        self.stack.simulator("--journal-max", "1")
        self.fleet = Fleet(self.stack, random.Random(f"{options.seed}/drain"), self.say)
        for _ in range(2):
            self.fleet.add("sync")
        self.fleet.places[0].process.wait_ready()
        for _ in range(3):
            self.fleet.add("router")
        for place in self.fleet.places:
            place.process.wait_ready()
        self.load = Load(brokers.bootstrap, self.stack.topic, options.rate, options.seed)
        self.conductor = Conductor(self.stack, brokers, self.fleet, self.names, self.load, self.begin_dev, options.session, self.say)

    def ask_name_server(self):
        """From now on workers know the provider by a name, and ask our name server for it."""
        self.stack.environment |= {"OLLAMA_BASE_URL": f"http://{NAME}:{self.stack.simulator_port}",
                                   "TOKENRAIL_PROVIDERS_NAME_SERVERS": f"127.0.0.1:{self.names.port}"}

    def end_workers(self):
        for process in reversed(self.stack.processes):
            if process.alive():
                process.process.kill()
                process.wait()

    def lag(self):
        """Requests behind the committed offsets, over all partitions."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.stack.kafka, "group.id": GROUP, "log_level": 2})
        try:
            topic = self.stack.topic("chat.requests")
            asked = [confluent_kafka.TopicPartition(topic, p) for p in range(self.options.partitions)]
            behind = 0
            for committed in consumer.committed(asked, timeout=10):
                low, high = consumer.get_watermark_offsets(committed, timeout=10)
                # A position behind the end is one of a log that is gone, which the router has yet to notice.
                behind += high - max(committed.offset, low) if committed.offset <= high else max(high, 1)
            return behind
        finally:
            consumer.close()

    def wait_for_ends(self):
        end = time.monotonic() + END_SECONDS
        told = 0.0
        while True:
            self.conductor.until(time.monotonic() + 1)
            try:
                behind = self.lag()
            except confluent_kafka.KafkaException:
                behind = None
            if behind == 0:
                return 0
            if time.monotonic() > end:
                return behind
            if time.monotonic() > told + 15:
                told = time.monotonic()
                self.say(f"{'?' if behind is None else behind} requests have not ended yet")

    def run(self):
        options = self.options
        faults = schedule(options.seed, options.minutes * 60, options.session, options.topics)
        self.say(f"starting; {len(faults)} faults in {options.minutes:g} minutes, logs in {self.folder}")
        self.start()
        self.say("the load begins")
        self.load.start()
        self.conductor.run(faults, options.minutes * 60)
        self.say("the faults are over; everything comes back, the load stops")
        self.conductor.heal()
        self.load.stop()
        problems = []
        behind = self.wait_for_ends()
        if behind:
            problems.append(f"{behind} requests have not ended {END_SECONDS} s after everything was well again")
        for place in self.fleet.of("router"):
            self.fleet.end(place)
        end = time.monotonic() + ROUTERS_END_SECONDS
        while self.fleet.of("router", "ending") and time.monotonic() < end:
            self.conductor.until(time.monotonic() + 0.2)
        problems += [f"{p.process.name} does not end" for p in self.fleet.of("router", "ending")]
        self.say(f"{self.load.sent} records sent; reading the topics")
        findings = Findings(self.stack, self.load, self.fleet, self.conductor)
        problems += findings.problems()
        problems += self.verify()
        problems += self.sanitizers()
        width = max(len(name) for name, _ in findings.table())
        for name, value in findings.table():
            print(f"{name:{width}}  {value}")
        (self.folder / "history").write_text("".join(line + "\n" for line in findings.history()))
        self.report(problems)
        return 1 if problems else 0

    def verify(self):
        """What everybody can ask of the topics; its figures go to the log folder."""
        end = time.monotonic() + VERIFY_SECONDS
        from_ms = judged_from(self.conductor.replaced)
        since = ("--from", f"{datetime.datetime.fromtimestamp(from_ms // 1000, datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}") if from_ms else ()
        while True:
            done = self.stack.cli("verify", "--at-rest", *since, check=False, timeout=1800)
            # Leaders may still be moving back to where they were: that is no verdict.
            if done.returncode in (0, 1) or time.monotonic() > end:
                break
            time.sleep(2)
        (self.folder / "verify").write_text(done.stdout + done.stderr)
        print(done.stdout.strip())
        return [] if done.returncode == 0 else [f"tokenrail verify ended with {done.returncode}: {done.stderr.strip()}"]

    def sanitizers(self):
        return [f"{p.name}: {p.text()[-1500:]}" for p in self.stack.processes if "Sanitizer" in p.text()]

    def report(self, problems):
        for problem in problems[:PROBLEMS_SHOWN]:
            print(f"✗ {problem}")
        if len(problems) > PROBLEMS_SHOWN:
            print(f"✗ and {len(problems) - PROBLEMS_SHOWN} more")
        (self.folder / "problems").write_text("".join(problem + "\n" for problem in problems))
        if problems:
            self.keep_records()
        print(f"{len(problems)} violations (seed {self.options.seed}, {self.options.minutes:g} minutes)")

    def keep_records(self):
        """An investigation of a failure needs what was judged; the brokers will be gone."""
        for topic in ("chat.requests", "chat.chunks", "llm.audit"):
            with gzip.open(self.folder / f"{topic}.jsonl.gz", "wt") as out:
                for message in read_all(self.stack.kafka, self.stack.topic(topic)):
                    out.write(json.dumps([message.partition(), message.offset(), message.timestamp()[1],
                                          message.value().decode(errors="replace")]) + "\n")
        print(f"the records lie in {self.folder}: [partition, offset, timestamp, value] a line")

    def close(self):
        # A second Ctrl-C must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for part in reversed(self.parts):
            try:
                part()
            except Exception as error:  # noqa: BLE001  the others have to be closed all the same
                self.say(f"while cleaning up: {error}")


def main():
    options = arguments()
    if options.plan:
        for fault in schedule(options.seed, options.minutes * 60, options.session, options.topics):
            print(f"{fault.at:8.1f} s  {fault.kind:18} {fault.seconds:5.1f} s  {fault.who:.3f} {fault.extra:.3f}")
        return 0

    def interrupted(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    chaos = Chaos(options)
    try:
        return chaos.run()
    except KeyboardInterrupt:
        chaos.say("interrupted; cleaning up")
        return 130
    except (RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        chaos.say(f"cannot go on: {error}")
        return 2
    finally:
        chaos.close()


if __name__ == "__main__":
    sys.exit(main())
