#!/usr/bin/python3
"""Plants small changes in the deciding code of a module, one at a time, and names those that no unit test notices.

    mutate.py MODULE [--sample N | --all] [--seed S] [--file TEXT] [--minimum PERCENT] [--sanitized]

It works on a copy of the tree below DEV_DIR/mutate with a build folder of its own, so the checkout is never touched. It builds
without sanitizers, so that an assertion has to notice a planted change. With --sanitized it builds as CI does, and what a
sanitizer reports counts as noticed. A change that does not compile does not count. One that is known to change nothing that a
user could see is listed in tests/mutants.tsv with its reason; it is neither planted nor counted.
"""

import argparse
import dataclasses
import os
import pathlib
import random
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ACCEPTED = ROOT / "tests" / "mutants.tsv"


@dataclasses.dataclass(frozen=True)
class Module:
    """What decides, and the tests that have to notice. Shells (sockets, clients, databases) are judged by integration tests."""

    files: tuple
    program: str
    filter: str = "*"


MODULES = {
    "config": Module(("common/config/*.cpp",), "unit-config-tests"),
    "crypto": Module(("common/crypto/*.cpp",), "unit-crypto-tests"),
    "events": Module(("common/events/*.cpp",), "unit-events-tests"),
    "http": Module(
        ("common/http/framing.*", "common/http/head_reader.cpp", "common/http/name_cache.cpp"),
        "unit-http-tests",
        "LineFramer*:SseFramer*:HeadReader*:NameCache*",
    ),
    "kafka": Module(
        (
            "common/kafka/ledger.*",
            "common/kafka/log_identity.cpp",
            "common/kafka/detail/produce_errors.cpp",
            "common/kafka/detail/properties.cpp",
            "common/kafka/detail/statistics.cpp",
            "common/kafka/detail/unreported.cpp",
        ),
        "unit-kafka-tests",
        "OffsetLedger*:LogIdentity*:WitnessTrail*:ProduceErrors*:KafkaProperties*:KafkaStatistics*:Unreported*",
    ),
    "providers": Module(("common/providers/*.cpp", "common/providers/ollama/*.cpp"), "unit-providers-tests"),
    "registry": Module(
        (
            "common/registry/near_names.cpp",
            "common/registry/projection.cpp",
            "common/registry/resolution.cpp",
            "common/registry/sync_plan.cpp",
            "common/registry/text.cpp",
        ),
        "unit-registry-tests",
    ),
    "registry_sync": Module(
        ("workers/registry_sync/diff.cpp", "workers/registry_sync/facts.cpp", "workers/registry_sync/records.cpp"),
        "unit-registry_sync-tests",
    ),
    "router": Module(("workers/router/core/*.cpp",), "unit-router-tests"),
    "telemetry": Module(
        ("common/telemetry/loop_turns.cpp", "common/telemetry/metrics.cpp", "common/telemetry/text_escape.cpp"),
        "unit-telemetry-tests",
    ),
    "topics": Module(("common/topics/*.cpp",), "unit-topics-tests"),
    "verify": Module(("cli/verify/*.cpp",), "unit-verify-tests"),
}


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: str
    line: int  # from 1
    before: str
    after: str

    def key(self) -> tuple:
        return (self.path, self.before.strip(), self.after.strip())


# Blanks surround binary operators (clang-format sees to it), which distinguishes `a < b` from a template's bracket.
SWAPS = (
    (" < ", " <= "),
    (" <= ", " < "),
    (" > ", " >= "),
    (" >= ", " > "),
    (" == ", " != "),
    (" != ", " == "),
    (" && ", " || "),
    (" || ", " && "),
    (" + ", " - "),
    (" - ", " + "),
    ("std::min(", "std::max("),
    ("std::max(", "std::min("),
    ("return true;", "return false;"),
    ("return false;", "return true;"),
)
STATEMENT = re.compile(r"^\s*(?:(?:\+\+|--)[\w.\->\[\]]+;|[\w.\->:]+\([^;]*\);|return;|continue;|[\w.\->\[\]]+ (?:[+-]?=) [^;]*;)\s*$")
NOT_LOGIC = re.compile(r"^\s*(?:#|//|static_assert|assert\(|[\w.\->]+reserve\(|spdlog::|using |namespace |template|friend |typedef |\*)|metrics\.|metrics_\.")
NEGATION = re.compile(r"(?<![\w)\]!=])!(?=[\w(])")


def blanked(text: str) -> str:
    """The text with comments and literals replaced by blanks of the same length, lines kept."""
    pattern = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", "\0", m.group()), text)


def mutants_of(path: str, text: str) -> list:
    found = []
    shown, hidden = text.split("\n"), blanked(text).split("\n")
    planted = False
    for number, (line, code) in enumerate(zip(shown, hidden), 1):
        # What the simulation plants follows planted(): compiled into nothing else.
        planted = "planted(" in code
        if planted or not code.strip() or NOT_LOGIC.search(line):
            continue
        for old, new in SWAPS:
            at = code.find(old)
            while at >= 0:
                # Text is joined, never subtracted.
                if old != " + " or '"' not in (line[at - 1], line[at + len(old) : at + len(old) + 1]):
                    found.append(Mutant(path, number, line, line[:at] + new + line[at + len(old):]))
                at = code.find(old, at + 1)
        for match in NEGATION.finditer(code):
            found.append(Mutant(path, number, line, line[: match.start()] + line[match.end():]))
        # Brackets that do not match are the end of a statement that began on an earlier line.
        if STATEMENT.match(code.replace("\0", "x")) and all(code.count(a) == code.count(b) for a, b in ("()", "{}")):
            indent = line[: len(line) - len(line.lstrip())]
            found.append(Mutant(path, number, line, indent + ";"))
    return found


