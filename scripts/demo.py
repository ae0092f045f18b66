#!/usr/bin/python3
"""The demo: a broker, a database, models, one question, the answer as it streams, and what was written down about it.

Everything is started here, on free loopback ports, below one folder, and ended here, whatever happens. Each thing that
is shown is also checked: with --exit the demo ends with 0 only if all of it was really seen.
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import random
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("TOKENRAIL_DEV_BIN") or ROOT / "build" / "quick" / "bin")
WEB_PAGE = ROOT / "build" / "web"
PARTITIONS = 4
QUESTION = "Why is the sky blue? Answer in two sentences."
SIMULATED_ANSWER = (
    "I am the simulator that replaces a model server here, so I cannot really say why the sky is blue. "
    "But every word of this travelled the real way: from a provider's stream through the router, "
    "onto a Kafka topic, and from there to your screen."
)
# On a machine that does much else. Only a fault takes longer.
READY_SECONDS = 180
END_SECONDS = 60
STARTED = time.monotonic()
COLOURS = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


class DemoError(Exception):
    """Something that was to be seen was not. `logs`: whose logs may say why."""

    def __init__(self, message, logs=()):
        super().__init__(message)
        self.logs = list(logs)


# --- what a person sees ----------------------------------------------------------------------------------------------


def say(text=""):
    print(text, flush=True)


def note(text):
    """Progress, with the seconds since the start."""
    say(f"[{time.monotonic() - STARTED:3.0f}s] {text}")


def heading(text):
    say()
    say(f"\033[1m{text}\033[0m" if COLOURS else text)


def indent(text, by="   "):
    return "\n".join(by + line for line in text.splitlines())


# --- processes -------------------------------------------------------------------------------------------------------


def die_with_parent():
    """In the child: should the demo be killed outright, its processes go with it (PR_SET_PDEATHSIG is 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def free_port():
    """Below 32768, where Linux hands out no ports by itself, so that it is still free when the program asks for it."""
    for _ in range(200):
        port = random.randint(20000, 32000)
        with contextlib.closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise DemoError("no free port between 20000 and 32000")


def simulator_of_up():
    """Where the simulator of ./dev up listens, which a shell may have exported; empty: there is none."""
    with contextlib.suppress(OSError):
        return "http://" + (dev_folder() / "run/provider-simulator.address").read_text(encoding="utf-8").strip()
    return ""


class Program:
    """A process of ours with a log file."""

    def __init__(self, name, command, folder, environment, first_line=False):
        self.name = name
        self.log = folder / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if first_line else log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us; we end the others in order
                preexec_fn=die_with_parent,
            )

    def first_line(self, seconds):
        """Its first line of output once it serves: programs without /readyz print their address there."""
        deadline = time.monotonic() + seconds
        os.set_blocking(self.process.stdout.fileno(), False)
        text = b""
        while time.monotonic() < deadline:
            piece = self.process.stdout.read() or b""
            text += piece
            if b"\n" in text:
                return text.decode().strip().splitlines()[-1]
            self.must_live()
            time.sleep(0.02)
        raise DemoError(f"{self.name} said nothing for {seconds} s", [self.log])

    def must_live(self):
        if self.process.poll() is not None:
            raise DemoError(f"{self.name} ended by itself with {self.process.returncode}", [self.log])

    def end(self):
        """Asks it to end, and only then insists. True: it ended by itself, in order."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                return self.process.wait(END_SECONDS) == 0
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return False


def http_get(url, seconds=2.0):
    """Status and body; never by a proxy, since everything asked here is near."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=seconds) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def wait_ready(program, address, seconds):
    deadline = time.monotonic() + seconds
    said = "nothing"
    while time.monotonic() < deadline:
        program.must_live()
        with contextlib.suppress(OSError):
            status, said = http_get(f"http://{address}/readyz")
            if status == 200:
                return
        time.sleep(0.05)
    raise DemoError(f"{program.name} was not ready after {seconds} s; /readyz says: {said.strip()}", [program.log])


# --- the demo --------------------------------------------------------------------------------------------------------


