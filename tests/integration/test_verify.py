"""`tokenrail verify` and `tokenrail tail` on topics of a real broker: clean, then with records that break a promise."""

import json
import os

import confluent_kafka

from stack import Log, apply_config, text_of, wait_until
from test_loss import delete_records
from test_main_job import by_request


def test_verify_names_what_is_broken_and_where(make_stack):
    stack = make_stack(partitions=2)
    stack.verified_at_end = False
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    for n in range(6):
        stack.ask(f"r{n}", key=f"k{n}")
    stack.flush()
    chunks.wait("all answers", lambda v: sum(1 for c in v if c["done"]) == 6)
    stack.verify()

    # A second terminal chunk, an attempt that was not announced, and a request that gets no answer.
    router.stop()
    end = next(r for r in chunks.records if json.loads(r.value())["requestId"] == "r0" and json.loads(r.value())["done"])
    again = json.loads(end.value())
    stranger = {"requestId": "r1", "orgId": "acme", "attempt": 5001, "seq": 0, "delta": "x", "done": False}
    place = end.partition()
    for value in (again, stranger):
        stack.produce(value, key="k0", topic="chat.chunks", partition=place)
    stack.ask("unheard", key="k0")
    stack.flush()
    chunks.catch_up()

    broken = stack.cli("verify", "--at-rest", check=False)
    assert broken.returncode == 1, broken.stdout
    found = [line for line in broken.stdout.splitlines() if line.startswith("P")]
    last = max(r.offset() for r in chunks.records if r.partition() == place)
    assert len(found) == 3, broken.stdout
    assert any(line.startswith(f"P2 {stack.topic('chat.chunks')} {place}:{end.offset()},{last - 1} ") for line in found)
    assert any(line.startswith(f"P4 {stack.topic('chat.chunks')} {place}:{last} ") for line in found)
    assert any(line.startswith("P1 ") and "unheard" in line for line in found)
    assert "3 violations on 2 partitions" in broken.stderr

    lines = [json.loads(line) for line in stack.cli("verify", "--at-rest", "--json", check=False).stdout.splitlines()]
    assert [line["violation"] for line in lines[:-1]] == [line.split()[0] for line in found]
    assert lines[-1]["figures"]["requests"] == 7

    # While something may still run, what has not ended is no violation; and what is older than asked for is not seen.
    running = stack.cli("verify", "--partition", str(place), check=False)
    assert [line.split()[0] for line in running.stdout.splitlines() if line.startswith("P")] == ["P2"], running.stdout
    assert "requests without an answer yet        1" in running.stdout
    later = stack.cli("verify", "--from", "-1ms")
    assert "requests                              0" in later.stdout


def test_requests_in_transactions(make_stack):
    """What is aborted is no request; what is not decided yet is not one yet."""
    stack = make_stack(partitions=1)
    router, = stack.whole()
    chunks = Log(stack, "chat.chunks")
    sender = confluent_kafka.Producer({"bootstrap.servers": stack.kafka, "transactional.id": f"upstream-{os.getpid()}",
                                       "transaction.timeout.ms": 600_000})  # one stays open for a while
    sender.init_transactions(120)

    def ask(request_id):
        sender.produce(stack.topic("chat.requests"), key=request_id, value=json.dumps(
            {"requestId": request_id, "orgId": "acme", "messages": [{"role": "user", "content": "hello"}]}))

    for number in range(3):
        sender.begin_transaction()
        ask(f"meant{number}")
        sender.commit_transaction(120)
        sender.begin_transaction()
        ask(f"withdrawn{number}")
        sender.flush(120)
        sender.abort_transaction(120)
    sender.begin_transaction()
    ask("undecided")
    sender.flush(120)
    stack.ask("behind it")
    stack.flush()

    chunks.wait("the answers", lambda v: sum(1 for c in v if c["done"]) == 3)
    clean = stack.cli("verify")
    assert "requests                              3" in clean.stdout, clean.stdout
    assert "requests from 12 on are behind an open transaction" in clean.stderr, clean.stderr
    sender.commit_transaction(120)
    chunks.wait("the others too", lambda v: sum(1 for c in v if c["done"]) == 5)
    assert {c["requestId"] for c in chunks.values()} == {"meant0", "meant1", "meant2", "undecided", "behind it"}
    assert "requests                              5" in stack.verify()
    assert "open transaction" not in stack.cli("verify").stderr
    assert "lost" not in router.text()


