"""What is measured: a Kafka, a PostgreSQL and a whole Tokenrail of the release build, all of this run's own, and the
means to look at its processes from outside."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

import confluent_kafka.admin

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from stack import Stack, wait_until  # noqa: E402, F401

BIN = ROOT / "build" / "release" / "bin"
DEV_DIR = ROOT / ".dev" / "bench"
PROCESS_CLOCK = 2  # CPUCLOCK_SCHED: user and system time of all threads, also of those that ended, in ns

# The broker as it runs in production: both compilers, room for its heap.
KAFKA_JAVA_OPTIONS = "-Xms512m -Xmx512m"


def dev(*arguments, folder=DEV_DIR):
    """A command of ./dev with a folder of its own; the last line of what it prints."""
    done = subprocess.run([ROOT / "dev", *arguments], stdout=subprocess.PIPE, text=True, check=True,
                          env={**os.environ, "TOKENRAIL_DEV_DIR": str(folder),
                               "KAFKA_DEV_JAVA_OPTIONS": KAFKA_JAVA_OPTIONS})
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def cpu_seconds(pid):
    return time.clock_gettime((~pid << 3) | PROCESS_CLOCK)


class Instrument:
    """One of the benchmark's programs: told what to do by lines, tells what it measured by its last line."""

    def __init__(self, name, **options):
        words = [str(BIN / name)]
        for option, value in options.items():
            words += ["--" + option.replace("_", "-"), str(value)]
        self.name = name
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_ready(self):
        line = self.process.stdout.readline()
        if line.strip() != "ready":
            raise RuntimeError(f"{self.name} did not start: {line!r}")
        return self

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def result(self):
        text = self.process.stdout.read()
        code = self.process.wait()
        if code != 0:
            raise RuntimeError(f"{self.name} ended with {code}")
        return json.loads(text.strip().splitlines()[-1])

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Installation:
    def __init__(self, partitions, streams_max, brokers=1, dev_dir=DEV_DIR, preload=None):
        self.of_routers = {"LD_PRELOAD": preload} if preload else {}
        self.dev_dir = dev_dir
        self.kafka = dev("kafka", "start", "--brokers", str(brokers), folder=dev_dir)
        self.database = dev("postgres", "start", folder=dev_dir)
        self.partitions = partitions
        self.folder = dev_dir / "logs"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.stacks = []
        self.settings = {"TOKENRAIL_TOPICS_REQUEST_BYTES_MAX": "64MiB"}
        if streams_max >= 5000:  # the default bounds of one organisation and of one connection
            bound = str(streams_max * 2)
            for name in ("IN_FLIGHT_MAX", "ORG_IN_FLIGHT_MAX", "CONNECTION_IN_FLIGHT_MAX"):
                self.settings["TOKENRAIL_ROUTER_" + name] = bound
        self.stack = self.new_stack()
        self.simulator = self.stack.simulator("--journal-max", "1")
        self.stack.sync().wait_ready()
        self.router = None
        self.restart_router()
        self.new_topic("bench.floor", partitions)
        self.new_topic("bench.bare", partitions)

    def new_stack(self, **settings):
        stack = Stack(self.folder, self.kafka, self.database, BIN, partitions=self.partitions,
                      settings={**self.settings, **settings})
        self.stacks.append(stack)
        return stack

    def new_topic(self, name, partitions):
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.kafka})
        # As `topics apply` makes chat.chunks, which they are held against.
        topic = confluent_kafka.admin.NewTopic(self.stack.topic(name), num_partitions=partitions, replication_factor=1,
                                               config={"message.timestamp.type": "LogAppendTime"})
        for future in admin.create_topics([topic]).values():
            future.result(30)

    # --- processes ---------------------------------------------------------------------------------------------------

    def restart_router(self):
        """A fresh router, ready; how many seconds it took from its start."""
        if self.router is not None:
            self.router.stop()
        begin = time.monotonic()
        self.router = self.stack.router(**self.of_routers)
        while not self.router.ready():
            if time.monotonic() > begin + 60:
                raise RuntimeError(f"the router is not ready: {self.router.readyz()}")
            time.sleep(0.002)
        return time.monotonic() - begin

    def restart_simulator(self):
        self.simulator.kill()
        self.simulator = self.stack.simulator("--journal-max", "1")

    def router_metric(self, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.router.metrics(), re.MULTILINE)
        return float(found.group(1))

    def router_cpu(self):
        return cpu_seconds(self.router.pid)

    # --- instruments -------------------------------------------------------------------------------------------------

    def load(self, **options):
        return Instrument("tokenrail-bench-load", bootstrap=self.kafka, prefix=self.stack.prefix, **options)

    def listen(self, topic):
        return Instrument("tokenrail-bench-load", bootstrap=self.kafka, listen=self.stack.topic(topic))

    def floor(self, **options):
        return Instrument("tokenrail-bench-floor", bootstrap=self.kafka, topic=self.stack.topic("bench.floor"),
                          url=self.stack.simulator_url, **options)

    def bare(self, **options):
        return Instrument("tokenrail-bench-kafka", bootstrap=self.kafka, topic=self.stack.topic("bench.bare"),
                          **options).result()

    def close(self, keep=False):
        for stack in self.stacks:
            stack.close()
        if not keep:
            for part in ("kafka", "postgres"):
                dev(part, "stop", "--wipe", folder=self.dev_dir)