class Demo:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        # Nothing of the caller's settings may reach the demo: it shows what works with none.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("TOKENRAIL_")}
        self.environment["no_proxy"] = ",".join(
            filter(None, [self.environment.get("no_proxy", ""), "127.0.0.1", "localhost"])
        )
        self.dev_environment = dict(self.environment, TOKENRAIL_DEV_DIR=str(folder))
        self.programs = []
        self.undo = []
        self.simulated = False
        self.model = None

    # -- small things

    def start(self, name, command, first_line=False, **settings):
        program = Program(name, command, self.logs, dict(self.environment, **settings), first_line)
        self.programs.append(program)
        return program

    def dev(self, *words):
        """./dev in the demo's own folder; its last line of standard output."""
        done = subprocess.run(
            [ROOT / "dev", *words], env=self.dev_environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
        )
        if done.returncode != 0:
            raise DemoError(f"./dev {' '.join(words)} failed:\n{indent(done.stderr.strip())}")
        lines = done.stdout.strip().splitlines()
        return lines[-1] if lines else ""

    def tokenrail(self, *words, seconds=120):
        command = [BIN / "tokenrail", *words]
        try:
            done = subprocess.run(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, timeout=seconds, check=False,
            )
        except subprocess.TimeoutExpired as expired:
            raise DemoError(f"'tokenrail {' '.join(words)}' did not end within {seconds} s", self.all_logs()) from expired
        if done.returncode != 0:
            raise DemoError(
                f"'tokenrail {' '.join(words)}' ended with {done.returncode}: {done.stderr.strip()}", self.all_logs()
            )
        return done.stdout

    def all_logs(self):
        return [program.log for program in self.programs]

    # -- what it needs

    def start_broker(self):
        if self.options.kafka == "real":
            note("Kafka: a real broker (the first time it is downloaded, which takes a minute)")
            # What runs in a folder whose lock is ours was left behind by a demo that was killed.
            self.dev("kafka", "stop", "--wipe")
            self.undo.append(lambda: self.dev("kafka", "stop", "--wipe"))
            servers = self.dev("kafka", "start")
        else:
            topics = [json.loads(line) for line in
                      self.tokenrail("topics", "list", "--json", "--partitions", str(PARTITIONS)).splitlines()]
            command = [BIN / "tokenrail-dev-broker"]
            for topic in topics:
                command += ["--topic", f"{topic['topic']}:{topic['partitions']}"]
            servers = self.start("dev-broker", command, first_line=True).first_line(READY_SECONDS)
            # That broker answers a fetch when its time is up, not when a record comes.
            self.environment["TOKENRAIL_KAFKA_FETCH_WAIT_MAX_MS"] = "10"
        self.environment["TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS"] = servers
        if self.options.kafka == "real":
            self.tokenrail("topics", "apply", "--partitions", str(PARTITIONS))
            note(f"Kafka: answers at {servers}")
        else:
            note(f"Kafka: tokenrail-dev-broker at {servers} (in memory, no Java; --kafka real takes the real one)")

    def start_database(self):
        running = subprocess.run(
            [ROOT / "dev", "postgres", "status"], env=self.dev_environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        ).returncode == 0
        if not running:
            self.undo.append(lambda: self.dev("postgres", "stop"))
        url = self.dev("postgres", "start")
        # A database of its own each time: the broker begins empty, and the registry has to begin with it.
        server = url.rsplit("/", 1)[0]
        for statement in ("drop database if exists tokenrail_demo with (force)", "create database tokenrail_demo"):
            done = subprocess.run(
                ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement],
                env=dict(self.environment, PGOPTIONS="-c client_min_messages=warning"), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )
            if done.returncode != 0:
                raise DemoError(f"PostgreSQL refused '{statement}': {done.stdout.strip()}")
        self.environment["TOKENRAIL_DATABASE_URL"] = f"{server}/tokenrail_demo"
        self.tokenrail("migrate")
        note(f"PostgreSQL: {self.environment['TOKENRAIL_DATABASE_URL']} (private, its tables are made)")

    def choose_models(self):
        url = self.environment.get("OLLAMA_BASE_URL", "http://localhost:11434").rstrip("/")
        models = []
        with contextlib.suppress(OSError, ValueError):
            status, body = http_get(f"{url}/api/tags", 3.0)
            models = json.loads(body).get("models") or [] if status == 200 else []
        if models and url != simulator_of_up():
            # The smallest answers soonest. What cannot chat is sorted out by the registry afterwards.
            self.environment["OLLAMA_BASE_URL"] = url
            self.sizes = {m["name"]: m.get("size", 0) for m in models if isinstance(m.get("name"), str)}
            note(f"Models: the Ollama at {url} has {len(models)}")
            return
        simulator = self.start(
            "provider-simulator",
            [BIN / "tokenrail-provider-simulator", "--set", "pace=15-60", "--set", "first=250",
             "--set", f"text={SIMULATED_ANSWER}"],
            first_line=True,
        )
        self.environment["OLLAMA_BASE_URL"] = simulator.first_line(READY_SECONDS).split()[-1]
        self.simulated = True
        why = f"only the simulator of ./dev up answers at {url}" if models else f"no Ollama with a model answers at {url}"
        note(f"Models: {why}, so a SIMULATOR takes its place at {self.environment['OLLAMA_BASE_URL']}; its answers are "
             "made up")

    def prepare_governing(self):
        """What governs the registry: a key ring for credentials, and tokens that this machine makes itself."""
        ring = self.folder / "keyring.json"
        ring.unlink(missing_ok=True)
        self.tokenrail("keys", "create", str(ring))
        self.environment["TOKENRAIL_KEYRING_FILE"] = str(ring)
        self.environment["TOKENRAIL_AUTH_MODE"] = "dev"
        # Organisations of the demo may use model servers of this machine.
        self.environment["TOKENRAIL_EGRESS_ALLOW"] = "127.0.0.0/8,::1/128"
        self.environment["TOKENRAIL_AUTH_DEV_KEY_FILE"] = str(self.folder / "dev-auth-key.json")

    def start_workers(self):
        api = f"127.0.0.1:{free_port()}"
        self.environment["REGISTRY_API"] = f"http://{api}"
        if (WEB_PAGE / "index.html").is_file():
            self.environment["TOKENRAIL_API_WEB_DIR"] = str(WEB_PAGE)
        for name in ("registry-sync", "router", "registry-api"):
            address = f"127.0.0.1:{free_port()}"
            worker = self.start(name, [BIN / f"tokenrail-{name}"], TOKENRAIL_HTTP_LISTEN=address,
                                TOKENRAIL_API_LISTEN=api)
            worker.address = address
        self.environment["TOKENRAIL_DOCTOR_ROUTERS"] = f"http://{self.programs[-2].address}"
        self.environment["TOKENRAIL_DOCTOR_APIS"] = f"http://{api}"
        for worker in self.programs[-3:]:
            wait_ready(worker, worker.address, READY_SECONDS)
            note(f"tokenrail-{worker.name} is ready (http://{worker.address}/metrics)")

    # -- what is shown, and checked

    def show_models(self):
        heading("1. The models that were imported")
        deadline = time.monotonic() + READY_SECONDS
        while True:
            models = [json.loads(line) for line in self.tokenrail("registry", "list", "--json").splitlines()]
            usable = [m for m in models if m["state"] == "ready" and m["kind"] == "generation"]
            if usable or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if not usable:
            raise DemoError(f"none of the {len(models)} imported models can answer", self.all_logs())
        say("   $ tokenrail registry list")
        say(indent(self.tokenrail("registry", "list")))
        if not self.simulated:
            usable.sort(key=lambda m: self.sizes.get(m["modelName"], 0))
        self.model = f"{usable[0]['provider']}/{usable[0]['modelName']}"

    def ask(self):
        heading("2. A question")
        say(f"   $ tokenrail chat --model {self.model} {shlex.quote(QUESTION)}")
        command = [BIN / "tokenrail", "chat", "--json", "--model", self.model, "--timeout", "5m", QUESTION]
        with open(self.logs / "chat.log", "wb") as log:
            chat = subprocess.Popen(
                [str(word) for word in command], env=self.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True, preexec_fn=die_with_parent,
            )
        chunks, arrivals = [], []
        try:
            for line in chat.stdout:
                chunk = json.loads(line)
                if not chunks:
                    heading("3. The answer, token by token, from chat.chunks")
                    sys.stdout.write("   ")
                chunks.append(chunk)
                arrivals.append(time.monotonic())
                sys.stdout.write((chunk.get("delta") or "").replace("\n", "\n   "))
                sys.stdout.flush()
            chat.wait(END_SECONDS)
        finally:
            if chat.poll() is None:
                chat.kill()
                chat.wait()
        say()
        self.check_answer(chat, chunks, arrivals)
        return chunks[-1]

    def check_answer(self, chat, chunks, arrivals):
        logs = [self.logs / "chat.log", *self.all_logs()]
        if not chunks:
            raise DemoError(f"no chunk came; tokenrail chat ended with {chat.returncode}", logs)
        last = chunks[-1]
        if not last.get("done") or chat.returncode != 0:
            raise DemoError(f"the answer did not end well (exit code {chat.returncode}): {json.dumps(last)}", logs)
        if [c["seq"] for c in chunks] != list(range(len(chunks))) or last["chunks"] != len(chunks):
            raise DemoError(f"chunks are missing: {[c['seq'] for c in chunks]}", logs)
        deltas = [c for c in chunks if c.get("delta")]
        if len(deltas) < 2:
            raise DemoError(f"the answer came in {len(deltas)} piece(s), so it did not stream", logs)
        if self.simulated and "".join(c["delta"] for c in deltas).strip() != SIMULATED_ANSWER:
            raise DemoError("the text is not what the simulator sent", logs)
        usage, model = last.get("usage") or {}, last.get("model") or {}
        say(f"   — {len(deltas)} pieces over {arrivals[-1] - arrivals[0]:.1f} s, "
            f"{model.get('provider')}/{model.get('name')}, {usage.get('inputTokens')} tokens in, "
            f"{usage.get('outputTokens')} out, first token after {last['timing'].get('firstTokenMs')} ms")

    def show_audit(self, terminal):
        heading("4. What llm.audit says about it")
        records = self.tail("llm.audit", terminal["requestId"], 2)
        events = [record["value"] for record in records]
        if [event.get("type") for event in events] != ["llm.request", "llm.response"]:
            raise DemoError(f"llm.audit has {[event.get('type') for event in events]}, not one request and one response",
                            self.all_logs())
        request, response = events
        same = ("attempt", "epoch", "instance", "sourcePartition", "sourceOffset", "orgId", "requestId")
        if any(request[field] != response[field] for field in same) or request["attempt"] != terminal["attempt"]:
            raise DemoError("the audit pair does not belong together", self.all_logs())
        if response["outcome"] != "completed" or response["called"] is not True:
            raise DemoError(f"llm.response says {response['outcome']}", self.all_logs())
        for record in records:
            self.show_record(record)

    def show_registry_event(self):
        heading("5. The event from which every router knows the model")
        name = self.model.split("/", 1)[1]
        records = self.tail("model_registry.events", json.dumps(name), 1)
        record = records[0]
        if record["headers"].get("ce_type") != "model_registry.upserted" or record["value"]["model"]["modelName"] != name:
            raise DemoError(f"that is no model_registry.upserted of {name}: {json.dumps(record)}", self.all_logs())
        self.show_record(record)

    def tail(self, topic, text, count):
        words = ["topics", "tail", topic, "--from-beginning", "--contains", text, "--count", str(count), "--json"]
        return [json.loads(line) for line in self.tokenrail(*words, "--timeout", "60s", seconds=120).splitlines()]

    @staticmethod
    def show_record(record):
        text = json.dumps(record["value"], ensure_ascii=False)
        say(f"   {record['topic']} partition {record['partition']} offset {record['offset']} "
            f"{record['headers'].get('ce_type', '')}")
        say(f"      {text if len(text) <= 600 else text[:600] + ' …'}")

    # -- and then

    def stay(self):
        heading("All of it works. Ask more in a second terminal:")
        names = ["TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS", "TOKENRAIL_KAFKA_FETCH_WAIT_MAX_MS", "TOKENRAIL_DATABASE_URL",
                 "OLLAMA_BASE_URL", "TOKENRAIL_KEYRING_FILE", "TOKENRAIL_AUTH_MODE", "TOKENRAIL_AUTH_DEV_KEY_FILE",
                 "TOKENRAIL_DOCTOR_ROUTERS", "TOKENRAIL_DOCTOR_APIS", "REGISTRY_API"]
        for name in names:
            if name in self.environment:
                say(f"   export {name}={shlex.quote(self.environment[name])}")
        say(f"   export PATH={shlex.quote(str(BIN))}:$PATH")
        say(f"   tokenrail chat --model {self.model} 'Tell me a story'")
        say("   tokenrail doctor")
        say("   tokenrail org create acme        # docs/tutorial/govern-models.md goes on from here")
        say()
        if "TOKENRAIL_API_WEB_DIR" in self.environment:
            say(f"Web page: {self.environment['REGISTRY_API']}/ui/")
        say(f"The registry over HTTP: {self.environment['REGISTRY_API']}/openapi.json")
        say(f"Logs are in {self.logs}. Ctrl-C ends everything.")
        while True:
            for program in self.programs:
                program.must_live()
            time.sleep(0.5)

    def must_be_built(self):
        names = ["tokenrail", "tokenrail-router", "tokenrail-registry-sync", "tokenrail-registry-api",
                 "tokenrail-dev-broker", "tokenrail-provider-simulator"]
        missing = [name for name in names if not (BIN / name).exists()]
        if missing:
            raise DemoError(f"not built yet: {', '.join(missing)} in {BIN}; ./dev demo builds them")

    def run(self):
        self.must_be_built()
        say("Tokenrail: a chat request goes in on Kafka, its tokens come out on Kafka while the model still speaks.")
        self.start_database()
        self.start_broker()
        self.choose_models()
        self.prepare_governing()
        self.start_workers()
        self.show_models()
        terminal = self.ask()
        self.show_audit(terminal)
        self.show_registry_event()
        if self.options.exit:
            say()
            note("All of it was seen.")
        else:
            self.stay()

    def clean_up(self):
        """Ends what was started, the last first. Returns those that did not end in order."""
        unruly = [program for program in reversed(self.programs) if not program.end()]
        for undo in reversed(self.undo):
            with contextlib.suppress(DemoError):
                undo()
        return unruly


