#!/usr/bin/python3
"""Plants small changes in the deciding code of modules, and names those that no unit test notices.

    mutate.py MODULE... [--sample N] [--seed S] [--file PATTERN] [--minimum PERCENT] [--sanitized] [--jobs N]

All changes are compiled at once (scripts/mutants.py), and each is chosen at run time. So one build is enough. First every test runs
once, which says which changes it reaches. Then each change is judged by the tests that reach it. One that none reaches has survived.

It works on a copy of the tree below DEV_DIR/mutate with a build folder of its own, so the checkout is never touched. It builds
without sanitizers, so that an assertion has to notice a planted change. With --sanitized it builds as CI does, and what a
sanitizer reports counts as noticed. A change that does not compile does not count. One that is known to change nothing that a
user could see is listed in tests/mutants.tsv with its reason; it is neither planted nor counted.
"""

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import queue
import random
import re
import subprocess
import sys
import threading

from mutants import mutants_of, planted_text

ROOT = pathlib.Path(__file__).resolve().parent.parent
ACCEPTED = ROOT / "tests" / "mutants.tsv"
MAIN = "tests/mutation/main.cpp"
ROUNDS_MAX = 20


@dataclasses.dataclass(frozen=True)
class Module:
    """What decides, and the tests that have to notice. Shells (sockets, clients, databases) are judged by integration tests."""

    files: tuple
    program: str

    def paths(self) -> list:
        found = {path.relative_to(ROOT).as_posix() for pattern in self.files if pattern[0] != "-" for path in ROOT.glob(pattern)}
        without = {path.relative_to(ROOT).as_posix() for pattern in self.files if pattern[0] == "-" for path in ROOT.glob(pattern[1:])}
        return sorted(found - without)

    def tests(self) -> pathlib.PurePosixPath:
        """The folder of the program's tests: that of the module, or of the module that it is a part of."""
        folder = pathlib.PurePosixPath(self.files[0]).parent
        name = self.program.removeprefix("unit-").removesuffix("-tests")
        while folder.name != name:
            folder = folder.parent
        return "tests/unit" / folder


def adapter(name: str) -> Module:
    return Module((f"common/providers/{name}/*.cpp", f"common/providers/{name}/*.hpp"), "unit-providers-tests")


MODULES = {
    "anthropic": adapter("anthropic"),
    "async": Module(("common/async/*.cpp", "common/async/*.hpp"), "unit-async-tests"),
    "auth": Module(("common/auth/*.cpp", "common/auth/*.hpp"), "unit-auth-tests"),
    "azure": adapter("azure"),
    "catalog": Module(("common/catalog/*.cpp",), "unit-catalog-tests"),
    "chat": Module(("common/chat/*.cpp",), "unit-chat-tests"),
    "cohere": adapter("cohere"),
    "cli": Module(
        tuple(
            f"cli/{name}.cpp"
            for name in (
                "acls", "answer_tail", "arguments", "config_plan", "config_tree", "doctor", "keys", "model_listing", "price_words",
                "record_text", "rewrap", "topics",
            )
        ),
        "unit-cli-tests",
    ),
    "config": Module(("common/config/*.cpp",), "unit-config-tests"),
    "crypto": Module(("common/crypto/*.cpp",), "unit-crypto-tests"),
    "events": Module(("common/events/*.cpp", "common/events/*.hpp"), "unit-events-tests"),
    "gemini": adapter("gemini"),
    "http": Module(
        (
            "common/http/address_rules.cpp",
            "common/http/framing.*",
            "common/http/head_reader.cpp",
            "common/http/name_cache.*",
        ),
        "unit-http-tests",
    ),
    "kafka": Module(
        (
            "common/kafka/ledger.*",
            "common/kafka/log_identity.*",
            "common/kafka/partitioner.cpp",
            "common/kafka/detail/ending.cpp",
            "common/kafka/detail/produce_errors.cpp",
            "common/kafka/detail/properties.cpp",
            "common/kafka/detail/statistics.cpp",
            "common/kafka/detail/unreported.*",
        ),
        "unit-kafka-tests",
    ),
    "ollama": adapter("ollama"),
    "openai": adapter("openai"),
    "openai_responses": adapter("openai_responses"),
    "providers": Module(
        ("common/providers/*.cpp", "common/providers/*.hpp", "-common/providers/connection_tester.*"), "unit-providers-tests"
    ),
    "registry": Module(
        (
            "common/registry/access.cpp",
            "common/registry/auto_selection.cpp",
            "common/registry/clauses.cpp",
            "common/registry/connection_health.cpp",
            "common/registry/cost.cpp",
            "common/registry/default_selection.cpp",
            "common/registry/effective_model.cpp",
            "common/registry/explanation_json.cpp",
            "common/registry/fit.cpp",
            "common/registry/merge_patch.cpp",
            "common/registry/model_filter.cpp",
            "common/registry/model_indexes.*",
            "common/registry/near_names.*",
            "common/registry/projection.*",
            "common/registry/resolution.cpp",
            "common/registry/route.cpp",
            "common/registry/selection.cpp",
            "common/registry/sync_plan.cpp",
            "common/registry/text.cpp",
            "common/registry/usable_models.cpp",
            "common/registry/view_members.cpp",
        ),
        "unit-registry-tests",
    ),
    "registry_api": Module(
        tuple(
            f"workers/registry_api/{name}.cpp"
            for name in (
                "access", "chats", "idempotency", "json_changes", "json_value", "memberships", "openapi", "page", "preconditions",
                "problem", "query", "rate_limits", "request_head", "routes", "schema", "settings",
            )
        ),
        "unit-registry_api-tests",
    ),
    "registry_sync": Module(
        tuple(f"workers/registry_sync/{name}" for name in ("comparison_schedule.hpp", "diff.cpp", "facts.cpp", "questions.cpp", "records.cpp", "settings.cpp")),
        "unit-registry_sync-tests",
    ),
    "router": Module(
        ("workers/router/core/*.cpp", "workers/router/core/*.hpp", "-workers/router/core/planted.hpp", "-workers/router/core/metric_families.hpp"),
        "unit-router-tests",
    ),
    "telemetry": Module(
        ("common/telemetry/loop_turns.cpp", "common/telemetry/metrics.cpp", "common/telemetry/text_escape.cpp"),
        "unit-telemetry-tests",
    ),
    "topics": Module(("common/topics/*.cpp",), "unit-topics-tests"),
    "verify": Module(("cli/verify/*.cpp", "cli/verify/*.hpp"), "unit-verify-tests"),
}


