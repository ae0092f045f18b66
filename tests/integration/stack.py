"""A whole Tokenrail on loopback for one test: topics with a prefix of their own, a database of their own, the provider
simulator, registry-sync and routers, all as processes of the build under test. Ends what it started."""

import collections
import datetime
import json
import os
import pathlib
import random
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import confluent_kafka
import confluent_kafka.admin
import psycopg2

# Far above what anything takes, also beside other tests on a small machine: only a fault reaches it.
DEADLINE_SECONDS = 180
# A turn of a worker's event loop that takes longer has waited for something, beside a processor. Far above what a turn
# takes with sanitizers, and below what the end of a Kafka client may take; one of the bounds of tokenrail_loop_turn_ms.
TURN_MS_MAX = 1_000
LONG_TURN = re.compile(r"^(\S+) warn  one turn of the event loop took (\d+) ms", re.M)


def wait_until(what, condition, seconds=DEADLINE_SECONDS):
    """Asks again until `condition` is true. For what other processes do; gives up loudly."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


# Names that only one process of this machine can have, of the newest ports: older ones are in use by now, or no longer.
reserved_ports = collections.deque(maxlen=100)


def free_port():
    """Below 32768, where Linux hands out no ephemeral ports, and reserved among tests that run side by side: what is free
    now stays so until we use it."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        reservation = socket.socket(socket.AF_UNIX)
        with socket.socket() as s:
            try:
                reservation.bind(f"\0tokenrail-test-port-{port}")
                s.bind(("127.0.0.1", port))
            except OSError:
                reservation.close()
                continue
        reserved_ports.append(reservation)
        return port


def http_get(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None, ""


def http_post(url, document):
    request = urllib.request.Request(url, data=json.dumps(document).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status


class Process:
    begun = collections.deque(maxlen=20)  # the newest, for the report of a test that fails

    def __init__(self, folder, name, arguments, environment):
        self.name = name
        self.begun_at = time.monotonic()
        Process.begun.append(self)
        self.was_stopped = False
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.out = pathlib.Path(folder) / f"{name}.out"
        with open(self.log, "wb") as log, open(self.out, "wb") as out:
            self.process = subprocess.Popen(arguments, env={**os.environ, **environment}, stdout=out, stderr=log,
                                            stdin=subprocess.DEVNULL)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.was_stopped = self.was_stopped or number == signal.SIGSTOP
        self.process.send_signal(number)

    def wait(self, seconds=DEADLINE_SECONDS):
        return self.process.wait(seconds)

    def stop(self, seconds=DEADLINE_SECONDS):
        """SIGTERM; returns the exit code."""
        if self.alive():
            self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.put_down()
            raise

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()

    def put_down(self):
        """At the end of a test, however that went: nothing is judged any more."""
        self.kill()

    def text(self):
        return self.log.read_text(errors="replace")

    def resident_bytes(self, peak=True):
        field = "VmHWM" if peak else "VmRSS"
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1)) * 1024


class RunQueue(threading.Thread):
    """Keeps for how long the event loop of each worker, its main thread, was ready to run while the machine ran other
    threads: the second figure of /proc/PID/schedstat, ten times a second."""

    def __init__(self):
        super().__init__(daemon=True)
        self.samples = {}  # pid: [(Unix time, ms since its start)]
        self.lock = threading.Lock()
        self.start()

    def watch(self, pid):
        with self.lock:
            self.samples[pid] = [(0.0, 0.0)]

    def forget(self, pid):
        with self.lock:
            self.samples.pop(pid, None)

    def sample(self):
        with self.lock:
            for pid, samples in self.samples.items():
                try:
                    waited = int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e6
                except (OSError, IndexError):
                    continue
                samples.append((time.time(), waited))

    def run(self):
        pause = threading.Event()
        while not pause.wait(0.1):
            self.sample()

    def waited_ms(self, pid, begin, end):
        """In the time from `begin` to `end`, and at most up to the next samples around it."""
        self.sample()
        with self.lock:
            samples = self.samples[pid]
            before = max(ms for at, ms in samples if at <= begin)
            return min((ms for at, ms in samples if at >= end), default=before) - before


