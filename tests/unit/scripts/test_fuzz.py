import json
import pathlib
import re

import fuzz

STATS = """#2 INITED
Done 1234 runs in 3 second(s)
stat::number_of_executed_units: 1234
stat::average_exec_per_sec:     411
"""


def recording(folder: pathlib.Path, provider: str, name: str, framing: str, body: bytes, **meta):
    case = folder / provider / name
    case.mkdir(parents=True)
    (case / "response.meta.json").write_text(json.dumps({"framing": framing, **meta}), encoding="utf-8")
    (case / "response.body").write_bytes(body)


def test_every_target_with_seeds_is_a_program():
    cmake = (fuzz.ROOT / "tests" / "fuzz" / "CMakeLists.txt").read_text(encoding="utf-8")
    programs = set(re.findall(r"^tokenrail_fuzz_target\(fuzz-(\S+) ", cmake, re.M))
    sources = {path.stem.replace("_", "-") for path in (fuzz.ROOT / "tests" / "fuzz").glob("*.cpp")}
    assert programs == sources
    assert set(fuzz.SEEDS) | {"parse-response-head"} <= programs


def test_a_recorded_body_says_in_its_first_byte_whether_it_is_a_stream(tmp_path):
    recording(tmp_path, "anthropic", "a", "sse", b"event: x")
    recording(tmp_path, "anthropic", "b", "json", b"{}")
    inputs = dict(fuzz.recorded_inputs(tmp_path, fuzz.SEEDS["parse-anthropic-stream"]))
    assert inputs == {"anthropic-a": b"\x41\x40event: x", "anthropic-b": b"\x40\x40{}"}


def test_a_long_body_is_cut_and_a_target_without_settings_has_no_prefix(tmp_path):
    recording(tmp_path, "ollama", "long", "json", b"[" * 100_000)
    ((_, data),) = fuzz.recorded_inputs(tmp_path, fuzz.SEEDS["parse-ollama-models"])
    assert data == b"[" * fuzz.INPUT_BYTES_MAX


def test_a_head_is_written_as_it_came(tmp_path):
    recording(tmp_path, "groq", "limit", "json", b"{}", status=429, headers=[["Retry-After", "2"]])
    assert dict(fuzz.recorded_heads(tmp_path)) == {"groq-limit": b"HTTP/1.1 429 X\r\nRetry-After: 2\r\n\r\n{}"}


def test_without_recordings_there_are_no_seeds(tmp_path):
    assert fuzz.write_seeds("parse-openai-stream", tmp_path / "none", tmp_path / "seeds") == 0


def test_the_report_says_how_much_ran_and_what_broke():
    fine = fuzz.outcome_of("parse-chunk", 0, STATS)
    assert (fine.inputs, fine.per_second, fine.seconds, fine.finding) == (1234, 411, 3, "")
    assert "FOUND" not in fuzz.report(fine, pathlib.Path("/b"))
    broken = fuzz.outcome_of("parse-chunk", 77, STATS + "Test unit written to /f/crash-1\n")
    assert "Again: /b/bin/fuzz-parse-chunk /f/crash-1" in fuzz.report(broken, pathlib.Path("/b"))


def test_a_target_that_ends_badly_without_an_input_is_a_finding():
    assert fuzz.outcome_of("parse-chunk", 1, "no such file").finding