def accepted() -> set:
    if not ACCEPTED.exists():
        return set()
    rows = [row.split("\t") for row in ACCEPTED.read_text(encoding="utf-8").splitlines() if row and not row.startswith("#")]
    return {(row[0], row[1].strip(), row[2].strip()) for row in rows}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def blamed(output: str, tree: str, lines: dict) -> set:
    """The lines with planted changes, as (path, line), that a compiler's output complains about. `lines`: path to such lines."""
    found, group = set(), []

    def settle() -> None:
        places = [(path, int(line)) for path, line in group if path in lines]
        exact = [place for place in places if place[1] in lines[place[0]]]
        if exact:
            found.add(exact[0])
        elif places:
            path, line = places[0]
            # The change may be on an earlier line of a statement.
            before = [n for n in lines[path] if n <= line]
            if before:
                found.add((path, max(before)))

    for match in re.finditer(r"^(\S+?):(\d+):\d+: (fatal error|error|note|warning): ", output, re.M):
        if match.group(3) != "note":
            settle()
            group = []
        path = match.group(1)
        group.append((path[len(tree) + 1 :] if path.startswith(tree + "/") else path, match.group(2)))
    settle()
    return found


class Workshop:
    """The copy of the tree with all changes in it, its build folder, and the test programs."""

    def __init__(self, folder: pathlib.Path, modules: list, sanitized: bool, part: str):
        self.tree = folder / "tree"
        self.build = self.tree / "build" / ("dev" if sanitized else "mutants")
        self.sanitized = sanitized
        self.modules = modules
        self.refused_file = folder / "refused.json"
        self.refused = {tuple(key) for key in json.loads(self.refused_file.read_text())} if self.refused_file.exists() else set()
        self.numbered = {}  # number -> Mutant
        self.by_module = {}  # module's name -> numbers
        number = 0
        for name in modules:
            self.by_module[name] = []
            for path in (path for path in MODULES[name].paths() if re.search(part, path)):
                for mutant in mutants_of(path, (ROOT / path).read_text(encoding="utf-8")):
                    self.numbered[number] = mutant
                    self.by_module[name].append(number)
                    number += 1

    def programs(self) -> list:
        return sorted({MODULES[name].program for name in self.modules})

    def write(self) -> None:
        """Files that have not changed keep their times, so that they are not compiled again."""
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True
        ).stdout
        wanted = {os.fsdecode(name): None for name in listed.split(b"\0") if name and (ROOT / os.fsdecode(name)).is_file()}
        by_path = collections.defaultdict(list)
        for number, mutant in self.numbered.items():
            if mutant.key() not in self.refused:
                by_path[mutant.path].append((number, mutant))
        for path, planted in by_path.items():
            wanted[path] = planted_text((ROOT / path).read_text(encoding="utf-8"), planted).encode()
        for name in self.modules:
            wanted[f"{MODULES[name].tests()}/mutation_main.cpp"] = (ROOT / MAIN).read_bytes()
        for path, content in wanted.items():
            target = self.tree / path
            content = (ROOT / path).read_bytes() if content is None else content
            if not target.is_file() or target.read_bytes() != content:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                if os.access(ROOT / path, os.X_OK):
                    target.chmod(0o755)
        for folder, folders, files in os.walk(self.tree):
            if pathlib.Path(folder) == self.tree:
                folders[:] = [name for name in folders if name != "build"]
            for name in files:
                file = pathlib.Path(folder) / name
                if file.relative_to(self.tree).as_posix() not in wanted:
                    file.unlink()

    def configure(self) -> None:
        if (self.build / "build.ninja").exists():
            return
        say("Configuring")
        flags = ["-DTOKENRAIL_UNITY=ON"] + ([] if self.sanitized else ["-DTOKENRAIL_SANITIZE=", "-DCMAKE_CXX_FLAGS_DEBUG=-O0"])
        subprocess.run(["cmake", "--preset", "dev", "-B", str(self.build), *flags], cwd=self.tree, check=True, stdout=subprocess.DEVNULL)

    def compile(self, jobs: int) -> bool:
        """Takes out what does not compile, and tries again."""
        for _ in range(ROUNDS_MAX):
            self.write()
            self.configure()
            done = subprocess.run(
                ["ninja", "-C", str(self.build), "-k", "0", "-j", str(jobs), *self.programs()], capture_output=True, check=False, text=True, errors="replace",
                # All errors of a file at once, not the first twenty.
                env={**os.environ, "CCC_OVERRIDE_OPTIONS": "#+-ferror-limit=0"},
            )
            if done.returncode == 0:
                return True
            lines = collections.defaultdict(set)
            for mutant in self.numbered.values():
                if mutant.key() not in self.refused:
                    lines[mutant.path].add(mutant.line)
            bad = blamed(done.stdout, self.source_folder(), lines)
            if not bad:
                say(done.stdout[-6000:] + done.stderr)
                return False
            self.refused |= {m.key() for m in self.numbered.values() if (m.path, m.line) in bad}
            self.refused_file.write_text(json.dumps(sorted(self.refused)))
            say(f"{len(bad)} lines do not compile as planted, for example {sorted(bad)[0]}; without them now")
        return False

    def source_folder(self) -> str:
        cache = (self.build / "CMakeCache.txt").read_text(encoding="utf-8")
        return re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.M).group(1)

    def command(self, program: str) -> list:
        return [str(self.build / "bin" / program)]

    def environment(self) -> dict:
        # Children end without looking for leaks, and a planted change may ask for any amount of memory.
        extra = {"ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1", "GTEST_BRIEF": "1"} if self.sanitized else {"GTEST_BRIEF": "1"}
        return {**os.environ, **extra}

    def record(self, program: str):
        """Which tests reach which change: [(name, milliseconds, numbers)], and the numbers that would not compile alone."""
        file = self.tree / "build" / f"{program}.reached"
        done = subprocess.run(
            [*self.command(program), f"--record={file}"], cwd=self.tree, env=self.environment(), capture_output=True, check=False, text=True,
            errors="replace", timeout=1200,
        )
        if done.returncode != 0:
            say(done.stdout[-4000:] + done.stderr[-2000:])
            return None
        rows = [line.split(" ") for line in file.read_text(encoding="utf-8").splitlines()]
        tests = [(row[0], int(row[1]), {int(number) for number in row[2:]}) for row in rows]
        return tests[2:], tests[0][2], tests[1][2]


