"""One part of the installation is away: the others go on, and each says what is wrong."""

import json
import signal

from registry_world import api_environment
from stack import Log, finished, http_post, text_of, wait_until
from test_main_job import by_request, done


def test_provider_stopped_says_so_and_comes_back(make_stack):
    stack = make_stack(settings={"TOKENRAIL_ROUTER_CALLS_MAX": "2"})
    router, = stack.whole()
    router.wait_ready()
    simulator = stack.processes[0]
    simulator.kill()
    chunks = Log(stack, "chat.chunks")
    stack.ask("away")
    stack.flush()
    chunks.wait("terminal chunk", done("away"))
    end = by_request(chunks.values(), "away")[-1]
    assert end["error"]["code"] == "PROVIDER_UNAVAILABLE"
    assert end["error"]["retryable"] is True
    assert "ollama" in end["error"]["message"].lower()
    doctor = stack.cli("doctor", check=False)
    assert doctor.returncode == 1
    assert "✗" in doctor.stdout and stack.simulator_url in doctor.stdout
    stack.simulator()
    stack.ask("back")
    stack.flush()
    chunks.wait("terminal chunk", done("back"))
    assert by_request(chunks.values(), "back")[-1]["finishReason"] == "stop"


def test_database_away_answers_go_on(make_stack):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    sync = stack.processes[1]
    with stack._admin() as (_, cursor):
        cursor.execute(f"ALTER DATABASE {stack.database_name} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                       (stack.database_name,))
    try:
        wait_until("registry-sync says that the database is away",
                   lambda: sync.readyz()[0] == 503 and "database" in sync.readyz()[1])
        chunks = Log(stack, "chat.chunks")
        stack.ask("without")
        stack.flush()
        chunks.wait("terminal chunk", done("without"))
        assert by_request(chunks.values(), "without")[-1]["finishReason"] == "stop"
        # A router that starts meanwhile has all it needs from Kafka.
        router.stop()
        stack.router().wait_ready()
        stack.ask("fresh")
        stack.flush()
        chunks.wait("terminal chunk", done("fresh"))
        doctor = stack.cli("doctor", check=False)
        assert doctor.returncode == 1 and "✗" in doctor.stdout
    finally:
        with stack._admin() as (_, cursor):
            cursor.execute(f"ALTER DATABASE {stack.database_name} ALLOW_CONNECTIONS true")
    wait_until("registry-sync is well again", lambda: sync.readyz()[0] == 200)


def test_a_running_router_serves_a_new_model(make_stack):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    http_post(stack.simulator_url + "/_sim/models", ["keep:1b", "gone:1b", {"name": "turn:1b", "digest": "a" * 64}])
    stack.cli("registry", "sync")
    state, events = Log(stack, "model_registry"), Log(stack, "model_registry.events")

    def names(log):
        return {v["model"]["modelName"] for v in log.values() if v.get("type", "") == "model_registry.upserted"}

    def all_published():
        return stack.sql("SELECT count(*) FROM outbox WHERE published_at IS NULL") == [(0,)]
    state.catch_up()
    assert {"keep:1b", "gone:1b", "turn:1b"} <= names(state), "the topic has it when the command has ended"
    wait_until("the history follows", all_published)
    events.catch_up()
    assert {"keep:1b", "gone:1b", "turn:1b"} <= names(events)
    before = len(events.records)

    http_post(stack.simulator_url + "/_sim/models", ["keep:1b", {"name": "turn:1b", "digest": "b" * 64}, "new:1b"])
    stack.cli("registry", "sync")
    stack.cli("registry", "sync")  # unchanged: nothing
    wait_until("the history follows", all_published)
    events.catch_up()
    changed = [json.loads(r.value()) for r in events.records[before:]]
    upserted = {v["model"]["modelName"]: v for v in changed if v["type"] == "model_registry.upserted"}
    assert set(upserted) == {"gone:1b", "turn:1b", "new:1b"}
    assert len([v for v in changed if v["type"] == "model_registry.upserted"]) == 3
    assert upserted["gone:1b"]["model"]["availability"] == "missing"
    assert "digest" in upserted["turn:1b"]["changedFields"]

    chunks = Log(stack, "chat.chunks")
    stack.ask("newcomer", modelProvider="ollama", modelName="new:1b")
    stack.flush()
    chunks.wait("terminal chunk", done("newcomer"))
    assert by_request(chunks.values(), "newcomer")[-1]["model"]["name"] == "new:1b"


def test_an_empty_or_failed_list_deletes_nothing(make_stack):
    stack = make_stack()
    stack.simulator()
    stack.sync().wait_ready()
    before = stack.sql("SELECT model_name, availability, version FROM model ORDER BY 1")
    assert before
    http_post(stack.simulator_url + "/_sim/models", [])
    stack.cli("registry", "sync", check=False)
    http_post(stack.simulator_url + "/_sim/behaviour?path=/api/tags", {"fault": "status:500"})
    stack.cli("registry", "sync", check=False)
    assert stack.sql("SELECT model_name, availability, version FROM model ORDER BY 1") == before


def doctor_lines(stack, *arguments, environment=None):
    """What doctor says of each part: {"routers": {"verdict": "good", ...}, ...}, and how it ended."""
    done = stack.cli("doctor", "--json", *arguments, check=False, environment=environment)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["part"]: line for line in lines}, done.returncode


