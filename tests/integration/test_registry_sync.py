"""registry-sync as processes: a provider that does not answer, a leader that is stopped, a state topic that was created
again, and a Kafka property that does not exist."""

import http.server
import json
import os
import re
import signal
import subprocess
import threading

import confluent_kafka
import confluent_kafka.admin

from stack import Log, Process, free_port, http_get, http_post, wait_until


# The promise says a minute, and 15 s until another one leads, on a machine with nothing else to do: `./dev test promises`.
STOPPED_SECONDS = int(os.environ.get("TOKENRAIL_TEST_STOPPED_SECONDS", "0"))
LED_SECONDS_MAX = 15 if STOPPED_SECONDS else float("inf")


def leader(stack):
    holder, epoch = stack.sql("SELECT holder, epoch FROM registry_lease")[0]
    return int(holder.split("/")[1]), epoch


def names(log):
    log.catch_up()
    return {v["model"]["modelName"] for v in (json.loads(r.value()) for r in log.records if r.value())
            if v.get("type") == "model_registry.upserted"}


def last_versions(log):
    """The version in the last record of each model: what compaction leaves."""
    log.catch_up()
    values = [json.loads(r.value()) for r in log.records if r.value()]
    return {v["model"]["modelName"]: v["version"] for v in values if v["type"] == "model_registry.upserted"}


