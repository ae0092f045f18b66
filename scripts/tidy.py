#!/usr/bin/python3
"""Runs clang-tidy over files, in parallel, and says how far it is.

    tidy.py --build FOLDER [--budget SECONDS] [--changed-since COMMIT] [FILE...]

Without FILEs: every .cpp of ours that the build folder compiles; with --changed-since only those that differ from the
commit or lie uncommitted (of a changed header: the sources of its folder that include it). When the budget runs out the
files not reached are counted, out loud, and are no failure: `./dev lint` has no budget. Ends with 1 on a finding.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = ("common/", "workers/", "cli/", "tests/")


def compiled_files(build: pathlib.Path) -> list:
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found = set()
    for entry in entries:
        file = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if file.is_relative_to(ROOT) and file.relative_to(ROOT).as_posix().startswith(OURS):
            found.add(file.relative_to(ROOT).as_posix())
    return sorted(found)


def without_precompiled_headers(build: pathlib.Path) -> pathlib.Path:
    """A folder with the same compile commands, in which each file has only what it includes itself: the precompiled
    headers need not be built yet, and none that a file forgot goes unseen."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    for entry in entries:
        entry["command"] = re.sub(r" -Xclang -include(-pch)? -Xclang \S+cmake_pch\S+", "", entry["command"])
    folder = build / "tidy"
    folder.mkdir(exist_ok=True)
    (folder / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


def git(*arguments: str) -> list:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def changed_files(commit: str) -> set:
    return set(git("diff", "--name-only", "--diff-filter=d", commit)) | set(
        git("ls-files", "--others", "--exclude-standard")
    )


def select(compiled: list, changed: set) -> list:
    """The compiled files to look at for a set of changed paths."""
    chosen = {path for path in compiled if path in changed}
    for header in changed:
        if not header.endswith(".hpp"):
            continue
        folder, include = header.rsplit("/", 1)[0], f'"{header}"'
        for path in compiled:
            if path.rsplit("/", 1)[0] == folder and include in (ROOT / path).read_text(encoding="utf-8"):
                chosen.add(path)
    return sorted(chosen)


def run_one(commands: pathlib.Path, path: str) -> tuple:
    started = time.monotonic()
    done = subprocess.run(
        ["clang-tidy-19", "-p", str(commands), "--quiet", path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    # What clang-tidy says on standard error is how many warnings of system headers it kept to itself.
    said = done.stdout.strip() or (done.stderr.strip() if done.returncode else "")
    return done.returncode, said, time.monotonic() - started


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--budget", type=float, default=None)
    parser.add_argument("--changed-since", default=None)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args(arguments)

    files = options.files or compiled_files(options.build)
    if options.changed_since and not options.files:
        files = select(files, changed_files(options.changed_since))
    if not files:
        print("clang-tidy: nothing to look at")
        return 0

    commands = without_precompiled_headers(options.build)
    end = time.monotonic() + options.budget if options.budget else None
    failed, done = [], 0

    def work(path: str) -> tuple:
        if end and time.monotonic() > end:
            return path, None
        return path, run_one(commands, path)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, result in pool.map(work, files):
            if result is None:
                continue
            done += 1
            code, said, seconds = result
            print(f"[{done}/{len(files)}] {path} ({seconds:.0f} s){'' if code == 0 else ' FAILED'}", flush=True)
            if code != 0:
                failed.append(path)
                print(said, flush=True)
    left = len(files) - done
    if left:
        print(f"clang-tidy: out of time after {done} of {len(files)} files; ./dev lint looks at the rest")
    print(f"clang-tidy: {done - len(failed)} clean, {len(failed)} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
