#!/usr/bin/python3
"""Runs fuzz targets for a while and reports what they did.

    fuzz.py --build FOLDER --findings FOLDER --seconds N [--transcripts FOLDER] TARGET...

Each target starts from the golden records, from what earlier runs found interesting (build/fuzz/corpus) and, where
recorded exchanges of providers are at hand, from their bodies. As many targets as there are processors run at once. An
input that breaks a target is kept under --findings, and the report says how to play it again. Ends with 1 on a finding.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
INPUT_BYTES_MAX = 16384

OPENAI_FAMILY = (
    "openai", "azure", "compat-other", "groq", "huggingface", "llamacpp", "lmstudio", "mistral", "ollama-openai",
    "openrouter", "tgi", "vllm",
)  # fmt: skip

EVERY_PROVIDER = (*OPENAI_FAMILY, "openai-responses", "anthropic", "cohere", "gemini", "ollama")


@dataclass(frozen=True)
class Seeds:
    """Which recorded bodies a target starts from, and what comes before each: the bytes that the target reads as its
    settings. The lowest bit of the first one says whether the answer is a stream."""

    providers: tuple
    prefix_bytes: int = 0


SEEDS = {
    "parse-anthropic-stream": Seeds(("anthropic",), 2),
    "parse-cohere-stream": Seeds(("cohere",), 1),
    "parse-gemini-stream": Seeds(("gemini",), 1),
    "parse-ollama-stream": Seeds(("ollama",), 1),
    "parse-openai-stream": Seeds(OPENAI_FAMILY, 2),
    "parse-openai-responses-stream": Seeds(("openai-responses",), 1),
    "parse-ollama-models": Seeds(("ollama",)),
    "parse-openai-lists": Seeds(OPENAI_FAMILY),
    "parse-provider-lists": Seeds(EVERY_PROVIDER),
    "parse-framing": Seeds(EVERY_PROVIDER, 1),
}


def recorded_inputs(transcripts: pathlib.Path, seeds: Seeds):
    """(name, input) of each recorded body."""
    for provider in seeds.providers:
        for meta in sorted((transcripts / provider).glob("*/response.meta.json")):
            body = meta.parent / "response.body"
            if not body.is_file():
                continue
            streamed = json.loads(meta.read_text(encoding="utf-8")).get("framing") != "json"
            prefix = bytes([0x40 | streamed] + [0x40] * (seeds.prefix_bytes - 1)) if seeds.prefix_bytes else b""
            yield f"{provider}-{meta.parent.name}", (prefix + body.read_bytes())[:INPUT_BYTES_MAX]


def recorded_heads(transcripts: pathlib.Path):
    """(name, head and body) of each recorded response."""
    for meta in sorted(transcripts.glob("*/*/response.meta.json")):
        head = json.loads(meta.read_text(encoding="utf-8"))
        lines = [f"HTTP/1.1 {head.get('status', 200)} X"]
        lines += [f"{name}: {value}" for name, value in head.get("headers") or []]
        body = meta.parent / "response.body"
        text = "\r\n".join([*lines, "", ""]).encode() + (body.read_bytes() if body.is_file() else b"")
        yield f"{meta.parent.parent.name}-{meta.parent.name}", text[:INPUT_BYTES_MAX]


def write_seeds(target: str, transcripts: pathlib.Path, folder: pathlib.Path) -> int:
    if not transcripts.is_dir():
        return 0
    if target == "parse-response-head":
        inputs = recorded_heads(transcripts)
    elif target in SEEDS:
        inputs = recorded_inputs(transcripts, SEEDS[target])
    else:
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, data in inputs:
        (folder / name).write_bytes(data)
        count += 1
    return count


@dataclass
class Outcome:
    target: str
    inputs: int
    per_second: int
    seconds: int
    finding: str  # the file that breaks it; empty: none
    said: str


def outcome_of(target: str, code: int, text: str) -> Outcome:
    """What libFuzzer printed and how it ended."""

    def number(name: str) -> int:
        found = re.search(rf"^stat::{name}:\s*(\d+)", text, re.M)
        return int(found.group(1)) if found else 0

    seconds = re.findall(r"^Done \d+ runs in (\d+) second", text, re.M)
    written = re.findall(r"Test unit written to (\S+)", text)
    finding = written[-1] if written else ("" if code == 0 else "(no input was kept)")
    per_second = number("average_exec_per_sec")
    return Outcome(target, number("number_of_executed_units"), per_second, int(seconds[-1]) if seconds else 0, finding, text)


def run(target: str, options) -> Outcome:
    corpus = options.build / "corpus" / f"fuzz-{target}"
    seeds = options.build / "seeds" / target
    findings = options.findings / target
    for folder in (corpus, findings, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    write_seeds(target, options.transcripts, seeds)
    command = [
        str(options.build / "bin" / f"fuzz-{target}"),
        f"-max_total_time={options.seconds}",
        f"-max_len={INPUT_BYTES_MAX}",
        "-timeout=10",
        "-rss_limit_mb=3072",
        "-print_final_stats=1",
        "-verbosity=1",
        f"-artifact_prefix={findings}/",
        str(corpus),
        str(seeds),
        str(ROOT / "tests" / "golden"),
    ]
    # Bytes that no text has come out as they are: what a target prints is the input's.
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return outcome_of(target, done.returncode, done.stdout.decode("utf-8", "replace"))


def report(outcome: Outcome, build: pathlib.Path) -> str:
    line = f"{outcome.target:32} {outcome.inputs:>12,} inputs {outcome.per_second:>8,} a second"
    if not outcome.finding:
        return line
    tail = "\n".join(outcome.said.splitlines()[-40:])
    again = f"{build / 'bin' / ('fuzz-' + outcome.target)} {outcome.finding}"
    return f"{line}  FOUND {outcome.finding}\n{tail}\nAgain: {again}"


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--findings", type=pathlib.Path, required=True)
    parser.add_argument("--transcripts", type=pathlib.Path, default=pathlib.Path("/nonexistent"))
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("targets", nargs="+")
    options = parser.parse_args(arguments)

    if not options.transcripts.is_dir():
        print("No recorded exchanges (TOKENRAIL_TRANSCRIPTS names their folder): starting from the golden records only.")
    found = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(lambda target: run(target, options), options.targets):
            print(report(outcome, options.build), flush=True)
            found += bool(outcome.finding)
    print(f"{len(options.targets)} targets, {options.seconds} s each, {found} with a finding")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
