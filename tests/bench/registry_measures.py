"""A registry of 100,000 models and 1,000 organisations with its API and routers, and what is measured of it."""

import http.client
import json
import re
import secrets
import signal
import socket
import threading
import time

from installation import BIN, DEV_DIR, Instrument, dev
from stack import Log, Stack, wait_until

ORGANISATIONS = 1_000
PAGE = "/v1/orgs/acme/models?page_size=50"
SUBJECT = "ollama%2Fsim-chat%3A1b"  # the model that is changed; its provider is the simulator


def progress(text):
    print(f"  {text}", flush=True)


def end(process):
    """Not stop(), which holds the turns of the loop to the bound of the tests."""
    process.signal(signal.SIGTERM)
    process.wait()


class Registry:
    def __init__(self, quick):
        self.quick = quick
        self.models = 10_000 if quick else 100_000
        self.readers, self.writers = (50, 5) if quick else (200, 20)
        self.kafka, self.database = dev("kafka", "start"), dev("postgres", "start")
        self.folder = DEV_DIR / "logs"
        self.folder.mkdir(parents=True, exist_ok=True)
        key_file = self.folder / f"dev-{secrets.token_hex(4)}.json"
        self.stack = Stack(self.folder, self.kafka, self.database, BIN, partitions=4, settings={
            "TOKENRAIL_AUTH_MODE": "dev", "TOKENRAIL_AUTH_DEV_KEY_FILE": str(key_file),
            "TOKENRAIL_API_RATE_PER_SECOND": "0"})
        self.stack.simulator("--journal-max", "1")
        self.sync = self.stack.sync().wait_ready()
        self.api = self.stack.api().wait_ready()
        wait_until("the API has read the registry", lambda: "the registry is there" in self.api.text())
        self.few_models = int(re.search(r"the registry is there \((\d+) models\)", self.api.text()).group(1))
        self.api_few_bytes = self.api.resident_bytes(peak=False)
        self.token = self.new_token()
        self.client = http.client.HTTPConnection("127.0.0.1", self.api.api_port(), timeout=60)
        self.router = None

    def close(self):
        self.client.close()
        self.stack.close()

    def new_token(self):
        """Of an administrator of acme, which is made where it is missing."""
        self.stack.sql("INSERT INTO organization (id, slug) VALUES ('acme', 'acme') ON CONFLICT DO NOTHING")
        return self.stack.cli("auth", "token", "--role", "org_admin", "--org", "acme", "--subject", "bench").stdout.strip()

    def ask_api(self, method, path, body=None):
        """The answer's document; anything but 2xx is an error."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.client.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.client.getresponse()
        text = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text)

    # --- models ------------------------------------------------------------------------------------------------------

    def fill(self):
        """Writes the models and organisations into the database, lets a new registry-sync publish them, and starts the
        API again. Seconds from the start of registry-sync until it is ready."""
        end(self.sync)
        end(self.api)
        self.stack.sql(
            "SET synchronous_commit = off;"
            f"INSERT INTO organization (id, slug) SELECT 'org-' || g, 'org-' || g FROM generate_series(1, {ORGANISATIONS}) g;"
            "INSERT INTO connection (name, provider, base_url, sync_enabled) VALUES "
            f"('bulk', 'openai-compatible', '{self.stack.simulator_url}/v1', false);"
            "INSERT INTO model (provider, model_name, slug, enabled, display_name, family, context_window, output_tokens_max, "
            "capabilities) SELECT 'openai-compatible', 'family-' || g % 50 || '/model-' || g, "
            "'openai-compatible/family-' || g % 50 || '/model-' || g, true, 'Model ' || g, 'family-' || g % 50, "
            "8192 << (g % 5), 4096, jsonb_build_object('chat', 'supported', 'tools', CASE g % 2 WHEN 0 THEN 'supported' ELSE "
            "'unsupported' END, 'vision', CASE g % 100 WHEN 0 THEN 'supported' ELSE 'unsupported' END) FROM "
            f"generate_series(1, {self.models}) g;"
            "INSERT INTO deployment (model_id, connection_id, upstream_name) SELECT m.id, c.id, m.model_name FROM model m JOIN "
            "connection c ON c.name = 'bulk' WHERE m.provider = 'openai-compatible';"
            "INSERT INTO price (model_id, dimension, amount, source, created_by) SELECT m.id, d, 100 * length(d), 'override', "
            "'bench' FROM model m, unnest(ARRAY['input', 'output']) d WHERE m.provider = 'openai-compatible';"
            # Every organisation has rows of its own over the platform's.
            "INSERT INTO model (org_id, provider, model_name, slug, enabled) SELECT 'org-' || (1 + g / 3), m.provider, "
            "m.model_name, 'own/' || m.model_name, true FROM (SELECT provider, model_name, row_number() OVER (ORDER BY slug) - 1 "
            f"AS g FROM model WHERE provider = 'openai-compatible' LIMIT {3 * ORGANISATIONS}) m;")
        # What PostgreSQL does by itself after a while.
        self.stack.sql("ANALYZE")
        begin = time.monotonic()
        self.sync = self.stack.sync()
        wait_until("the registry is published", self.sync.ready, 180)
        seconds = time.monotonic() - begin
        self.api = self.stack.api()
        wait_until("the API has read the registry", lambda: "the registry is there" in self.api.text(), 180)
        self.api.wait_ready()
        self.client = http.client.HTTPConnection("127.0.0.1", self.api.api_port(), timeout=60)
        return seconds

    def start_routers(self):
        """Seconds of three starts until ready, and the resident bytes of the last router, which goes on running."""
        seconds = []
        for _ in range(1 if self.quick else 3):
            if self.router is not None:
                end(self.router)
            begin = time.monotonic()
            self.router = self.stack.router()
            while not self.router.ready():
                if time.monotonic() > begin + 120:
                    raise RuntimeError(f"the router is not ready: {self.router.readyz()}")
                time.sleep(0.002)
            seconds.append(time.monotonic() - begin)
        return seconds, self.router.resident_bytes(peak=False)

    def memory(self, few_bytes, many_bytes):
        log = Log(self.stack, "model_registry")
        wait_until("the topic is read", lambda: len(log.poll()) > self.models, 120)
        sizes = [len(r.value()) for r in log.records if b"openai-compatible" in (r.key() or b"") and r.value()]
        log.close()
        return {"few_models": self.few_models,
                "router_bytes_a_model": (many_bytes - few_bytes) / self.models,
                "api_bytes_a_model": (self.api.resident_bytes(peak=False) - self.api_few_bytes) / self.models,
                "record_bytes": sum(sizes) / len(sizes)}

    # --- changes -----------------------------------------------------------------------------------------------------

    def changes(self):
        """Enables and disables a model by turns. Requests that name it go to the router all the while; a change is in force
        when the first answer by the new rule is here. So each time is rather too long, by a round trip of a request."""
        log = Log(self.stack, "chat.chunks")
        self.ask_api("PATCH", f"/v1/orgs/acme/models/{SUBJECT}", {"enabled": True})
        self.until(log, refused=False)
        times = {"in_force_ms": [], "answered_ms": [], "round_trip_ms": []}
        refused = True
        for _ in range(20 if self.quick else 200):
            begin = time.monotonic()
            self.ask_api("PATCH", f"/v1/orgs/acme/models/{SUBJECT}", {"enabled": not refused})
            times["answered_ms"].append((time.monotonic() - begin) * 1000)
            self.until(log, refused)
            times["in_force_ms"].append((time.monotonic() - begin) * 1000)
            begin = time.monotonic()
            self.until(log, refused)
            times["round_trip_ms"].append((time.monotonic() - begin) * 1000)
            refused = not refused
        log.close()
        progress(f"in force after {sorted(times['in_force_ms'])[len(times['in_force_ms']) // 2]:.0f} ms, at most "
                 f"{max(times['in_force_ms']):.0f} ms")
        return times

    def until(self, log, refused):
        """Sends a request each 10 ms until one of them was refused, or answered."""
        asked, seen, due = set(), len(log.records), 0.0
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if time.monotonic() >= due:
                due = time.monotonic() + 0.01
                request = f"r-{secrets.token_hex(6)}"
                asked.add(request)
                self.stack.ask(request, "go [[sim tokens=1]]", key=request,
                               modelProvider="ollama", modelName="sim-chat:1b")
            log.poll(0.001)
            for record in log.records[seen:]:
                chunk = json.loads(record.value())
                if chunk["done"] and chunk["requestId"] in asked and bool(chunk.get("error")) == refused:
                    return
            seen = len(log.records)
        raise RuntimeError("the change was not in force within 30 s")

    # --- reads -------------------------------------------------------------------------------------------------------

    def reads(self):
        """Latencies of one client by what it asks for, in microseconds."""
        step = self.models // 500
        ones = [f"/v1/orgs/acme/models/{self.slug(number)}" for number in range(1, self.models, step)]
        asked = {"livez": ["/livez"], "one": ones, "page": self.pages(), "capability": [PAGE + "&capability=vision"],
                 "two_capabilities": [PAGE + "&capability=vision&capability=tools"],
                 "capability_of_half": [PAGE + "&capability=tools"], "provider": [PAGE + "&provider=openai-compatible"],
                 "status": [PAGE + "&status=active"], "search": [PAGE + "&q=model-4711"], "updated": [PAGE + "&order_by=updated"],
                 "usable": ["/v1/models"]}
        found = {}
        for name, paths in asked.items():
            # Five seconds at most, since what takes long is not measured better by more of it.
            found[name] = self.call(name, [f"{name}\t{path}" for path in paths], requests=50 if self.quick else 300,
                                    seconds=5)["reads_us"]
            progress(f"{name:20} p50 {found[name]['p50'] / 1000:8.1f} ms   p99 {found[name]['p99'] / 1000:8.1f} ms   "
                     f"({found[name]['count']})")
        return found

    @staticmethod
    def slug(number):
        return f"openai-compatible%2Ffamily-{number % 50}%2Fmodel-{number}"

    def pages(self):
        """Paths of pages from the whole length of the list."""
        paths, token, stride = [PAGE], "", 1 if self.quick else 10
        while len(paths) < (20 if self.quick else 200):
            for _ in range(stride):
                token = self.ask_api("GET", PAGE + (f"&page_token={token}" if token else ""))["next_page_token"]
            paths.append(f"{PAGE}&page_token={token}")
        return paths

    def call(self, name, reads, writes=(), **options):
        """What tokenrail-bench-api measures."""
        files = {}
        for kind, lines in (("reads", reads), ("writes", writes)):
            if lines:
                files[kind] = self.folder / f"bench-api-{name}.{kind}"
                files[kind].write_text("\n".join(lines) + "\n")
        result = Instrument("tokenrail-bench-api", port=self.api.api_port(), token=self.token, **files, **options).result()
        refused = {status: count for status, count in result["statuses"].items() if status[0] not in "25"}
        if refused:
            raise RuntimeError(f"{name}: answers that are not meant: {refused}")
        return result

    def resolution(self):
        """Nanoseconds a request by way to name a model; 10,000 models and 1,000 organisations."""
        return Instrument("tokenrail-bench-resolve", rounds=5 if self.quick else 15).result()

    # --- load --------------------------------------------------------------------------------------------------------

    def load(self):
        """Everybody at once: without the database, with it, and with it beside two slow clients."""
        self.client.close()  # it was idle while resolution was measured, and the API ends idle connections
        reads = self.mixed_reads()
        writes = [f"change\t/v1/orgs/acme/models/{self.slug(number)}\t{json.dumps({'description': f'Changed {number}.'})}"
                  for number in range(1, self.writers * 100 + 1)]
        everybody = {"readers": self.readers, "writers": self.writers}
        runs = {"before_bytes": self.api.resident_bytes(peak=False)}
        runs["without_the_database"] = self.call("livez", ["livez\t/livez"], readers=self.readers + self.writers,
                                                 seconds=2 if self.quick else 10)
        runs["alone"] = self.call("alone", reads, writes, seconds=5 if self.quick else 30, **everybody)
        slow = SlowClients(self.api.api_port(), self.token)
        runs["beside_slow_clients"] = self.call("beside", reads, writes, seconds=5 if self.quick else 60, **everybody)
        runs["cut_off_s"] = slow.cut_off()
        runs["peak_bytes"] = self.api.resident_bytes()
        for name in ("alone", "beside_slow_clients"):
            run = runs[name]
            progress(f"{name}: reads p50 {run['reads_us']['p50'] / 1000:.0f} p99 {run['reads_us']['p99'] / 1000:.0f} ms, writes "
                     f"p50 {run['writes_us']['p50'] / 1000:.0f} p99 {run['writes_us']['p99'] / 1000:.0f} ms, {run['statuses']}")
        return runs

    def mixed_reads(self):
        """Of ten reads six are of one model, two of a page, one of the aliases, one says why a model may be used."""
        pages = self.pages()
        lines = []
        for number in range(1, 1_000):
            model = self.slug(number * 7_919 % self.models + 1)
            lines += [f"one\t/v1/orgs/acme/models/{self.slug((number * 7_919 + i) % self.models + 1)}" for i in range(6)]
            lines += [f"page\t{pages[(2 * number + i) % len(pages)]}" for i in range(2)]
            lines += ["aliases\t/v1/orgs/acme/aliases", f"explain\t/v1/orgs/acme/models/{model}/explain"]
        return lines


class SlowClients:
    """One that sends a byte a second of its request, and one that asks for a lot and takes nothing of the answers."""

    def __init__(self, port, token):
        self.port, self.token = port, token
        self.seconds = {}
        self.threads = [threading.Thread(target=self.byte_a_second), threading.Thread(target=self.slow_reader)]
        for thread in self.threads:
            thread.start()

    def cut_off(self):
        """Seconds until the API closed each connection."""
        for thread in self.threads:
            thread.join()
        return self.seconds

    def byte_a_second(self):
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.settimeout(1)
            try:
                for byte in "GET /livez HTTP/1.1\r\nHost: somewhere.example.org\r\nX-Padding: " + "x" * 100:
                    client.sendall(byte.encode())
                    try:
                        if not client.recv(1024):
                            break
                    except socket.timeout:
                        pass
            except OSError:
                pass
        self.seconds["byte_a_second"] = time.monotonic() - begin

    def slow_reader(self):
        request = (f"GET {PAGE.replace('page_size=50', 'page_size=200')} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                   f"Authorization: Bearer {self.token}\r\n\r\n").encode()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", self.port))
            begin = stuck_since = time.monotonic()
            client.sendall(request * 50)
            port, queued = client.getsockname()[1], None
            # The API is busy, and its first answers fit into the buffers of the kernel: the clock of a write that goes
            # nowhere runs from when they have filled up.
            while (left := self.unsent(port)) is not None and time.monotonic() < begin + 180:
                if left != queued:
                    queued, stuck_since = left, time.monotonic()
                time.sleep(0.2)
        self.seconds["slow_reader"] = time.monotonic() - stuck_since

    def unsent(self, port):
        """Bytes that the API's end of the connection holds, as the kernel lists it; None: it is closed."""
        with open("/proc/net/tcp", encoding="ascii") as sockets:
            ends = [line.split()[1:5] for line in sockets]
        for local, remote, state, queues in ends[1:]:
            if local.endswith(f":{self.port:04X}") and remote.endswith(f":{port:04X}") and state == "01":
                return int(queues.split(":")[0], 16)
        return None