run_queue = RunQueue()


class Worker(Process):
    def __init__(self, folder, name, arguments, environment):
        self.port = free_port()
        super().__init__(folder, name, arguments,
                         {**environment, "TOKENRAIL_HTTP_LISTEN": f"127.0.0.1:{self.port}"})
        run_queue.watch(self.pid)

    def ready(self):
        if not self.alive():
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.text()[-3000:]}")
        return self.readyz()[0] == 200

    def readyz(self):
        return http_get(f"http://127.0.0.1:{self.port}/readyz")

    def wait_ready(self):
        try:
            wait_until(f"{self.name} ready", self.ready)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.readyz()}\n{self.text()[-3000:]}") from None
        return self

    def metrics(self):
        return http_get(f"http://127.0.0.1:{self.port}/metrics")[1]

    def longest_turn_ms(self):
        """The bound of the bucket that has the longest turn of the event loop in it; 0 where the worker does not answer."""
        longest, below = 0.0, 0
        for bound, count in re.findall(r'^tokenrail_loop_turn_ms_bucket\{le="([^"]+)"\} (\d+)$', self.metrics(), re.M):
            if int(count) > below:
                longest = float(bound)
            below = int(count)
        return longest

    def check_turns(self):
        """Whatever a test does, no turn may wait, but for a processor; a process that the test stopped for a while is no judge
        of that."""
        if not self.alive() or self.was_stopped:
            return
        longest = self.longest_turn_ms()
        if longest <= TURN_MS_MAX:
            return
        long = [(at, int(ms)) for at, ms in LONG_TURN.findall(self.text()) if int(ms) > TURN_MS_MAX]
        assert long, f"a turn of {self.name} took up to {longest} ms, and its log does not say when"
        for at, took in long:
            end = datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
            waited = took - run_queue.waited_ms(self.pid, end - took / 1000, end)
            assert waited <= TURN_MS_MAX, (f"a turn of {self.name} took {took} ms, of them {waited:.0f} ms with a processor or "
                                           f"waiting for something else:\n{self.text()[-3000:]}")

    def stop(self, seconds=DEADLINE_SECONDS):
        self.check_turns()
        return super().stop(seconds)

    def wait(self, seconds=DEADLINE_SECONDS):
        code = super().wait(seconds)
        run_queue.forget(self.pid)
        return code

    def kill(self):
        """SIGKILL. Its turns until then are judged, where it still answers."""
        try:
            self.check_turns()
        finally:
            self.put_down()

    def put_down(self):
        super().kill()
        run_queue.forget(self.pid)


class ApiWorker(Worker):
    def api_port(self):
        """As it was logged; the settings ask for any free one."""
        def logged():
            return re.search(r"registry API on port (\d+)", self.text())
        return int(wait_until("the API names its port", logged).group(1))


