"""The parts of ./dev chaos that need no cluster: its schedule, its load's expectations, and its reading of the audit log."""

import json
import pathlib
import re
import socket
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "chaos"), str(ROOT / "tests" / "integration")]

import brokers  # noqa: E402
import conductor  # noqa: E402
import figures  # noqa: E402
import load  # noqa: E402
import names  # noqa: E402
import records  # noqa: E402
import schedule  # noqa: E402
import stack  # noqa: E402
import topics  # noqa: E402


def test_the_same_seed_gives_the_same_faults_and_another_seed_others():
    assert schedule.schedule(3, 600) == schedule.schedule(3, 600)
    assert schedule.schedule(3, 600) != schedule.schedule(4, 600)


def test_every_fault_is_possible_and_within_the_run():
    faults = schedule.schedule(1, 7200, topics=True)
    assert {f.kind for f in faults} == {*schedule.WORKERS, *schedule.WORKERS_IN_SESSIONS, *schedule.BROKERS, *schedule.TOPICS,
                                        *schedule.LOGS, *schedule.AROUND}
    assert all(callable(getattr(conductor.Conductor, f.kind.replace("-", "_"))) for f in faults)
    assert all(0 < f.at < 7200 - schedule.QUIET_AT_END and f.seconds >= 0 for f in faults)
    assert [f.at for f in faults] == sorted(f.at for f in faults)


def test_logs_are_created_again_in_the_first_part_of_long_runs_only():
    def logs(seconds):
        return [f for f in schedule.schedule(1, seconds, topics=True) if f.kind == "log-recreated"]
    assert logs(3600) and all(f.at < 1200 for f in logs(3600))
    assert not logs(120) and not [f for f in schedule.schedule(1, 3600) if f.kind == "log-recreated"]


def test_one_broker_away_stalls_one_partition_of_the_audit_log_and_no_other():
    replicas = topics.audit_replicas(12)
    assert [n for n, of in enumerate(replicas) if topics.STALLING_BROKER in of] == [topics.STALLING_PARTITION]
    assert all(len(of) == 2 and len(set(of)) == 2 for of in replicas) and {of[0] for of in replicas} == {2, 3}


def test_the_run_of_ci_draws_what_a_short_run_may_miss():
    said = re.search(r'dev" chaos (--.*)', (ROOT / "scripts/test.sh").read_text(encoding="utf-8"))[1]
    number = {name: float(value) for name, value in re.findall(r"--(\w+) ([\d.]+)", said)}
    drawn = {f.kind for f in schedule.schedule(int(number["seed"]), number["minutes"] * 60, number["session"],
                                               topics="--topics" in said)}
    assert {*schedule.TOPICS, *schedule.LOGS, "pause-sync", "names-silent", "postgres-stop", "broker-pause"} <= drawn


def test_three_half_hours_kill_as_many_as_the_promises_are_shown_with():
    faults = [f.kind for seed in (1, 2, 3) for f in schedule.schedule(seed, 1800)]
    assert faults.count("kill") + 2 * faults.count("kill-at-start") + 3 * faults.count("kill-all") >= 220
    assert sum(1 for kind in faults if kind.endswith("-kill") and kind != "provider-kill") >= 55


@pytest.mark.parametrize(("group", "hash_code"), [("abc", 96354), ("tokenrail-router", -1845137845), ("", 0),
                                                ("polygenelubricants", 0)])
def test_the_coordinator_is_found_as_the_brokers_find_it(group, hash_code):
    assert brokers.coordinator_partition(group, 50) == abs(hash_code) % 50
    assert brokers.coordinator_partition(group, 1) == 0


def test_the_load_knows_what_the_simulator_says():
    assert load.answer("hello", 3) == "amber fjord cedar"


class Message:
    def __init__(self, offset, value, at_ms=0, headers=None):
        self._offset, self._value, self._at_ms, self._headers = offset, value, at_ms, headers

    def partition(self):
        return 0

    def offset(self):
        return self._offset

    def timestamp(self):
        return 1, self._at_ms

    def value(self):
        return json.dumps(self._value).encode()

    def headers(self):
        return self._headers


def claimed(epoch, instance):
    return {"type": "router.claimed", "epoch": epoch, "instance": instance, "partition": 0}


def event(kind, epoch, instance, **more):
    return {"type": kind, "epoch": epoch, "instance": instance, "sourcePartition": 0, "sourceOffset": 7, "orgId": "acme",
            "requestId": "r", "attempt": 5001, **more}