def test_a_silent_provider_of_many_models_delays_nothing_else(make_stack):
    stack = make_stack(settings={"TOKENRAIL_SYNC_CONNECTION_TIMEOUT": "10m", "TOKENRAIL_SYNC_ANSWER_TIMEOUT": "10m"})
    stack.whole(routers=0)
    sync = stack.processes[1]
    port = free_port()
    slow = stack.start(Process, "slow", "tokenrail-provider-simulator", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    wait_until("the slow provider listens", lambda: http_get(url + "/")[0] == 200)
    http_post(url + "/_sim/script", {"models": [f"slow-{n}:1b" for n in range(1000)],
                                     "behaviours": {"/api/show": {"fault": "hang"}}})
    stack.sql("INSERT INTO connection (provider, name, base_url, on_new) VALUES "
              f"('ollama', 'slow', '{url}', 'enabled')")
    sync.signal(signal.SIGHUP)

    def hanging():
        return json.loads(http_get(url + "/_sim/counts")[1])["counts"]["open"]
    wait_until("questions hang", lambda: hanging() == 4)

    # The other connection's sync, by hand and by the clock, and the relay.
    state, events = Log(stack, "model_registry"), Log(stack, "model_registry.events")
    http_post(stack.simulator_url + "/_sim/models", ["by-hand:1b", "second:1b"])
    done = stack.cli("registry", "sync", "--connection", "env-ollama", "--accept", "--timeout", "60s")
    assert "✓ env-ollama" in done.stdout
    assert {"by-hand:1b", "second:1b"} <= names(state), "the topic has it when the command has ended"
    http_post(stack.simulator_url + "/_sim/models", ["by-hand:1b", "second:1b", "by-the-clock:1b"])
    sync.signal(signal.SIGHUP)
    wait_until("the clock's sync", lambda: "by-the-clock:1b" in names(events))
    assert hanging() == 4, "all the while the slow one hung"
    # A caller who asks for all connections learns which one is not done, once the other one has had the time for it.

    def learns():
        done = stack.cli("registry", "sync", "--timeout", "3s", check=False)
        assert done.returncode == 1 and "✗ slow: not done within 3s" in done.stdout, done.stdout
        return "✓ env-ollama" in done.stdout
    wait_until("a caller learns that one is done and one is not", learns)
    assert sync.readyz()[0] == 200
    slow.kill()
    wait_until("what the slow one listed", lambda: len(names(events)) > 1000)


def test_a_stopped_leader_is_replaced_and_writes_nothing_afterwards(make_stack):
    stack = make_stack(settings={"TOKENRAIL_SYNC_INTERVAL": "2s"})
    stack.simulator()
    first = stack.sync().wait_ready()
    second = stack.sync()
    wait_until("the second waits to lead", lambda: "standing by" in second.text())
    assert leader(stack)[0] == first.pid
    wait_until("doctor names the leader", lambda: f"/{first.pid}/" in stack.cli("doctor", check=False).stdout)

    # It is stopped while it writes a long list to the state topic.
    state = Log(stack, "model_registry")
    http_post(stack.simulator_url + "/_sim/models", [f"many-{n}:1b" for n in range(1500)])
    first.signal(signal.SIGHUP)
    wait_until("the list is being written", lambda: any(b"many-" in (r.key() or b"") for r in state.poll()))
    (stopped_at, ), = stack.sql("SELECT now()")
    first.signal(signal.SIGSTOP)
    try:
        wait_until("another one leads", lambda: leader(stack)[0] == second.pid)
        (led_after, ), = stack.sql(f"SELECT extract(epoch FROM acquired_at - '{stopped_at}') FROM registry_lease")
        print(f"another one led {led_after:.1f} s after the leader was stopped")
        assert led_after <= LED_SECONDS_MAX
        second.wait_ready()
        http_post(stack.simulator_url + "/_sim/models", ["fresh:1b", "sim-chat:1b"])
        stack.cli("registry", "sync", "--accept")
        wait_until("it was stopped for so long", lambda: stack.sql(
            f"SELECT now() >= timestamptz '{stopped_at}' + interval '{STOPPED_SECONDS} s'") == [(True,)])
    finally:
        before = stack.sql("SELECT epoch FROM registry_lease")
        first.signal(signal.SIGCONT)
    # It finds its interval over, a list that it has not applied, and its lease gone.
    wait_until("it notices", lambda: "no longer leading" in first.text())
    wait_until("it waits to lead", lambda: "registry_sync_leader 0" in first.metrics())
    assert stack.sql("SELECT epoch FROM registry_lease") == before
    assert leader(stack)[0] == second.pid
    # One revision and one event for each version: the old one has added nothing.
    assert stack.sql("SELECT count(*) FROM model_revision r WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE "
                     "o.id = r.event_id)") == [(0,)]
    assert stack.sql("SELECT model_name FROM model WHERE model_name = 'fresh:1b'") == [("fresh:1b",)]
    assert stack.sql("SELECT count(*) FROM (SELECT model_id, version FROM model_revision GROUP BY 1, 2 "
                     "HAVING count(*) > 1) twice") == [(0,)]
    assert second.readyz()[0] == 200
    # What its producer still had in its queue may have come behind newer versions. Once it can send nothing more, the
    # topic says again what the database says, without anyone asking for it.
    assert first.stop() == 0
    wait_until("the last record of each model is the database's version", lambda: last_versions(state) == dict(
        stack.sql("SELECT model_name, version FROM model")))
    keys = [(r.key(), json.loads(r.value())["version"]) for r in state.records if r.value() and r.key() != b"_registry"]
    highest, late = {}, 0
    for key, version in keys:
        late += version < highest.get(key, 0)
        highest[key] = max(version, highest.get(key, 0))
    print(f"{late} of {len(keys)} records came behind a newer version of their key")


def test_a_recreated_state_topic_is_filled_without_a_restart(make_stack):
    stack = make_stack()
    stack.whole(routers=0)
    sync = stack.processes[1]
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": stack.kafka})
    name = stack.topic("model_registry")
    admin.delete_topics([name])[name].result(120)
    wait_until("the topic is gone", lambda: name not in admin.list_topics(timeout=60).topics)
    stack.cli("topics", "apply", "--partitions", str(stack.partitions))

    def filled():
        log = Log(stack, "model_registry")
        try:
            return {r.key() for r in log.catch_up()}
        finally:
            log.close()
    wait_until("the mark", lambda: b"_registry" in filled())
    assert b"_/_/ollama/sim-chat:1b" in filled()
    stack.router().wait_ready()
    assert "was repaired" in sync.text()


def test_a_model_is_blocked_while_the_history_is_gone(make_stack):
    stack = make_stack()
    stack.verified_at_end = False
    router, = stack.whole()
    router.wait_ready()
    sync = stack.processes[1]
    chunks, state = Log(stack, "chat.chunks"), Log(stack, "model_registry")
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": stack.kafka})
    name = stack.topic("model_registry.events")
    admin.delete_topics([name])[name].result(120)
    wait_until("the topic is gone", lambda: name not in admin.list_topics(timeout=60).topics)

    def error_of(request):
        stack.ask(request, modelProvider="ollama", modelName="sim-chat:1b")
        stack.flush()
        end = chunks.wait(f"the end of {request}", lambda v: [c for c in v if c["requestId"] == request and c["done"]])
        return end[0].get("error", {}).get("code")
    assert error_of("before") is None
    asked = iter(range(1_000_000))
    for command in ("block", "unblock", "block"):
        stack.cli("registry", command, "ollama/sim-chat:1b")
        wait_until(f"the router follows {command}",
                   lambda done=command == "block": (error_of(f"asked-{next(asked)}") is not None) == done)

    wait_until("its part of /readyz names the topic", lambda: any(
        c["name"] == "history" and name in c.get("problem", "") for c in json.loads(sync.readyz()[1])["conditions"]))
    wait_until("doctor names the topic", lambda: name in stack.cli("doctor", check=False).stdout)
    wait_until("a metric has what waits", lambda: re.search(r'registry_outbox_rows\{part="history"\} [3-9]', sync.metrics()))
    assert 'registry_outbox_rows{part="state"} 0' in sync.metrics()
    stack.cli("topics", "apply", "--partitions", str(stack.partitions))
    sync.wait_ready()
    wait_until("the history has all", lambda: stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL") == [(0,)])

    def versions(log):
        log.catch_up()
        return [v["version"] for v in log.values() if v.get("model", {}).get("modelName") == "sim-chat:1b"]
    written = versions(state)
    assert len(written) >= 4 and written == sorted(set(written)), "each version once, however often the history was tried"
    assert versions(Log(stack, "model_registry.events")) == written[-3:], "what was changed since, in order"


class Tags(http.server.BaseHTTPRequestHandler):
    """An Ollama that says of its models what the test says."""
    entries = []

    def do_GET(self):
        self.say({"models": Tags.entries})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.say({"capabilities": ["completion"], "model_info": {}})

    def say(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_bad_entry_makes_no_model_missing(make_stack):
    stack = make_stack()
    with http.server.ThreadingHTTPServer(("127.0.0.1", stack.simulator_port), Tags) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            Tags.entries = [{"name": "kept:1b", "digest": "d1"}, {"name": "unlisted:1b", "digest": "d2"}]
            sync = stack.sync().wait_ready()
            Tags.entries = [{"name": "kept:1b", "digest": "d3"}, {"name": 7}, {"name": "new:1b", "digest": "d4"}]
            done = stack.cli("registry", "sync")
            assert "1 added, 1 updated, 0 unchanged, 0 missing, 1 could not be read" in done.stdout, done.stdout
            assert stack.sql("SELECT model_name, digest, availability FROM model ORDER BY 1") == [
                ("kept:1b", "d3", "listed"), ("new:1b", "d4", "listed"), ("unlisted:1b", "d2", "listed")]
            assert stack.sql("SELECT missing_runs FROM deployment WHERE missing_runs > 0") == []
            assert "1 entries of the list cannot be read" in sync.text()
            assert "entry 2" in sync.text() + sync.readyz()[1], sync.readyz()[1]
        finally:
            server.shutdown()


class Pages(Tags):
    """A server that speaks OpenAI's API and lists its models in pages: the last of each page is the name of the page."""
    pages = {}
    asked = []

    def do_GET(self):
        page = self.path.partition("after=")[2]
        Pages.asked.append(page)
        names, more = Pages.pages[page]
        self.say({"object": "list", "data": [{"id": name, "object": "model"} for name in names], "has_more": more})


def test_pages_in_a_circle_make_no_model_missing(make_stack):
    stack = make_stack()
    stack.simulator()
    stack.sync().wait_ready()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            Pages.pages = {"": (["a1", "a2"], True), "a2": (["b1", "b2"], True), "b2": (["c1"], False)}
            stack.sql("INSERT INTO connection (provider, name, base_url, on_new) VALUES ('vllm', 'circle', "
                      f"'http://127.0.0.1:{server.server_address[1]}/v1', 'enabled')")
            done = stack.cli("registry", "sync", "--connection", "circle")
            # A new connection is due at once: the schedule may have added them already.
            assert "5 listed" in done.stdout, done.stdout
            names = "SELECT m.model_name FROM deployment d JOIN connection c ON c.id = d.connection_id " \
                    "JOIN model m ON m.id = d.model_id WHERE c.name = 'circle' ORDER BY 1"
            assert stack.sql(names) == [(name,) for name in ("a1", "a2", "b1", "b2", "c1")]

            # The second page leads back to itself, then to the first one.
            for circle, asked in (({"": (["a1", "a2"], True), "a2": (["b1", "a2"], True)}, ["", "a2"]),
                                  ({"": (["a1", "a2"], True), "a2": (["b1", "b2"], True), "b2": (["a1", "a2"], True)},
                                   ["", "a2", "b2"])):
                Pages.pages, Pages.asked = circle, []
                done = stack.cli("registry", "sync", "--connection", "circle")
                assert "0 missing" in done.stdout, done.stdout
                assert Pages.asked == asked
                assert stack.sql("SELECT detail FROM sync_run r JOIN connection c ON c.id = r.connection_id WHERE c.name = "
                                 "'circle' ORDER BY r.started_at DESC LIMIT 1")[0][0].startswith(
                                     f"page {len(asked)} of the list leads back")
            assert stack.sql("SELECT DISTINCT d.availability FROM deployment d JOIN connection c ON c.id = d.connection_id "
                             "WHERE c.name = 'circle'") == [("listed",)]
        finally:
            server.shutdown()


def test_a_kafka_property_that_does_not_exist_stops_every_program(make_stack):
    stack = make_stack()
    for program in ("tokenrail-registry-sync", "tokenrail-router", "tokenrail-registry-api"):
        # What the API needs besides.
        environment = {**stack.environment, "TOKENRAIL_AUTH_MODE": "dev",
                       "TOKENRAIL_AUTH_DEV_KEY_FILE": str(stack.folder / "dev-key.json")}
        done = subprocess.run([stack.bin / program, "--kafka.sekurity.protocol", "SSL"], env=environment,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, done.stderr
        assert "sekurity.protocol" in done.stderr and "TOKENRAIL_KAFKA_" in done.stderr, done.stderr
