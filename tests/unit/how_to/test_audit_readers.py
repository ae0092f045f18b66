"""The reference readers of docs/how-to/read-the-audit-log against the cases that the routers' own reader is held to as well."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest
import typescript

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs/how-to/read-the-audit-log"
CASES = json.loads((ROOT / "tests/golden/reader/attempts.json").read_text())

DRIVER = """
import { AuditReader, effectiveAttempts, summaryOf } from "./reader.mjs";
import { readFileSync } from "node:fs";
const cases = JSON.parse(readFileSync(0, "utf8")).map(({ start, records, resume }) => {
  const reader = new AuditReader();
  for (const { partition, offset, epoch } of start ?? []) reader.start(partition, offset, epoch);
  const found = new Map();
  const lost = [];
  const verdicts = records.map((record) => {
    const step = reader.apply(record);
    if (step.attempt) found.set(step.attempt, null);
    if (step.lost) lost.push(step.lost);
    return step.verdict;
  });
  const attempts = [...found.keys()].map(summaryOf);
  const open = reader.open().map(summaryOf);
  const positions = resume.map(({ partition }) => ({ partition, ...reader.resume(partition) }));
  return { verdicts, attempts, open, lost, resume: positions, whole: effectiveAttempts(records) };
});
const bounded = new AuditReader(3);
const end = (id) => ({ type: "llm.response", epoch: 1, instance: "a-1", sourcePartition: 0, sourceOffset: id, orgId: "o",
                       requestId: "r", attempt: 1, outcome: "completed" });
for (let id = 0; id < 10; ++id) bounded.apply({ partition: 0, offset: id, value: end(id) });
const again = [9, 8, 7, 6].map((id) => bounded.apply({ partition: 0, offset: 10 + id, value: end(id) }).verdict);
console.log(JSON.stringify({ cases, again }));
"""


def python_reader():
    spec = importlib.util.spec_from_file_location("audit_reader", FOLDER / "audit_reader.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


audit_reader = python_reader()


def distinct(entries):
    return [entry for at, entry in enumerate(entries) if entry not in entries[:at]]


def read(reader, records):
    steps = [reader.apply(record["partition"], record["offset"], record["value"]) for record in records]
    found = {id(step.attempt): step.attempt for step in steps if step.attempt}
    return ([step.verdict for step in steps], [attempt.summary() for attempt in found.values()],
            [step.lost for step in steps if step.lost])


def started(case):
    reader = audit_reader.AuditReader()
    for start in case.get("start", []):
        reader.start(start["partition"], start["offset"], start["epoch"])
    return reader


each_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


@each_case
def test_python_finds_the_attempts_that_count(case):
    reader = started(case)
    verdicts, attempts, lost = read(reader, case["records"])
    assert verdicts == case["verdicts"]
    assert attempts == case["attempts"]
    assert distinct(lost) == case["lost"]
    open_ones = [attempt for attempt in attempts if attempt["responseOffset"] is None]
    assert [attempt.summary() for attempt in reader.open()] == open_ones
    for expected in case["resume"]:
        assert reader.resume(expected["partition"]) == (expected["offset"], expected["epoch"])


@each_case
def test_reading_again_from_the_place_to_resume_at_finds_what_was_open(case):
    before = started(case)
    read(before, case["records"])
    after = audit_reader.AuditReader()
    for place in case["resume"]:
        offset, epoch = before.resume(place["partition"])
        after.start(place["partition"], offset, epoch)
        read(after, [record for record in case["records"]
                     if record["partition"] == place["partition"] and record["offset"] >= offset])
        assert after.resume(place["partition"]) == (offset, epoch)
    assert [attempt.summary() for attempt in after.open()] == [attempt.summary() for attempt in before.open()]


@each_case
def test_records_that_are_read_twice_change_nothing(case):
    reader = started(case)
    once = read(reader, case["records"])[1]
    read(reader, case["records"])
    twice = audit_reader.effective_attempts(case["records"] + case["records"])
    assert [attempt.summary() for attempt in reader.open()] == [entry for entry in once if entry["responseOffset"] is None]
    if "start" not in case:
        assert twice == {"attempts": case["attempts"], "lost": case["lost"]}


def test_python_forgets_the_oldest_that_ended():
    reader = audit_reader.AuditReader(ended_max=3)

    def end(source_offset, offset):
        return reader.apply(0, offset, {"type": "llm.response", "epoch": 1, "instance": "a-1", "sourcePartition": 0,
                                        "sourceOffset": source_offset, "orgId": "o", "requestId": "r", "attempt": 1,
                                        "outcome": "completed"}).verdict

    assert [end(n, n) for n in range(10)] == ["counts"] * 10
    assert [end(n, 20 + n) for n in (9, 8, 7)] == ["repeated"] * 3
    assert end(6, 30) == "counts"


def test_the_program_prints_an_attempt_a_line():
    records = "".join(json.dumps(record) + "\n" for record in [*CASES[0]["records"], *lost_case()["records"]])
    done = subprocess.run([sys.executable, FOLDER / "audit_reader.py"], input=records, capture_output=True, text=True,
                          timeout=60, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines == [*CASES[0]["attempts"], *({"lost": entry} for entry in lost_case()["lost"])]


def lost_case():
    return next(case for case in CASES if case["lost"])


def test_typescript_finds_the_attempts_that_count(tmp_path):
    printed = typescript.run(FOLDER / "audit_reader.ts", DRIVER, CASES, tmp_path)
    for case, found in zip(CASES, printed["cases"], strict=True):
        whole = found.pop("whole")
        assert distinct(found.pop("lost")) == case["lost"], case["name"]
        assert found.pop("open") == [entry for entry in case["attempts"] if entry["responseOffset"] is None], case["name"]
        assert found == {name: case[name] for name in ("verdicts", "attempts", "resume")}, case["name"]
        if "start" not in case:
            assert whole == {"attempts": case["attempts"], "lost": case["lost"]}, case["name"]
    assert printed["again"] == ["repeated", "repeated", "repeated", "counts"]


def test_each_verdict_has_a_case():
    verdicts = {verdict for case in CASES for verdict in case["verdicts"]}
    assert verdicts == {"counts", "repeated", "void", "other_partition", "unknown", "unreadable"}