def judge(workshop: Workshop, program: str, tasks: list, jobs: int) -> dict:
    """[(number, seconds, filter)] -> number: whether it was noticed. Several processes share them."""
    waiting, outcomes = queue.Queue(), {}
    for task in tasks:
        waiting.put(task)

    def work() -> None:
        process = subprocess.Popen(
            workshop.command(program), cwd=workshop.tree, env=workshop.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL,
        )
        with process:
            while True:
                try:
                    number, seconds, tests = waiting.get_nowait()
                except queue.Empty:
                    break
                process.stdin.write(f"{number} {seconds} {tests}\n")
                process.stdin.flush()
                answer = process.stdout.readline().split()
                if len(answer) != 2 or int(answer[0]) != number:
                    raise RuntimeError(f"{program} ended while it judged change {number}")
                outcomes[number] = answer[1] == "noticed"
                if len(outcomes) % 200 == 0:
                    say(f"{program}: {len(outcomes)} of {len(tasks)}")
            process.stdin.close()

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(outcomes) < len(tasks):
        raise RuntimeError(f"{program}: only {len(outcomes)} of {len(tasks)} changes were judged")
    return outcomes


def tasks_of(numbers: list, tests: list, always: set) -> list:
    """By the tests that reach it, or all where it was reached before the first one or by one only: what is computed once is reached
    by the test that happens to be first, and another one may notice."""
    total = sum(ms for _, ms, _ in tests)
    found = []
    for number in numbers:
        reaching = [(name, ms) for name, ms, reached in tests if number in reached]
        if reaching:
            ms = sum(ms for _, ms in reaching)
            found.append((number, 3 + ms // 100, ":".join(name for name, _ in reaching), len(reaching)))
        elif number in always:
            found.append((number, 10 + total // 100, "*", 2))
    return found


def measure(workshop: Workshop, name: str, recorded: tuple, options) -> float:
    tests, impossible, always = recorded
    known = accepted()
    program = MODULES[name].program
    every = [n for n in workshop.by_module[name] if workshop.numbered[n].key() not in known]
    refused = [n for n in every if workshop.numbered[n].key() in workshop.refused or n in impossible]
    possible = sorted(set(every) - set(refused))
    chosen = possible
    if options.sample:
        chosen = sorted(random.Random(options.seed).sample(possible, min(options.sample, len(possible))))
    tasks = tasks_of(chosen, tests, always)
    outcomes = judge(workshop, program, [task[:3] for task in tasks], options.jobs)
    seconds = 10 + sum(ms for _, ms, _ in tests) // 100
    again = [(task[0], seconds, "*") for task in tasks if task[3] == 1 and not outcomes[task[0]]]
    outcomes |= judge(workshop, program, again, options.jobs)

    by_path = collections.defaultdict(lambda: [0, 0])
    unreached = 0
    for number in chosen:
        mutant = workshop.numbered[number]
        noticed = outcomes.get(number)
        unreached += noticed is None
        by_path[mutant.path][0] += bool(noticed)
        by_path[mutant.path][1] += 1
        if not noticed:
            note = "\tno test runs it" if noticed is None else ""
            print(f"{mutant.path}:{mutant.line}\t{mutant.before.strip()}\t{mutant.after.strip()}{note}", flush=True)
    for path, (noticed, count) in sorted(by_path.items()):
        print(f"# {path}: {noticed} of {count} ({100 * noticed / count:.0f} %)")
    noticed = sum(n for n, _ in by_path.values())
    score = 100 * noticed / len(chosen) if chosen else 100
    print(
        f"{name}: {noticed} of {len(chosen)} planted changes noticed ({score:.0f} %), of {len(possible)} in all; no test runs {unreached}; "
        f"{len(refused)} more do not compile",
        flush=True,
    )
    return score


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", metavar="MODULE", nargs="+", choices=[*sorted(MODULES), "all"], help=", ".join([*sorted(MODULES), "all"]))
    parser.add_argument("--sample", type=int, default=0, help="how many to judge of each module, drawn by the seed (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", default="", help="only in files whose path has this regular expression in it")
    parser.add_argument("--minimum", type=float, default=0, help="end with 1 when a score in percent is lower")
    parser.add_argument("--sanitized", action="store_true", help="build with the sanitizers of preset dev; what they report counts as noticed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many are judged side by side (default: one a processor)")
    parser.add_argument("--dev-dir", type=pathlib.Path, default=ROOT / ".dev", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    names = sorted(MODULES) if "all" in options.modules else list(dict.fromkeys(options.modules))

    workshop = Workshop(options.dev_dir.resolve() / "mutate", names, options.sanitized, options.file)
    say(f"Building {', '.join(workshop.programs())} with {len(workshop.numbered)} changes")
    if not workshop.compile(options.jobs):
        print("mutate: the tests do not compile; run ./dev build first", file=sys.stderr)
        return 2
    recorded = {}
    for program in workshop.programs():
        recorded[program] = workshop.record(program)
        if recorded[program] is None:
            print(f"mutate: {program} fails before anything was chosen; run ./dev test unit first", file=sys.stderr)
            return 2
    scores = [measure(workshop, name, recorded[MODULES[name].program], options) for name in names]
    return 1 if min(scores) < options.minimum else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
