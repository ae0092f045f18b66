"""`tokenrail` as people and shells call it: signals that come in twos, a disk that is full, a terminal's end of input."""

import os
import pty
import signal
import subprocess

import confluent_kafka
import confluent_kafka.admin
import pytest

from stack import Log, Process, wait_until


def start(stack, *arguments, **streams):
    return subprocess.Popen([stack.bin / "tokenrail", *arguments], env={**os.environ, **stack.environment},
                            stderr=subprocess.PIPE, text=True, **streams)


def test_two_signals_at_once_still_cancel(make_stack):
    """As timeout(1) sends them."""
    stack = make_stack(partitions=1)
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    chat = start(stack, "chat", "--stream", "hi [[sim tokens=2000 pace=50]]", stdout=subprocess.DEVNULL)
    chunks.wait("the answer begins", lambda v: len(v) > 2)
    for number in (signal.SIGINT, signal.SIGTERM):
        chat.send_signal(number)
    _, said = chat.communicate(timeout=120)
    assert chat.returncode == 130, said
    assert "cancel" in said and "not known" not in said, said
    chunks.wait("the end", lambda v: any(c["done"] and c["finishReason"] == "cancelled" for c in v))


@pytest.mark.parametrize("flags", [["--stream"], ["--json"], []], ids=["stream", "json", "held"])
def test_a_reader_that_has_gone_cancels_the_request(make_stack, flags):
    """As `tokenrail chat … | head -1`: quiet like other programs, but the answer does not go on without a reader."""
    stack = make_stack(partitions=1)
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    chat = start(stack, "chat", *flags, "hi [[sim tokens=2000 pace=50]]", stdout=subprocess.PIPE)
    chunks.wait("the answer begins", lambda v: len(v) > 2)
    chat.stdout.close()
    said = chat.stderr.read()
    assert chat.wait(timeout=120) == 141, said
    assert said == "", said
    chunks.wait("the end", lambda v: any(c["done"] and c["finishReason"] == "cancelled" for c in v))


def test_following_a_log_ends_with_its_reader(make_stack):
    stack = make_stack(partitions=1)
    stack.whole()[0].wait_ready()
    assert stack.cli("chat", "--conversation", "talk", "hi").stdout.strip()
    for arguments in (["topics", "tail", "chat.chunks", "--from-beginning", "--timeout", "5m"],
                      ["tail", "--conversation", "talk", "--from-beginning", "--json", "--timeout", "5m"]):
        tail = start(stack, *arguments, stdout=subprocess.PIPE)
        tail.stdout.close()
        said = tail.stderr.read()
        assert tail.wait(timeout=120) == 141 and said == "", (arguments, said)


def test_what_cannot_be_written_is_no_success(make_stack):
    stack = make_stack(partitions=1)
    router, = stack.whole()
    router.wait_ready()
    for arguments in (["topics", "list"], ["chat", "hi"], ["--help"], ["registry", "list", "--json"]):
        with open("/dev/full", "w") as full:
            _, said = (call := start(stack, *arguments, stdout=full)).communicate(timeout=300)
        assert call.returncode == 1, (arguments, said)
        assert "standard output could not be written: No space left on device" in said, (arguments, said)


def test_a_terminals_end_of_input_is_typed_once(make_stack):
    stack = make_stack(partitions=1)
    stack.whole()[0].wait_ready()
    ours, theirs = pty.openpty()
    chat = start(stack, "chat", "-", stdin=theirs, stdout=subprocess.PIPE)
    os.write(ours, b"hello\n\x04")
    answer, said = chat.communicate(timeout=300)
    assert chat.returncode == 0 and answer.strip(), said
    for end in (ours, theirs):
        os.close(end)


def test_an_unanswerable_request_is_not_sent(make_stack):
    stack = make_stack()
    for flag, most in (("--org", 256), ("--user", 256), ("--conversation", 4096)):
        refused = stack.cli("chat", flag, "x" * (most + 1), "hi", check=False)
        assert refused.returncode == 2 and f"{flag} has {most + 1} bytes; at most {most}" in refused.stderr, refused.stderr


def test_a_wrong_setting_stops_every_program_in_the_same_words(make_stack):
    stack = make_stack()
    for variable, value, words in (
            ("TOKENRAIL_TOPIC_PREFIX", "eu/", "topic.prefix = 'eu/' (environment TOKENRAIL_TOPIC_PREFIX) is not allowed; it "
             "has to be at most 223 letters, digits, '.', '_' and '-'"),
            ("TOKENRAIL_TOPIC_PREFIX", "x" * 224, "is not allowed; it has to be at most 223 letters")):
        for program in (["tokenrail", "topics", "check"], ["tokenrail", "doctor"], ["tokenrail-registry-sync"],
                        ["tokenrail-router"], ["tokenrail-registry-api"]):
            call = subprocess.run([stack.bin / program[0], *program[1:]], capture_output=True, text=True, timeout=300,
                                  env={**os.environ, **stack.environment, variable: value})
            assert call.returncode == 2 and words in call.stderr, (program, call.stderr)
    call = subprocess.run([stack.bin / "tokenrail-router"], capture_output=True, text=True, timeout=300,
                          env={**os.environ, **stack.environment, "TOKENRAIL_ROUTER_IDLE_TIMEOUT": "60"})
    assert call.returncode == 2, call.stderr
    assert "router.idle_timeout is 60 (environment TOKENRAIL_ROUTER_IDLE_TIMEOUT): write a unit, for example 60s or " \
           "60ms" in call.stderr, call.stderr
    call = stack.cli("chat", "--timeout", "5", "hi", check=False)
    assert call.returncode == 2 and "--timeout 5: write a unit, for example 5s or 5ms" in call.stderr, call.stderr