def test_doctor_sees_that_a_worker_is_dead(make_stack, tmp_path):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    sync = stack.processes[1]
    api = stack.api(**api_environment(tmp_path))
    api.wait_ready()
    api_url = f"http://127.0.0.1:{api.api_port()}"

    def all_good():
        parts, code = doctor_lines(stack, environment={"TOKENRAIL_DOCTOR_ROUTERS": f"http://127.0.0.1:{router.port}",
                                                       "TOKENRAIL_DOCTOR_APIS": api_url})
        good = code == 0 and parts["routers"]["text"].startswith("1 router ")
        return good and parts["registry API " + api_url]["verdict"] == "good" and parts

    parts = wait_until("all is well", all_good)
    assert parts["registry-sync"]["verdict"] == "good"
    assert {part["verdict"] for part in parts.values()} == {"good"}
    parts, code = doctor_lines(stack, "--group", stack.prefix + "nobody")
    assert code == 1 and parts["routers"]["verdict"] == "bad"
    assert "no router is a member of the group" in parts["routers"]["text"]

    assert router.stop() == 0
    assert sync.stop() == 0
    assert api.stop() == 0

    def all_bad():
        # The address that the command line itself would use.
        parts, code = doctor_lines(stack, environment={"TOKENRAIL_API_URL": api_url, "TOKENRAIL_API_TOKEN": "trk_none"})
        wrong = {name for name, part in parts.items() if part["verdict"] != "good"}
        return code == 1 and parts["routers"]["verdict"] == parts["registry-sync"]["verdict"] == "bad" and wrong == {
            "routers", "registry-sync", "registry API " + api_url, "router health"} and parts

    parts = wait_until("doctor says that all three are dead", all_bad)
    assert parts["registry API " + api_url]["verdict"] == "bad"
    assert "tokenrail-registry-api" in parts["registry API " + api_url]["remedy"]
    assert "no request is answered" in parts["routers"]["text"]
    assert "tokenrail-router" in parts["routers"]["remedy"]
    assert "tokenrail-registry-sync" in parts["registry-sync"]["remedy"]
    assert parts["router health"]["verdict"] == "unknown" and "doctor.routers" in parts["router health"]["text"]


def test_doctor_names_the_setting_that_is_wrong(make_stack):
    stack = make_stack()
    rest = stack.database.split("@", 1)[1]
    for url, wrong in ((f"postgresql://no_such_role@{rest}", "user"), (stack.database + "_gone", "database"),
                       ("postgresql://u:geheim@[::1/x", "")):
        parts, code = doctor_lines(stack, environment={"TOKENRAIL_DATABASE_URL": url})
        assert code == 1 and parts["PostgreSQL"]["verdict"] == "bad"
        assert wrong in parts["PostgreSQL"]["remedy"] and "TOKENRAIL_DATABASE_URL" in parts["PostgreSQL"]["remedy"]
        assert "postgres start" not in parts["PostgreSQL"]["remedy"]
        assert "does not answer" not in parts["PostgreSQL"]["text"]
        assert "geheim" not in json.dumps(parts)
    parts, code = doctor_lines(stack, environment={"TOKENRAIL_KAFKA_SECURITY_PROTOCOL": "nonsense"})
    assert code == 1 and "TOKENRAIL_KAFKA_SECURITY_PROTOCOL" in parts["Kafka"]["text"]
    assert "kafka start" not in parts["Kafka"]["remedy"]


def test_a_settings_file_that_is_a_directory_is_refused(make_stack, tmp_path):
    stack = make_stack()
    for arguments, environment in ((("--config", str(tmp_path)), {}), ((), {"TOKENRAIL_CONFIG": str(tmp_path)})):
        done = stack.cli("doctor", *arguments, check=False, environment=environment)
        assert done.returncode == 2 and str(tmp_path) in done.stderr and not done.stdout