# --- from the command line -------------------------------------------------------------------------------------------


def dev_folder():
    return pathlib.Path(os.environ.get("TOKENRAIL_DEV_DIR") or ROOT / ".dev").absolute()


def own_folder():
    """A folder that no other demo uses now, and its lock: several may run beside each other."""
    base = dev_folder() / "demo"
    for number in range(1, 10):
        folder = base / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / "lock", "w", encoding="utf-8")  # held until the process ends
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.set_inheritable(lock.fileno(), False)
            return folder, lock
        lock.close()
    raise DemoError(f"nine demos run already below {base}")


def show_failure(error):
    print(f"\ndemo: {error}", file=sys.stderr)
    for log in dict.fromkeys(error.logs):
        with contextlib.suppress(OSError):
            lines = log.read_text(errors="replace").splitlines()
            if lines:
                print(f"\n--- the end of {log}", file=sys.stderr)
                print("\n".join(lines[-20:]), file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--exit", action="store_true", help="end once all was seen: 0, or 1 with the reason")
    parser.add_argument("--kafka", choices=["mock", "real"], default="mock",
                        help="mock: the small broker of this repository; real: Apache Kafka (needs Java, installs it)")
    options = parser.parse_args()

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    demo = None
    code = 0
    try:
        folder, _lock = own_folder()
        demo = Demo(options, folder)
        demo.run()
    except DemoError as error:
        show_failure(error)
        code = 1
    except KeyboardInterrupt:
        say("\nEnding the demo.")
        # Ctrl-C is how a demo that stays up is meant to end; before that it was cut short.
        code = 130 if options.exit else 0
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)
        unruly = demo.clean_up() if demo else []
    if code == 0 and options.exit and unruly:
        names = ", ".join(program.name for program in unruly)
        show_failure(DemoError(f"asked to end, these did not do so in order: {names}", [p.log for p in unruly]))
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