def accepted() -> set:
    if not ACCEPTED.exists():
        return set()
    rows = [row.split("\t") for row in ACCEPTED.read_text(encoding="utf-8").splitlines() if row and not row.startswith("#")]
    return {(row[0], row[1].strip(), row[2].strip()) for row in rows}


class Workshop:
    """The copy of the tree, its build folder, and the tests of one module."""

    def __init__(self, folder: pathlib.Path, module: Module, sanitized: bool = False):
        self.tree, self.module = folder / "tree", module
        self.build = folder / ("build-sanitized" if sanitized else "build")
        files = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True
        ).stdout
        self.tree.mkdir(parents=True, exist_ok=True)
        names = b"\0".join(name for name in files.split(b"\0") if name and (ROOT / os.fsdecode(name)).is_file())
        # --checksum: a file that a run before this one changed and put back is not compiled again.
        subprocess.run(
            ["rsync", "--archive", "--checksum", "--from0", "--files-from=-", f"{ROOT}/", f"{self.tree}/"], input=names, check=True
        )
        if not (self.build / "build.ninja").exists():
            self.say("Configuring")
            flags = [] if sanitized else ["-DTOKENRAIL_SANITIZE=", "-DCMAKE_CXX_FLAGS_DEBUG=-O0"]
            subprocess.run(
                ["cmake", "--preset", "dev", "-B", str(self.build), *flags],
                cwd=self.tree, check=True, stdout=subprocess.DEVNULL,
            )

    @staticmethod
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def compiles(self) -> bool:
        return subprocess.run(["ninja", "-C", str(self.build), self.module.program], capture_output=True, check=False).returncode == 0

    def passes(self, patience: float) -> bool:
        environment = {**os.environ, "GTEST_FAIL_FAST": "1"}
        try:
            done = subprocess.run(
                [str(self.build / "bin" / self.module.program), "--gtest_brief=1", f"--gtest_filter={self.module.filter}"],
                capture_output=True, check=False, timeout=patience, env=environment, cwd=self.tree,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def judge(workshop: Workshop, mutant: Mutant, patience: float) -> str:
    file = workshop.tree / mutant.path
    original = file.read_text(encoding="utf-8")
    lines = original.split("\n")
    lines[mutant.line - 1] = mutant.after
    file.write_text("\n".join(lines), encoding="utf-8")
    try:
        if not workshop.compiles():
            return "does not compile"
        return "survived" if workshop.passes(patience) else "noticed"
    finally:
        file.write_text(original, encoding="utf-8")


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", choices=sorted(MODULES))
    parser.add_argument("--sample", type=int, default=60, help="how many to plant, drawn by the seed (60)")
    parser.add_argument("--all", action="store_true", help="plant every one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", default="", help="only in files whose path contains this")
    parser.add_argument("--minimum", type=float, default=0, help="end with 1 when the score in percent is lower")
    parser.add_argument("--sanitized", action="store_true", help="build with the sanitizers of preset dev; what they report counts as noticed")
    parser.add_argument("--dev-dir", type=pathlib.Path, default=ROOT / ".dev", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    module = MODULES[options.module]

    paths = sorted({path.relative_to(ROOT).as_posix() for pattern in module.files for path in ROOT.glob(pattern)})
    known = accepted()
    every = [
        mutant
        for path in paths
        if options.file in path
        for mutant in mutants_of(path, (ROOT / path).read_text(encoding="utf-8"))
        if mutant.key() not in known
    ]
    if not every:
        print(f"mutate: no place to plant anything in {options.module} in files with '{options.file}'", file=sys.stderr)
        return 2
    chosen = every if options.all else random.Random(options.seed).sample(every, min(options.sample, len(every)))

    workshop = Workshop(options.dev_dir / "mutate", module, options.sanitized)
    workshop.say(f"Building {module.program} as it is")
    if not workshop.compiles():
        print("mutate: the module does not compile as it is; run ./dev build first", file=sys.stderr)
        return 2
    began = time.monotonic()
    if not workshop.passes(600):
        print("mutate: the tests fail before anything was planted; run ./dev test unit first", file=sys.stderr)
        return 2
    patience = 10 + 5 * (time.monotonic() - began)

    outcomes = {"noticed": 0, "survived": 0, "does not compile": 0}
    for count, mutant in enumerate(sorted(chosen, key=lambda m: (m.path, m.line, m.after)), 1):
        outcome = judge(workshop, mutant, patience)
        outcomes[outcome] += 1
        if outcome == "survived":
            print(f"{mutant.path}:{mutant.line}\t{mutant.before.strip()}\t{mutant.after.strip()}", flush=True)
        if count % 20 == 0:
            workshop.say(f"{count} of {len(chosen)}: {outcomes}")
    counted = outcomes["noticed"] + outcomes["survived"]
    score = 100 * outcomes["noticed"] / counted if counted else 0
    print(
        f"{options.module}: {outcomes['noticed']} of {counted} planted changes noticed ({score:.0f} %), "
        f"drawn from {len(every)}; {outcomes['does not compile']} did not compile"
    )
    return 1 if score < options.minimum else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
