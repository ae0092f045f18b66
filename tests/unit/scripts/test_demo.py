"""The demo says "all of it was seen" only when it was: each check of what it shows is seen to fail here."""

import argparse
import copy
import pathlib
import subprocess

import demo
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def chunk(seq, delta="word "):
    return {"requestId": "r", "orgId": "demo", "attempt": 5, "seq": seq, "delta": delta, "done": False}


def terminal(seq, **more):
    return {"requestId": "r", "orgId": "demo", "attempt": 5, "seq": seq, "delta": None, "done": True,
            "finishReason": "stop", "chunks": seq + 1, "timing": {"queuedMs": 1, "firstTokenMs": 2, "totalMs": 3}, **more}


GOOD = [chunk(0), chunk(1), terminal(2)]
IDS = {"attempt": 5, "epoch": 1, "instance": "i", "sourcePartition": 0, "sourceOffset": 3, "orgId": "demo",
       "requestId": "r"}
PAIR = [{"type": "llm.request", **IDS}, {"type": "llm.response", "outcome": "completed", "called": True, **IDS}]


def record(value, ce_type=""):
    return {"topic": "t", "partition": 0, "offset": 0, "headers": {"ce_type": ce_type}, "value": value}


@pytest.fixture(name="shown")
def shown_demo(tmp_path):
    return demo.Demo(argparse.Namespace(exit=True, kafka="mock"), tmp_path)


class Ended:
    def __init__(self, code=0):
        self.returncode = code


def check(shown, chunks, code=0):
    shown.check_answer(Ended(code), chunks, [float(i) for i in range(len(chunks))])


def test_a_whole_streamed_answer_passes(shown, capsys):
    check(shown, GOOD)
    assert "2 pieces over 2.0 s" in capsys.readouterr().out


@pytest.mark.parametrize("chunks, code, said", [
    ([], 4, "no chunk came"),
    (GOOD[:2], 0, "did not end well"),
    (GOOD, 1, "did not end well"),
    ([chunk(0), terminal(2)], 0, "chunks are missing"),
    ([chunk(0), chunk(1), terminal(2, chunks=4)], 0, "chunks are missing"),
    ([chunk(0), terminal(1)], 0, "did not stream"),
])
def test_an_answer_with_a_fault_does_not(shown, chunks, code, said):
    with pytest.raises(demo.DemoError, match=said):
        check(shown, chunks, code)


def test_the_simulators_text_has_to_arrive_unchanged(shown):
    shown.simulated = True
    with pytest.raises(demo.DemoError, match="not what the simulator sent"):
        check(shown, GOOD)
    words = demo.SIMULATED_ANSWER.split(" ", 1)
    check(shown, [chunk(0, words[0]), chunk(1, " " + words[1]), terminal(2)])


def test_a_right_audit_pair_passes(shown):
    shown.tail = lambda *_: [record(event) for event in PAIR]
    shown.show_audit(terminal(2))


@pytest.mark.parametrize("change, said", [
    (lambda pair: pair.pop(), "not one request and one response"),
    (lambda pair: pair.reverse(), "not one request and one response"),
    (lambda pair: pair[1].update(attempt=6), "does not belong together"),
    (lambda pair: [event.update(attempt=6) for event in pair], "does not belong together"),
    (lambda pair: pair[1].update(outcome="interrupted"), "interrupted"),
    (lambda pair: pair[1].update(called=False), "llm.response says"),
])
def test_a_wrong_audit_pair_does_not(shown, change, said):
    pair = copy.deepcopy(PAIR)
    change(pair)
    shown.tail = lambda *_: [record(event) for event in pair]
    with pytest.raises(demo.DemoError, match=said):
        shown.show_audit(terminal(2))


@pytest.mark.parametrize("ce_type, name, fine", [
    ("model_registry.upserted", "sim:1b", True),
    ("model_registry.deleted", "sim:1b", False),
    ("model_registry.upserted", "other", False),
])
def test_the_registry_event_has_to_be_that_of_the_model(shown, ce_type, name, fine):
    shown.model = "ollama/sim:1b"
    shown.tail = lambda *_: [record({"model": {"modelName": name}}, ce_type)]
    if fine:
        shown.show_registry_event()
    else:
        with pytest.raises(demo.DemoError):
            shown.show_registry_event()


def test_programs_that_are_not_built_are_named(tmp_path):
    done = subprocess.run(
        ["bash", str(ROOT / "scripts" / "demo.sh"), "--exit"], capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin", "TOKENRAIL_DEV_DIR": str(tmp_path), "TOKENRAIL_DEV_BIN": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "not built yet: tokenrail, tokenrail-router" in done.stderr


def test_demos_beside_each_other_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKENRAIL_DEV_DIR", str(tmp_path))
    first, first_lock = demo.own_folder()
    second, second_lock = demo.own_folder()
    assert first != second
    first_lock.close()
    again, again_lock = demo.own_folder()
    assert again == first
    second_lock.close()
    again_lock.close()