def test_wrong_limits_get_the_same_error_everywhere(make_stack):
    stack = make_stack(partitions=1)
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": stack.kafka})

    def configure(**config):
        resource = confluent_kafka.admin.ConfigResource(
            "topic", stack.topic("chat.chunks"),
            set_config={"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime",
                        **{name.replace("_", "."): value for name, value in config.items()}})
        for future in admin.alter_configs([resource]).values():
            future.result()

    chunks = stack.topic("chat.chunks")
    for config, words in (
            ({"max_message_bytes": "200000"}, f"max.message.bytes of {chunks} is 200000, but router.record_bytes_max is "
                                              "921600 and a record needs 16384 bytes beside its value"),
            ({"max_message_bytes": "4194304", "segment_bytes": "1048576"},
             f"segment.bytes of {chunks} is 1048576, below its max.message.bytes of 4194304"),
            ({"min_insync_replicas": "2"}, f"min.insync.replicas of {chunks} is 2, but a partition has 1 replica")):
        configure(**config)
        for arguments in (["topics", "check"], ["topics", "apply"], ["doctor"]):
            def refuses(arguments=arguments):
                done = stack.cli(*arguments, check=False)
                return done.returncode == 1 and words in done.stdout, done
            wait_until(f"{arguments} refuses {config}", lambda: refuses()[0])
        router = stack.start(Process, "refused", "tokenrail-router")
        wait_until(f"the router says: {words}", lambda router=router: words in router.text())
        router.kill()
    configure()
    wait_until("all is well", lambda: stack.cli("topics", "check", check=False).returncode == 0)


def test_more_partitions_than_attempt_numbers_tell_apart_are_refused(make_stack):
    stack = make_stack(partitions=1)
    assert stack.cli("topics", "apply", "--partitions", "1024", "--dry-run").returncode == 0
    refused = stack.cli("topics", "apply", "--partitions", "1025", check=False)
    assert refused.returncode == 1, refused.stdout
    assert (f"{stack.topic('chat.requests')} has 1025 partitions, but attempts have different numbers on at most 1024"
            in refused.stdout), refused.stdout
    assert "nothing was changed" in refused.stderr
    set_so = stack.cli("topics", "list", check=False, environment={"TOKENRAIL_TOPICS_PARTITIONS": "1025"})
    assert set_so.returncode == 2 and "1024" in set_so.stderr, set_so.stderr


def test_credentials_in_the_base_url_are_refused_and_not_shown(make_stack):
    stack = make_stack()
    environment = {**os.environ, **stack.environment, "OLLAMA_BASE_URL": "http://ann:CANARY@127.0.0.1:1"}
    for program in (["tokenrail", "doctor"], ["tokenrail-registry-sync"], ["tokenrail-router"]):
        call = subprocess.run([stack.bin / program[0], *program[1:]], env=environment, capture_output=True, text=True,
                              timeout=300)
        said = call.stdout + call.stderr
        assert call.returncode == 2, (program, said)
        assert "OLLAMA_BASE_URL" in said and "leave out the part before the @" in said, (program, said)
        assert "CANARY" not in said, (program, said)


def test_a_router_outlives_its_terminal(make_stack):
    stack = make_stack(partitions=1)
    router, = stack.whole()
    router.wait_ready()
    router.process.send_signal(signal.SIGHUP)
    answer = stack.cli("chat", "hi")
    assert answer.stdout.strip()
    assert "SIGHUP" in router.text()


def test_tls_to_plaintext_brokers_is_reported_as_that(make_stack):
    stack = make_stack(partitions=1)
    for flags, environment in ((["--kafka.security.protocol", "SSL"], {}),
                               ([], {"TOKENRAIL_KAFKA_SECURITY_PROTOCOL": "SSL"})):
        doctor = stack.cli("doctor", *flags, check=False, environment=environment)
        assert doctor.returncode == 1, doctor.stderr
        said = doctor.stdout + doctor.stderr
        assert "no TLS connection" in said and "TOKENRAIL_KAFKA_SECURITY_PROTOCOL" in said, said
        assert "./dev kafka start" not in said, said
    misspelt = stack.cli("topics", "check", check=False, environment={"TOKENRAIL_KAFKA_SECURITY_PROTOCOLL": "SSL"})
    assert misspelt.returncode == 2, misspelt.stderr
    assert "did you mean security.protocol (TOKENRAIL_KAFKA_SECURITY_PROTOCOL)?" in misspelt.stderr, misspelt.stderr