def fold(*events):
    log = records.AuditLog()
    for offset, value in enumerate(events):
        log.apply(Message(offset, value))
    return log


def test_what_a_superseded_owner_writes_late_is_void():
    log = fold(claimed(5, "a"), event("llm.request", 5, "a"), claimed(6, "b"),
               event("llm.response", 6, "b", outcome="interrupted", cause="lost"),
               event("llm.response", 5, "a", outcome="completed"))
    assert log.attempts[0, 7, 5001].interrupted
    assert (log.void, log.problems) == (1, [])


def test_what_was_released_is_finished_by_its_worker():
    log = fold(claimed(5, "a"), event("llm.request", 5, "a"),
               {"type": "router.released", "epoch": 5, "instance": "a", "partition": 0, "leaseMs": 1,
                "continuing": [{"offset": 7, "attempt": 5001}]},
               claimed(6, "b"), event("llm.response", 5, "a", outcome="completed"))
    assert log.attempts[0, 7, 5001].response["outcome"] == "completed"
    assert (log.void, log.handed_over, log.problems) == (0, 1, [])


def test_an_event_by_a_stranger_to_its_epoch_is_a_finding():
    log = fold(claimed(5, "a"), claimed(5, "b"), event("llm.request", 5, "b"))
    assert len(log.problems) == 1 and "never owned" in log.problems[0][1]


def test_a_response_to_nothing_is_a_finding():
    assert "no llm.request" in fold(claimed(5, "a"), event("llm.response", 5, "a", outcome="completed")).problems[0][1]


def test_a_dead_letter_that_came_twice_is_one_request():
    def letter(partition, offset, topic="chat.requests"):
        return Message(0, None, headers=[("kafka_dlt-original-topic", topic.encode()),
                                         ("kafka_dlt-original-partition", partition.to_bytes(4, "big")),
                                         ("kafka_dlt-original-offset", offset.to_bytes(8, "big"))])

    letters = [letter(0, 7), letter(0, 7), letter(1, 7), letter(0, 8), letter(0, 9, "other"), Message(0, None)]
    assert records.dead_letters(letters, "chat.requests") == {(0, 7), (1, 7), (0, 8)}


def test_a_request_at_the_offset_of_one_in_a_log_that_is_gone_is_another_one():
    log = fold(claimed(5, "a"), event("llm.response", 5, "a", outcome="duplicate", attempt=0, sourceTimestamp=100),
               event("llm.response", 5, "a", outcome="duplicate", attempt=0, sourceTimestamp=100),
               event("llm.response", 5, "a", outcome="duplicate", attempt=0, sourceTimestamp=900),
               {"type": "requests.lost", "epoch": 5, "instance": "a", "partition": 0, "from": 3, "to": 8})
    assert (log.attempts[0, 7, 0].source_ms, log.repeated, log.problems) == (900, 1, [])
    assert log.lost == [(0, 3, 8)]


def test_requests_are_judged_when_the_last_log_that_was_created_again_has_settled():
    assert figures.judged_from([]) == 0
    assert figures.judged_from([("chat.requests", 50_000), ("llm.audit", 20_000)]) == 50_000 + figures.SETTLES_MS


def question(name, kind=1):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\0" + bytes([0, kind, 0, 1])


def test_the_name_server_knows_one_name():
    answer = names.answer_to(question(names.NAME))
    assert answer[:8] == b"\x12\x34\x81\x80\0\1\0\1" and answer.endswith(b"\0\x04\x7f\0\0\1")
    assert names.answer_to(question(names.NAME, 28))[2:8] == b"\x81\x80\0\1\0\0"
    assert names.answer_to(question("other.test"))[2:8] == b"\x81\x83\0\1\0\0"
    assert names.answer_to(question(names.NAME)[:20]) is None and names.answer_to(b"") is None


def test_the_name_server_can_fall_silent():
    server = names.NameServer()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", server.port))
            client.settimeout(20)
            client.send(question(names.NAME))
            assert client.recv(1500) == names.answer_to(question(names.NAME))
            server.silent = True
            client.send(question("first.test"))
            stack.wait_until("the question came", lambda: server.unanswered)
            server.silent = False
            client.send(question("second.test"))
            assert client.recv(1500) == names.answer_to(question("second.test"))
    finally:
        server.close()
