"""`tokenrail verify` and `tokenrail tail` on topics of a real broker: clean, then with records that break a promise."""

import json

from stack import Log


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

    # A second terminal chunk, an attempt that nobody announced, and a request that nobody answers.
    router.stop()
    end = next(r for r in chunks.records if json.loads(r.value())["requestId"] == "r0" and json.loads(r.value())["done"])
    again = json.loads(end.value())
    stranger = {"requestId": "r1", "orgId": "acme", "attempt": 5001, "seq": 0, "delta": "x", "done": False}
    place = end.partition()
    for value in (again, stranger):
        stack.produce(value, key="k0", topic="chat.chunks", partition=place)
    stack.ask("unheard", key="k0")
    stack.flush()
    chunks.poll(1)

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


def test_verify_calls_that_make_no_sense(make_stack):
    stack = make_stack()
    for arguments in (["--from", "yesterday"], ["--at-rest", "--to", "-1h"], ["--from", "-1h", "--to", "-2h"],
                      ["--partition", "x"]):
        done_ = stack.cli("verify", *arguments, check=False)
        assert done_.returncode == 2, (arguments, done_.stderr)
        assert arguments[0] in done_.stderr
    missing = stack.cli("verify", "--partition", "9", check=False)
    assert missing.returncode == 1 and "there is no partition 9" in missing.stderr