def test_senders_timestamps_are_noted_and_fixed_by_topics_apply(make_stack):
    stack = make_stack(partitions=1)
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    for topic in ("chat.requests", "chat.chunks", "llm.audit"):
        assert f"message.timestamp.type=LogAppendTime on {stack.topic(topic)}" not in stack.cli("topics", "check").stdout
    stack.ask("by the brokers' clock")
    stack.flush()
    chunks.wait("the first answer", lambda v: sum(1 for c in v if c["done"]) == 1)
    stack.verify()
    assert "their sender's timestamp" not in stack.cli("verify").stderr

    apply_config(stack, "llm.audit", message_timestamp_type="CreateTime")
    stack.ask("by the router's clock")
    stack.flush()
    chunks.wait("the second answer", lambda v: sum(1 for c in v if c["done"]) == 2)
    stack.verify()
    told = stack.cli("verify", "--from", "-1h")
    assert "records have their sender's timestamp" in told.stderr, told.stderr
    drift = stack.cli("topics", "check", check=False)
    assert drift.returncode == 1
    assert f"set message.timestamp.type=LogAppendTime on {stack.topic('llm.audit')}" in drift.stdout
    stack.cli("topics", "apply")
    stack.cli("topics", "check")


def test_a_dead_letter_that_was_deleted_is_not_missing(make_stack):
    stack = make_stack(partitions=1)
    router, = stack.whole()
    router.wait_ready()
    letters = Log(stack, "chat.requests.dlq")
    for n in range(2):
        stack.produce(f"no JSON {n}")
    stack.flush()
    wait_until("both dead letters", lambda: len(letters.poll()) == 2)
    assert "requests too old" not in stack.verify()
    delete_records(stack, stack.topic("chat.requests.dlq"), 0, 2)
    assert "requests too old to be judged         2" in stack.verify()


def test_verify_calls_that_make_no_sense(make_stack):
    stack = make_stack()
    for arguments in (["--from", "yesterday"], ["--at-rest", "--to", "-1h"], ["--from", "-1h", "--to", "-2h"],
                      ["--partition", "x"]):
        done_ = stack.cli("verify", *arguments, check=False)
        assert done_.returncode == 2, (arguments, done_.stderr)
        assert arguments[0] in done_.stderr
    missing = stack.cli("verify", "--partition", "9", check=False)
    assert missing.returncode == 1 and "there is no partition 9" in missing.stderr


def test_tail_yields_each_answer_once(make_stack):
    stack = make_stack()
    router, = stack.whole()
    router.wait_ready()
    chunks = Log(stack, "chat.chunks")
    for n in range(3):
        stack.ask(f"r{n}", f"r{n} [[sim tokens=20]]", key="talk")
    stack.flush()
    chunks.wait("all answers", lambda v: sum(1 for c in v if c["done"]) == 3)
    said = {n: text_of(by_request(chunks.values(), f"r{n}")) for n in range(3)}

    assert stack.cli("tail", "--request", "r1").stdout == said[1] + "\n"
    lines = stack.cli("tail", "--request", "r2", "--org", "acme", "--from-beginning", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == by_request(chunks.values(), "r2")

    def tails_the_conversation():
        # It waits for more until its time is up, which may be too short for what is there.
        whole = stack.cli("tail", "--conversation", "talk", "--from-beginning", "--timeout", "3s", check=False)
        assert whole.returncode == 4
        return whole.stdout == "".join(said[n] + "\n" for n in range(3))
    wait_until("each answer once", tails_the_conversation)

    # A higher attempt in the log displaces the answer, also one that had ended.
    first = next(r for r in chunks.records if json.loads(r.value())["requestId"] == "r1")
    attempt = json.loads(first.value())["attempt"] + 1000
    for seq, value in enumerate([{"delta": "displaced", "done": False},
                                 {"delta": None, "done": True, "finishReason": "stop", "chunks": 2, "sourceOffset": 1,
                                  "timing": {"queuedMs": 0, "totalMs": 1}}]):
        stack.produce({"requestId": "r1", "orgId": "acme", "attempt": attempt, "seq": seq, **value}, key="talk",
                      topic="chat.chunks", partition=first.partition())
    stack.flush()
    stack.verified_at_end = False
    again = stack.cli("tail", "--request", "r1")
    assert again.stdout.endswith("displaced\n") and "begins again" in again.stderr

    late = stack.cli("tail", "--request", "r0", "--since", "-1ms", "--timeout", "2s", check=False)
    assert late.returncode == 4 and late.stdout == ""
    assert stack.cli("tail", check=False).returncode == 2
    assert stack.cli("tail", "--request", "r0", "--conversation", "talk", check=False).returncode == 2
