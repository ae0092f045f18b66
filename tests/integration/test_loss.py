"""Requests that are deleted before a router has read them, and a group whose commit was taken away."""

import socket
import struct

import confluent_kafka

from stack import Log, wait_until
from test_main_job import done


def delete_records(stack, topic, partition, before):
    """What kafka-delete-records does: the client library at hand has no call for it. One broker, so it leads."""
    def text(value):
        return struct.pack(">h", len(value)) + value.encode()
    request = (struct.pack(">hhi", 21, 0, 1) + text("test")
               + struct.pack(">i", 1) + text(topic) + struct.pack(">iiqi", 1, partition, before, 60_000))
    host, port = stack.kafka.split(",")[0].rsplit(":", 1)
    with socket.create_connection((host, int(port)), 120) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + struct.unpack(">i", answer[:4])[0]:
            piece = connection.recv(4096)
            assert piece, "the broker hung up"
            answer += piece
    low, error = struct.unpack(">qh", answer[-10:])
    assert (low, error) == (before, 0), (low, error)


def of_type(log, name):
    return [value for value in log.values() if value["type"] == name]


def test_requests_deleted_unread_are_told(make_stack):
    stack = make_stack(partitions=1)
    router, = stack.whole()
    router.wait_ready()
    chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
    stack.ask("first")
    stack.flush()
    chunks.wait("the answer", done("first"))
    router.stop()
    for name in ("lost1", "lost2", "lost3", "left"):
        stack.ask(name)
    stack.flush()
    delete_records(stack, stack.topic("chat.requests"), 0, 4)

    successor = stack.router()
    successor.wait_ready()
    chunks.wait("the answer to what is left", done("left"))
    audit.wait("the event", lambda values: any(v["type"] == "requests.lost" for v in values))
    lost, = of_type(audit, "requests.lost")
    assert (lost["partition"], lost["from"], lost["to"]) == (0, 1, 4)
    assert lost["epoch"] == of_type(audit, "router.claimed")[-1]["epoch"]
    record = next(r for r, v in zip(audit.records, audit.values()) if v == lost)
    assert record.key() is None and dict(record.headers())["ce_type"] == b"requests.lost"
    wait_until("the metric", lambda: "tokenrail_router_requests_lost_total 3" in successor.metrics())
    assert "raise the retention of chat.requests" in successor.text()
    assert "offsets reported as lost              3" in stack.verify()

    # A gap is no loss, and what was lost may be sent again under its name.
    stack.ask("lost2")
    stack.flush()
    chunks.wait("the answer to what was sent again", done("lost2"))
    assert not any(v["finishReason"] == "duplicate" for v in chunks.values() if v["done"])


def test_without_metadata_the_logs_are_read_from_a_time(make_stack):
    stack = make_stack(partitions=1)
    # Killed later, and the group waits for its session.
    router, = stack.whole(TOKENRAIL_LOG_LEVEL="debug", TOKENRAIL_KAFKA_SESSION_TIMEOUT_MS="6000")
    router.wait_ready()
    chunks, audit = Log(stack, "chat.chunks"), Log(stack, "llm.audit")
    for n in range(5):
        stack.ask(f"r{n}", key=f"k{n}")
    stack.flush()
    chunks.wait("all answers", lambda v: sum(1 for c in v if c["done"]) == 5)
    router.kill()

    # A tool sets the group back, without metadata.
    place = confluent_kafka.TopicPartition(stack.topic("chat.requests"), 0, 0)
    tool = confluent_kafka.Consumer({"bootstrap.servers": stack.kafka, "group.id": stack.group,
                                     "enable.auto.commit": False})

    def set_back():
        try:
            tool.commit(offsets=[place], asynchronous=False)
            return True
        except confluent_kafka.KafkaException:
            return False  # the session of the one that was killed has not run out yet
    wait_until("the group is empty", set_back)
    tool.close()

    successor = stack.router()
    successor.wait_ready()
    stack.ask("later", key="k0")
    stack.flush()
    chunks.wait("the answer", done("later"))
    chunks.catch_up()
    assert len([c for c in chunks.values() if c["done"]]) == 6, "nothing ran twice"
    audit.catch_up()
    claims = [v["epoch"] for v in of_type(audit, "router.claimed")]
    assert len(claims) >= 2 and claims == sorted(set(claims))