class Stack:
    def __init__(self, folder, kafka, database, bin_dir, partitions=4, settings=None, name=None):
        self.folder = pathlib.Path(folder)
        self.kafka = kafka
        self.bin = pathlib.Path(bin_dir)
        name = name or "t" + secrets.token_hex(4)
        self.prefix = name + "."
        self.admin_url = database
        self.database = re.sub(r"/[^/]*$", "/" + name, database)
        self.database_name = name
        with self._admin() as (_, cursor):
            cursor.execute(f"CREATE DATABASE {name}")
        self.simulator_port = free_port()
        self.simulator_url = f"http://127.0.0.1:{self.simulator_port}"
        self.environment = {
            "TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS": kafka,
            "TOKENRAIL_DATABASE_URL": self.database,
            "TOKENRAIL_TOPIC_PREFIX": self.prefix,
            # In a group of other stacks, a router would wait for the sessions of their routers that were killed.
            "TOKENRAIL_ROUTER_GROUP_ID": name,
            "OLLAMA_BASE_URL": self.simulator_url,
            "TOKENRAIL_LOG_LEVEL": "info",
            # Connections of organisations lead to the simulator.
            "TOKENRAIL_EGRESS_ALLOW": "127.0.0.0/8",
            **(settings or {}),
        }
        self.group = self.environment["TOKENRAIL_ROUTER_GROUP_ID"]
        self.processes = []
        self.verified_at_end = True  # a test that breaks a promise on purpose says no
        self.partitions = partitions
        self.producer = confluent_kafka.Producer({"bootstrap.servers": kafka, "message.max.bytes": 70_000_000,
                                                  "linger.ms": 1, "log_level": 2})
        self.cli("topics", "apply", "--partitions", str(partitions))
        self.cli("migrate")

    def _admin(self):
        import contextlib

        @contextlib.contextmanager
        def connection():
            c = psycopg2.connect(self.admin_url)
            c.autocommit = True
            try:
                yield c, c.cursor()
            finally:
                c.close()
        return connection()

    def sql(self, text):
        with psycopg2.connect(self.database) as connection:
            with connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else None

    def topic(self, name):
        return self.prefix + name

    def cli(self, *arguments, check=True, environment=None, stdin=None, timeout=300):
        if arguments[0] in ("doctor", "verify") and "--group" not in arguments:
            arguments = (*arguments, "--group", self.group)
        done = subprocess.run([self.bin / "tokenrail", *arguments], env={**os.environ, **self.environment,
                                                                        **(environment or {})},
                              capture_output=True, text=True, timeout=timeout, input=stdin if stdin is not None else "")
        if check and done.returncode != 0:
            raise AssertionError(f"tokenrail {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def verify(self, *arguments, seconds=DEADLINE_SECONDS):
        """Every promise, judged from the topics. What a worker is still writing down gets time to end."""
        last = []

        def clean():
            last[:] = [self.cli("verify", "--at-rest", *arguments, check=False)]
            return last[0].returncode == 0
        try:
            wait_until("no promise is broken", clean, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{last[0].stdout[:6000]}\n{last[0].stderr}") from None
        return last[0].stdout

    def start(self, worker_class, name, program, *arguments, environment=None):
        process = worker_class(self.folder, name, [self.bin / program, *arguments],
                               {**self.environment, **(environment or {})})
        self.processes.append(process)
        return process

    def simulator(self, *arguments):
        process = self.start(Process, f"simulator{len(self.processes)}", "tokenrail-provider-simulator", "--port",
                             str(self.simulator_port), *arguments)
        wait_until("simulator listens", lambda: http_get(self.simulator_url + "/")[0] == 200)
        return process

    def sync(self, **environment):
        return self.start(Worker, f"sync{len(self.processes)}", "tokenrail-registry-sync", environment=environment)

    def router(self, **environment):
        return self.start(Worker, f"router{len(self.processes)}", "tokenrail-router", environment=environment)

    def api(self, **environment):
        return self.start(ApiWorker, f"api{len(self.processes)}", "tokenrail-registry-api",
                          environment={"TOKENRAIL_API_LISTEN": "127.0.0.1:0", **environment})

    def whole(self, routers=1, **environment):
        """Simulator, sync and routers, ready."""
        self.simulator()
        self.sync().wait_ready()
        return [self.router(**environment) for _ in range(routers)]

    def journal(self):
        return json.loads(http_get(self.simulator_url + "/_sim/journal?limit=1000000&path=/api/chat")[1])["calls"]

    def produce(self, value, key="conversation", topic="chat.requests", partition=None, headers=None):
        options = {} if partition is None else {"partition": partition}
        if isinstance(value, dict):
            value = json.dumps(value)
        while True:
            try:
                self.producer.produce(self.topic(topic), value=value, key=key, headers=headers, **options)
                break
            except BufferError:
                self.producer.poll(0.1)
        self.producer.poll(0)

    def ask(self, request_id, text="hello", key="conversation", **fields):
        self.produce({"requestId": request_id, "orgId": "acme",
                      "messages": [{"role": "user", "content": text}], **fields}, key=key)

    def flush(self):
        assert self.producer.flush(DEADLINE_SECONDS) == 0

    def close(self):
        for process in reversed(self.processes):
            process.put_down()
        with self._admin() as (_, cursor):
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                           (self.database_name,))
            cursor.execute(f"DROP DATABASE IF EXISTS {self.database_name}")


def apply_config(stack, name, **config):
    """Sets settings of a topic beside those that were set on it, and waits until the broker goes by them. Names have `_` for
    `.`; returns the values before."""
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": stack.kafka, "log_level": 2})
    kind, topic = confluent_kafka.admin.ConfigResource.Type.TOPIC, stack.topic(name)

    def described():
        return list(admin.describe_configs([confluent_kafka.admin.ConfigResource(kind, topic)]).values())[0].result(60)

    def apply(more):
        # All settings of the topic are replaced.
        own = {e.name: e.value for e in described().values() if e.source == confluent_kafka.admin.ConfigSource.DYNAMIC_TOPIC_CONFIG.value}
        resource = confluent_kafka.admin.ConfigResource(kind, topic, set_config={**own, **more})
        list(admin.alter_configs([resource]).values())[0].result(60)
        wait_until(f"{topic} has {more}", lambda: more.items() <= {e.name: e.value for e in described().values()}.items())
    before = {key: entry.value for key, entry in described().items()}
    apply({key.replace("_", "."): str(value) for key, value in config.items()})
    # A broker shows a setting just before its log goes by it. It applies changes one after the other, so that it goes by the
    # first when it shows the next.
    apply({"file.delete.delay.ms": str(int(before["file.delete.delay.ms"]) + 1)})
    return before


class Log:
    """Everything that topics contain, read as they grow."""

    def __init__(self, stack, *names):
        self.records = []
        self.reached = {}  # (topic, partition): the offset behind what was read
        self.parsed = []  # of the records, as far as a caller has asked
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": stack.kafka, "group.id": "test-" + secrets.token_hex(4), "enable.auto.commit": False,
            "fetch.wait.max.ms": 20, "fetch.message.max.bytes": 70_000_000, "receive.message.max.bytes": 200_000_000,
            "isolation.level": "read_uncommitted", "auto.offset.reset": "earliest", "enable.partition.eof": True})
        self.partitions = []
        for topic in map(stack.topic, names):
            metadata = self.consumer.list_topics(topic, timeout=60).topics[topic]
            assert metadata.error is None, metadata.error
            self.partitions += [confluent_kafka.TopicPartition(topic, p, 0) for p in metadata.partitions]
        self.consumer.assign(self.partitions)

    def poll(self, seconds=0.05):
        for message in self.consumer.consume(5000, seconds):
            place = (message.topic(), message.partition())
            if message.error() is None:
                self.records.append(message)
                self.reached[place] = message.offset() + 1
            elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                self.reached[place] = message.offset()
        return self.records

    def catch_up(self):
        """Reads all that the topics contain now, and returns all records."""
        ends = {(p.topic, p.partition): self.consumer.get_watermark_offsets(p, timeout=60)[1] for p in self.partitions}

        def read():
            self.poll(0.01)
            return all(self.reached.get(place, 0) >= end for place, end in ends.items())
        wait_until("the topics are read to their ends", read)
        return self.records

    def values(self):
        """Each parsed once, however often a caller looks. Not to be changed."""
        self.parsed += [json.loads(r.value()) for r in self.records[len(self.parsed):]]
        return self.parsed

    def wait(self, what, condition, seconds=DEADLINE_SECONDS):
        """Until `condition(values)` holds."""
        def look():
            self.poll()
            return condition(self.values())
        try:
            return wait_until(what, look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the last records: {[r.value()[:300] for r in self.records[-3:]]}") from None

    def close(self):
        self.consumer.close()


def answers(chunks):
    """The reader's rule: the chunks of the highest attempt per request, in the order of the log."""
    by_request = {}
    for chunk in chunks:
        key = (chunk["orgId"], chunk["requestId"])
        best = by_request.get(key)
        if best is None or chunk["attempt"] > best[0]["attempt"]:
            by_request[key] = [chunk]
        elif chunk["attempt"] == best[0]["attempt"]:
            best.append(chunk)
    return by_request


def text_of(chunks):
    return "".join(c["delta"] or "" for c in chunks)


def finished(chunks):
    return bool(chunks) and chunks[-1]["done"]
