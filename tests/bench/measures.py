"""The measurements. Each returns raw numbers of single runs; what is compared is taken in turns, so that a busy machine
is busy for both sides."""

import json
import re
import time

from installation import Instrument, cpu_seconds, wait_until
from stack import Log, free_port, http_get

MICRO = 1e6
# Streams begin one after the other, so many a second: begun at once they would all speak in the same millisecond.
STARTS = 1_000
MANY_STREAMS = 5_000


def progress(text):
    print(f"  {text}", flush=True)


class Measures:
    def __init__(self, installation, quick):
        self.at = installation
        self.window = 1.5 if quick else 4.0
        self.settle = 0.7 if quick else 1.0
        self.quick = quick

    # --- CPU per chunk -----------------------------------------------------------------------------------------------

    def saturated_floor(self, streams, tokens):
        run = self.at.floor(streams=streams, mode="whole", directive=f"tokens={tokens}").result()
        return run["cpu_us_per_chunk"]

    def saturated_router(self, streams, tokens):
        self.at.load(requests=streams, directive="tokens=200").wait_ready().result()
        return self._router_cost(lambda: self.at.load(requests=streams, directive=f"tokens={tokens}"))[0]

    def _router_cost(self, make_load):
        """CPU microseconds per chunk and per request of everything that a load makes the router do."""
        chunks, cpu = self.at.router_metric("tokenrail_router_chunks_total"), self.at.router_cpu()
        ended = make_load().wait_ready().result()
        cpu = self.at.router_cpu() - cpu
        chunks = self.at.router_metric("tokenrail_router_chunks_total") - chunks
        return cpu * MICRO / chunks, cpu * MICRO / ended["requests"], ended["wall_us"] / ended["requests"]

    # Each with its variables of a key and of a base URL; the path of the simulator's API.
    DIALECTS = {"ollama": (None, "OLLAMA_BASE_URL", ""), "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
                "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", ""),
                "gemini": ("GEMINI_API_KEY", "GEMINI_BASE_URL", ""), "cohere": ("COHERE_API_KEY", "COHERE_BASE_URL", ""),
                "azure": ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "")}

    def _other_router(self, stack, providers, **environment):
        """Sync and a router of a stack of its own, ready, with the simulator's model of these providers."""
        stack.sync(**environment).wait_ready()
        wait_until("the models are listed", lambda: set(providers) <= {
            row[0] for row in stack.sql("SELECT provider FROM model WHERE enabled AND model_name = 'sim-chat:1b'")})
        wait_until("the models are published",
                   lambda: stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0] == 0)
        return stack.router(**environment).wait_ready()

    @staticmethod
    def _store_connection(stack, provider, path):
        """A connection of the load's organisation for a provider that the environment does not name, with all models that its
        provider lists. Returns the setting of the key ring that opens its key."""
        ring = {"TOKENRAIL_KEYRING_FILE": str(stack.folder / "keyring.json")}
        stack.cli("keys", "create", ring["TOKENRAIL_KEYRING_FILE"])
        stack.cli("org", "create", "bench-0")
        stack.cli("credentials", "put", "main", "--org", "bench-0", "--provider", provider, stdin="bench", environment=ring)
        stack.cli("registry", "apply", "-", stdin=json.dumps({"connections": [{
            "org": "bench-0", "name": "own", "provider": provider, "baseUrl": stack.simulator_url + path, "authType": "bearer",
            "credential": "main", "onNew": "enabled"}]}))
        return ring

    @staticmethod
    def _chunks_of(router):
        return float(re.search(r"^tokenrail_router_chunks_total (\S+)$", router.metrics(), re.MULTILINE).group(1))

    def _cost_beside(self, stack, router, provider, streams, tokens):
        """CPU microseconds of that router per chunk."""
        def load(count):
            return Instrument("tokenrail-bench-load", bootstrap=self.at.kafka, prefix=stack.prefix, provider=provider,
                              requests=streams, directive=f"tokens={count}").wait_ready().result()
        load(100)
        chunks, cpu = self._chunks_of(router), cpu_seconds(router.pid)
        load(tokens)
        return (cpu_seconds(router.pid) - cpu) * MICRO / (self._chunks_of(router) - chunks)

    def adapters(self, runs, streams, tokens):
        """CPU microseconds of the whole router per chunk by adapter, one number a round; the adapters take turns."""
        stack = self.at.new_stack(**{key: "bench" for key, _, _ in self.DIALECTS.values() if key})
        stack.environment.update({url: stack.simulator_url + path for _, url, path in self.DIALECTS.values()})
        stack.simulator("--journal-max", "1")
        providers = [*self.DIALECTS, "openai-responses"]
        router = self._other_router(stack, providers, **self._store_connection(stack, "openai-responses", "/v1"))
        costs = {name: [] for name in providers}
        for _ in range(runs):
            for name, values in costs.items():
                values.append(self._cost_beside(stack, router, name, streams, tokens))
        router.stop()
        return costs

    def tls(self, runs, streams, tokens, idle):
        """The same over TLS and without, by turns; the resident bytes of a stream that idles over TLS; and how many of the
        handshakes for these streams there were, and how many resumed a session."""
        costs, routers = {"plain": [], "tls": []}, {}
        stacks = {name: self.at.new_stack() for name in costs}
        ca = self.at.folder / "bench-ca.pem"
        port = free_port()
        stacks["plain"].simulator("--journal-max", "1")
        stacks["tls"].environment.update({"OLLAMA_BASE_URL": f"https://127.0.0.1:{port}",
                                          "TOKENRAIL_PROVIDERS_CA_FILE": str(ca)})
        simulator = stacks["tls"].simulator("--journal-max", "1", "--tls-port", str(port), "--tls-ca", str(ca))
        for name, stack in stacks.items():
            routers[name] = self._other_router(stack, ["ollama"])
        for _ in range(runs):
            for name, values in costs.items():
                values.append(self._cost_beside(stacks[name], routers[name], "ollama", streams, tokens))
        router = routers["tls"]

        def handshakes():
            return json.loads(http_get(stacks["tls"].simulator_url + "/_sim/counts")[1])["tls"]
        before, shaken = router.resident_bytes(peak=False), handshakes()
        begun = self._chunks_of(router) + idle
        load = Instrument("tokenrail-bench-load", bootstrap=self.at.kafka, prefix=stacks["tls"].prefix, requests=idle,
                          directive="tokens=2 pace=600000", may_fail="yes").wait_ready()
        try:
            wait_until(f"{idle} idle streams over TLS", lambda: self._chunks_of(router) >= begun)
            time.sleep(self.settle)
            grown = router.resident_bytes(peak=False) - before
            shaken = {name: count - shaken[name] for name, count in handshakes().items()}
            simulator.kill()
            load.result()
        finally:
            load.end()
            for one in routers.values():
                one.stop()
        return costs, grown / idle, shaken

    def decoders(self):
        """Nanoseconds a chunk by adapter, one number a round; the adapters take turns. An event a packet."""
        return Instrument("tokenrail-bench-decoders", rounds=7 if self.quick else 25).result()

    def resolve(self):
        """Nanoseconds a request by way to name a model, one number a round; the ways take turns. 10,000 models."""
        return Instrument("tokenrail-bench-resolve", rounds=5 if self.quick else 15).result()

    def request_cost(self, requests, concurrency):
        """CPU microseconds per request with an answer of one token, its two chunks included, and its share of time."""
        self.at.load(requests=concurrency, concurrency=concurrency, directive="tokens=1").wait_ready().result()
        _, cost, wall = self._router_cost(
            lambda: self.at.load(requests=requests, concurrency=concurrency, directive="tokens=1"))
        return cost, wall

    def paced_floor(self, streams, pace, listen=False):
        ear = self.at.listen("bench.floor").wait_ready() if listen else None
        stamp = " stamp=on" if listen else ""
        warmup = int(self.settle * 1000) + pace + 500
        floor = self.at.floor(streams=streams, mode="window", directive=f"tokens=1000000 pace={pace}{stamp}",
                              starts=STARTS, warmup_ms=warmup, window_ms=int(self.window * 1000))
        if ear is None:
            return floor.result()["cpu_us_per_chunk"], None
        time.sleep(warmup / 1000 + streams / STARTS)
        ear.say("mark")
        cost = floor.result()["cpu_us_per_chunk"]
        ear.say("stop")
        return cost, ear.result()["chunk_us"]

    def paced_router(self, streams, pace, listen=False):
        """CPU microseconds per chunk while all streams run, and the latency of their chunks."""
        lifetime = self.settle + self.window + streams / STARTS + 1.5 + 2 * pace / 1000
        stamp = " stamp=on" if listen else ""
        begun = self.at.router_metric("tokenrail_router_chunks_total") + streams
        load = self.at.load(requests=streams, directive=f"tokens={int(lifetime * 1000 / pace)} pace={pace}{stamp}",
                            rate=STARTS, read="chunks" if listen else "audit").wait_ready()
        try:
            wait_until(f"{streams} streams run",
                       lambda: self.at.router_metric("tokenrail_router_in_flight") == streams
                       and self.at.router_metric("tokenrail_router_chunks_total") >= begun)
            time.sleep(self.settle)
            load.say("mark")
            chunks, cpu = self.at.router_metric("tokenrail_router_chunks_total"), self.at.router_cpu()
            time.sleep(self.window)
            cpu = self.at.router_cpu() - cpu
            chunks = self.at.router_metric("tokenrail_router_chunks_total") - chunks
            load.say("stop")
            if self.at.router_metric("tokenrail_router_in_flight") != streams:
                raise RuntimeError(f"streams ended before the window of {streams} streams was over")
            latency = load.result()["chunk_us"]
            if streams >= MANY_STREAMS:
                self.at.restart_simulator()  # the router's idle connections would take its last open files
            return cpu * MICRO / chunks, latency
        finally:
            load.end()

    # --- latency -----------------------------------------------------------------------------------------------------

    def bare_latency(self, rate):
        return self.at.bare(rate=rate, window_ms=int(self.window * 1000))["latency_us"]

    def call_latency(self, rate):
        """From having read the request off the topic, in another process, to the provider's first line."""
        seconds = self.window + 1
        load = self.at.load(requests=int(rate * seconds), rate=rate, read="calls",
                            directive="tokens=1 stamp=on").wait_ready()
        time.sleep(1)
        load.say("mark")
        return load.result()["call_us"]

    # --- memory ------------------------------------------------------------------------------------------------------

    def idle_router(self, streams):
        """Resident bytes that a stream costs which has begun and waits for its second token."""
        self.at.restart_router()
        self.at.load(requests=1, directive="tokens=1").wait_ready().result()
        before = self.at.router.resident_bytes(peak=False)
        begun = self.at.router_metric("tokenrail_router_chunks_total") + streams
        load = self.at.load(requests=streams, directive="tokens=2 pace=600000", may_fail="yes").wait_ready()
        try:
            wait_until(f"{streams} idle streams",
                       lambda: self.at.router_metric("tokenrail_router_chunks_total") >= begun)
            time.sleep(self.settle)
            held = self.at.router_metric("tokenrail_router_in_flight")
            if held != streams:
                raise RuntimeError(f"{held:.0f} of {streams} streams idle")
            grown = self.at.router.resident_bytes(peak=False) - before
            # The provider goes away: the streams end, and the load with them.
            self.at.restart_simulator()
            load.result()
            return grown / streams
        finally:
            load.end()

    def idle_floor(self, streams):
        run = self.at.floor(streams=streams + 1, mode="idle", directive="tokens=2 pace=600000").result()
        return run["bytes_per_stream"]

    # --- starting ----------------------------------------------------------------------------------------------------

    def start_to_ready(self, models, runs):
        """Seconds from the start of a router to its readiness, with so many models on the registry topic."""
        source = Log(self.at.stack, "model_registry")
        source.wait("a whole registry", lambda values: len(values) >= 2 and any(r.key() == b"_registry"
                                                                                 for r in source.records))
        source.close()
        mark = next(r for r in source.records if r.key() == b"_registry")
        model = next(r for r in source.records if b"sim-chat:1b" in (r.value() or b""))
        stack = self.at.new_stack()
        self._copy_model(stack, model, models)
        stack.produce(mark.value(), key=mark.key(), topic="model_registry", headers=mark.headers())
        stack.flush()
        seconds = []
        for _ in range(runs):
            begin = time.monotonic()
            router = stack.router()
            while not router.ready():
                time.sleep(0.002)
            seconds.append(time.monotonic() - begin)
            if f"({models} models)" not in router.text():
                raise RuntimeError(f"the router was ready without its {models} models:\n{router.text()[-2000:]}")
            router.stop()
        return seconds

    @staticmethod
    def _copy_model(stack, record, count):
        key, value = record.key().decode(), record.value().decode()
        uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
        own_ids = sorted(set(re.findall(uuid, re.sub(r'"connectionId":"[^"]*"', "", value))))
        for number in range(count):
            name = f"sim-copy-{number}:1b"
            text = value.replace("sim-chat:1b", name)
            for i, own in enumerate(own_ids):
                text = text.replace(own, f"{number:08x}-0000-4000-8000-{i:012x}")
            stack.produce(text, key=key.replace("sim-chat:1b", name), topic="model_registry", headers=record.headers())

    # --- abuse -------------------------------------------------------------------------------------------------------

    def abuse(self):
        """Peak of resident memory of a fresh router, after each of the things it has to survive."""
        stack = self.at.new_stack(TOKENRAIL_ROUTER_CALLS_MAX="1")
        router, = stack.whole()
        router.wait_ready()
        chunks = Log(stack, "chat.chunks")
        letters = Log(stack, "chat.requests.dlq")
        peaks = {"ready": router.resident_bytes()}

        def ended(name, seconds=120):
            chunks.wait(name, lambda values: any(v["requestId"] == name and v["done"] for v in values), seconds)
            error = next(v for v in chunks.values() if v["requestId"] == name and v["done"]).get("error", {})
            progress(f"{name}: {error.get('code')}, peak {router.resident_bytes() / 2**20:.0f} MiB")

        stack.produce({"requestId": "request of 50 MB", "orgId": "bench",
                       "messages": [{"role": "user", "content": "x" * 50_000_000}]})
        stack.flush()
        ended("request of 50 MB")
        peaks["request of 50 MB"] = router.resident_bytes()
        stack.produce(b"y" * 50_000_000, key="nonsense")
        stack.flush()
        wait_until("the dead letter", lambda: len(letters.poll()) == 1)
        letters.close()
        peaks["50 MB that are not JSON"] = router.resident_bytes()
        stack.ask("line of 100 MB", "go [[sim fault=huge-line:100]]")
        stack.flush()
        ended("line of 100 MB")
        peaks["line of 100 MB"] = router.resident_bytes()
        # Some million chunks, which Python is too slow to read.
        load = Instrument("tokenrail-bench-load", bootstrap=stack.kafka, prefix=stack.prefix, requests=1,
                          directive="fault=endless", may_fail="yes").wait_ready()
        load.result()
        peaks["endless provider"] = router.resident_bytes()
        chunks.close()
        for process in stack.processes:
            process.kill()
        return peaks
