"""The reference readers of docs/how-to/read-answers against the cases that every reader is held to."""

import importlib.util
import json
import pathlib

import pytest
import typescript

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs/how-to/read-answers"
CASES = json.loads((ROOT / "tests/golden/reader/answers.json").read_text())

DRIVER = """
import { AnswerReader } from "./reader.mjs";
import { readFileSync } from "node:fs";
const out = [];
for (const { chunks, answers } of JSON.parse(readFileSync(0, "utf8"))) {
  const reader = new AnswerReader();
  const steps = chunks.map((chunk) => reader.apply(chunk));
  out.push({ steps, answers: answers.map(({ orgId, requestId }) => {
    const { attempt, text, providerBlocks, terminal } = reader.answer(orgId, requestId);
    return { orgId, requestId, attempt, text, providerBlocks, finishReason: terminal ? terminal.finishReason : null };
  }) });
}
const bounded = new AnswerReader(3);
const end = (id) => ({ orgId: "o", requestId: id, attempt: 1, seq: 0, delta: null, done: true, finishReason: "stop" });
for (let i = 0; i < 10; ++i) bounded.apply(end("r" + i));
const remembered = [6, 7, 8, 9].filter((i) => bounded.answer("o", "r" + i) !== undefined);
console.log(JSON.stringify({ cases: out, remembered }));
"""


def python_reader():
    spec = importlib.util.spec_from_file_location("answer_reader", FOLDER / "answer_reader.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_python_reads_what_every_reader_must_read(case):
    reader = python_reader().AnswerReader()
    assert [reader.apply(chunk) for chunk in case["chunks"]] == case["steps"]
    for expected in case["answers"]:
        answer = reader.answer(expected["orgId"], expected["requestId"])
        assert (answer.attempt, answer.text) == (expected["attempt"], expected["text"])
        assert answer.provider_blocks == expected.get("providerBlocks", [])
        assert (answer.terminal["finishReason"] if answer.terminal else None) == expected["finishReason"]


def test_python_forgets_the_oldest_that_ended():
    reader = python_reader().AnswerReader(over_max=3)
    for n in range(10):
        reader.apply({"orgId": "o", "requestId": f"r{n}", "attempt": 1, "seq": 0, "delta": None, "done": True,
                      "finishReason": "stop"})
    assert [n for n in range(10) if reader.answer("o", f"r{n}")] == [7, 8, 9]


def test_typescript_reads_what_every_reader_must_read(tmp_path):
    told = typescript.run(FOLDER / "answer_reader.ts", DRIVER, CASES, tmp_path)
    for case, said in zip(CASES, told["cases"], strict=True):
        answers = [{"providerBlocks": [], **answer} for answer in case["answers"]]
        assert said == {"steps": case["steps"], "answers": answers}, case["name"]
    assert told["remembered"] == [7, 8, 9]


def test_readers_are_short():
    for name in ("answer_reader.ts", "answer_reader.py"):
        assert len((FOLDER / name).read_text().splitlines()) < 120, name
